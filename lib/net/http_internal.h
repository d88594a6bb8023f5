#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "base/memfile.h"
#include "net/http.h"
#include "net/http_answer.h"
#include "net/http_error.h"
#include "net/http_tls.h"
#include "net/kerberos.h"

/* Inside of http.h: what its files share. */

#define HTTP_ORIGIN_MAX 300 /* "https://", a host name of 255 and a port */

struct http_client {
	CURL *curl;
	struct identity *identity;
	struct memfile anchors;
	char *pinned_key;
	enum http_tls_max tls_max;
	int fd;	    /* the socket of the latest connection, or -1 */
	bool asked; /* for our certificate, on the connection that is kept */
	enum http_auth auth;
	char *username;
	struct blob password; /* with a NUL behind it */
	struct kerberos *kerberos;
};

/* One request on its way. */
struct http_transfer {
	struct http_client *client;
	const struct http_request *request;
	struct curl_slist *headers;
	struct http_incoming in;
	char origin[HTTP_ORIGIN_MAX];
	char words[CURL_ERROR_SIZE];
	char server_key[HTTP_PIN_SIZE];
	char login[CURL_ERROR_SIZE]; /* what Kerberos said was wrong; "": nothing */
	struct http_tls tls;
};

/* Tells libcurl all of the request but its time. Fills t->headers, which the caller frees. */
enum err http_set_options(struct http_transfer *t, struct error *e) must_check;

/* Sets both timeouts from what is left until the deadline; ERR_UNAVAILABLE if nothing is. */
enum err http_set_timeouts(struct http_transfer *t, struct error *e) must_check;

#endif
