#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "base/memfile.h"
#include "net/http.h"
#include "net/http_error.h"
#include "net/http_incoming.h"
#include "net/http_tls.h"
#include "net/kerberos.h"

#define HTTP_ORIGIN_MAX 300 /* "https://", a host name of 255 and a port */

struct http_client {
	CURL *curl;
	struct identity *identity;
	struct memfile anchors;
	char *pinned_key;
	char *proxy;
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

/*
 * Performs it with the options that are set. ERR_OK: t->in has a complete, well-formed answer.
 * Errors as http_send().
 */
enum err http_transfer_run(struct http_transfer *t, struct error *e) must_check;

#endif
