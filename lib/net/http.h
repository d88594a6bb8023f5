#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/identity.h"

/*
 * The only caller of libcurl. A client speaks with one server under one
 * identity and keeps its connection between requests; a process uses a client
 * for one request at a time.
 */
struct http_client;

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_NTLM, HTTP_AUTH_KERBEROS };

enum http_tls_max { HTTP_TLS_1_3, HTTP_TLS_1_2 };

struct http_options {
	enum http_tls_max tls_max;
	enum http_auth auth;
	const char *username;	   /* of BASIC and NTLM */
	const char *password_file; /* likewise */
	const char *keytab;	   /* of KERBEROS */
	const char *principal;	   /* of KERBEROS: the principal; NULL: the keytab's first one */
	const char *identity;	   /* for mutual TLS, see identity.h; or NULL */
	const char *identity_password_file; /* or NULL: no password */
	const char *ca_file;		    /* trust only these; NULL: the system's */
	const char *pinned_key;		    /* "sha256//…", or NULL */
};

/*
 * Reads identity and CA file now, so that a mistake in them shows at once:
 * ERR_CONFIG. The identity's key exists only in memory, or in a token, which may be
 * away: then requests are ERR_UNAVAILABLE until it is back. In memory alone, too, are keys for
 * Kerberos and the tickets that they are good for; no other ticket of this machine's is ever used.
 */
enum err http_client_new(
	const struct http_options *options, struct http_client **out, struct error *e) must_check;
void http_client_free(struct http_client *client);

/* identity_ready() of our identity, if there is one. Each request also does it. */
enum err http_client_ready(struct http_client *client, struct error *e) must_check;

/*
 * From the next request on. Over TLS 1.3 a server that asks for our certificate after the handshake
 * gets none: GnuTLS answers only with a flag that libcurl does not set. Over TLS 1.2 it works.
 */
void http_client_limit_tls(struct http_client *client, enum http_tls_max max);

/* Our identity, borrowed; NULL if there is none. */
const struct identity *http_client_identity(const struct http_client *client);

struct http_request {
	const char *method;	    /* "GET", "POST", "PUT" */
	const char *url;	    /* https:// only, unless plain */
	bool plain;		    /* http:// as well: the answer is signed */
	const char *content_type;   /* of body, or NULL */
	const char *accept;	    /* or NULL */
	const char *const *headers; /* "Name: value" each, NULL-terminated; or NULL */
	const char *body;	    /* len bytes, or NULL */
	size_t body_len;
	bool once;	   /* on a new connection: what dies on a kept one may be sent twice */
	int64_t deadline;  /* clock_monotonic_ms(): by then it is over */
	size_t answer_max; /* bytes of body that we are ready to take */
	int *began;	   /* set to the status of an answer that fails to come whole; or NULL */
};

#define HTTP_TYPE_SIZE 64

struct http_answer {
	int status;			   /* of a complete, well-formed answer */
	char content_type[HTTP_TYPE_SIZE]; /* without parameters, lower case; "": not said */
	int retry_after; /* seconds from now, 0: not said; a date is turned into seconds */
	int64_t date; /* when it was made, by the server's clock; 0: not said (RFC 9110, 6.6.1) */
	bool tls13;   /* TLS 1.3 or later */
	bool asked;   /* the server asked for our certificate, be it after a TLS 1.2 handshake */
	struct blob body;
};

/*
 * One request, its answer whole or not at all. Redirects are not followed. A kept
 * connection that turns out dead before any answer is replaced once, within the
 * deadline; so the server may get the request twice, unless it is to be sent once. Any
 * status is success here. Freed with http_answer_free().
 *
 * ERR_UNAVAILABLE: no connection, no answer in time, or one that is cut,
 * malformed or too large; the server may have acted on it, so a repeat must be
 * harmless. ERR_CONFIG: we do not trust the server: its certificate has another
 * issuer, name, time or key than we demand. ERR_REFUSED: it does not take our
 * certificate (a TLS alert), or the KDC does not take our key. The text names the cause and what
 * to do.
 */
enum err http_send(struct http_client *client, const struct http_request *request,
	struct http_answer *out, struct error *e) must_check;
void http_answer_free(struct http_answer *answer);

#endif
