#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/identity.h"

/*
 * The only caller of libcurl. A client speaks with one server under one identity and keeps its
 * connection between requests; a process uses a client for one request at a time.
 */
struct http_client;

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_NTLM, HTTP_AUTH_KERBEROS };

enum http_tls_max { HTTP_TLS_1_3, HTTP_TLS_1_2 };

struct http_options {
	enum http_tls_max tls_max;
	enum http_auth auth;
	const char *username;		    /* for BASIC and NTLM */
	const char *password_file;	    /* for BASIC and NTLM */
	const char *keytab;		    /* for KERBEROS */
	const char *principal;		    /* for KERBEROS; NULL: the keytab's first one */
	const char *identity;		    /* for mutual TLS, see identity.h; or NULL */
	const char *identity_password_file; /* or NULL: no password */
	const char *ca_file;		    /* trust only these; NULL: the system's */
	const char *pinned_key;		    /* "sha256//…", or NULL */
	const char *proxy; /* "http://HOST:PORT", asked for a tunnel; NULL: none, whatever the
			      environment says */
};

/*
 * Reads identity, CA file and keytab now, so that a fault in them shows at once: ERR_CONFIG. The
 * identity's key exists only in memory or in a token. While the token is away, requests are
 * ERR_UNAVAILABLE. Kerberos keys and their tickets exist only in memory; other tickets on this
 * machine are never used.
 */
enum err http_client_new(
	const struct http_options *options, struct http_client **out, struct error *e) must_check;
void http_client_free(struct http_client *client);

/* Calls identity_ready() for our identity, if there is one. Each request does this too. */
enum err http_client_ready(struct http_client *client, struct error *e) must_check;

/*
 * Takes effect with the next request. A server that asks for our certificate after the TLS 1.3
 * handshake gets none, as libcurl does not set the flag that GnuTLS needs for it. TLS 1.2 works.
 */
void http_client_limit_tls(struct http_client *client, enum http_tls_max max);

/* Our identity, borrowed; NULL if there is none. */
const struct identity *http_client_identity(const struct http_client *client);

#define HTTP_WANTED_SIZE 256

/* A field of the answer's header that the caller reads. Not with HTTP_AUTH_KERBEROS. */
struct http_wanted {
	const char *name;	      /* up to 30 characters, in any case */
	char value[HTTP_WANTED_SIZE]; /* set by http_send(); "": it was not there, or longer */
};

struct http_request {
	const char *method;	    /* "GET", "POST", "PUT" */
	const char *url;	    /* https:// only, unless plain */
	bool plain;		    /* http:// as well: the answer is signed */
	const char *content_type;   /* of body, or NULL */
	const char *accept;	    /* or NULL */
	const char *const *headers; /* "Name: value" each, NULL-terminated; or NULL */
	const char *body;	    /* len bytes, or NULL */
	size_t body_len;
	bool once; /* on a new connection: a request that fails on a kept one may be sent twice */
	int64_t deadline;	    /* clock_monotonic_ms() */
	size_t answer_max;	    /* the most bytes of body that we accept */
	struct http_wanted *wanted; /* of wanted_count; or NULL */
	size_t wanted_count;
	int *began; /* set to the status of an incomplete answer; or NULL */
};

#define HTTP_TYPE_SIZE 64

struct http_answer {
	int status;			   /* of a complete, well-formed answer */
	char content_type[HTTP_TYPE_SIZE]; /* without parameters, lower case; "": none */
	int retry_after; /* seconds from now, also if the header had a date; 0: none */
	int64_t date;	 /* the server's time of the answer; 0: none (RFC 9110, 6.6.1) */
	bool tls13;	 /* TLS 1.3 or later */
	bool asked;	 /* the server asked for our certificate, in or after the handshake */
	struct blob body;
};

/*
 * Sends one request and gives a complete answer or none. Redirects are not followed. A kept
 * connection that fails before any answer is replaced once, within the deadline, so the server may
 * get the request twice unless once is set. Any status is success here. Freed with
 * http_answer_free().
 *
 * ERR_UNAVAILABLE: no connection, no answer in time, or an answer that is cut, malformed or too
 * large; the server may have acted on the request, so a repeat must be harmless. ERR_CONFIG: we do
 * not trust the server, whose certificate has another issuer, name, time or key than we require.
 * ERR_REFUSED: it rejected our certificate (a TLS alert), or the KDC rejected our key. The text
 * names the cause and what to do.
 */
enum err http_send(struct http_client *client, const struct http_request *request,
	struct http_answer *out, struct error *e) must_check;
void http_answer_free(struct http_answer *answer);

#endif
