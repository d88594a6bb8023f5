#ifndef NET_HTTP_ERROR_H
#define NET_HTTP_ERROR_H

#include <curl/curl.h>

#include "base/error.h"
#include "net/http_incoming.h"
#include "net/http_tls.h"
#include "net/identity.h"

#define HTTP_PIN_SIZE (sizeof("sha256//") + 44)

/* A request that got no answer, and what is known about the cause. */
struct http_failure {
	CURL *curl;
	CURLcode code;
	const char *origin; /* "https://host:port" */
	const char *words;  /* libcurl's, or "" */
	const struct http_tls *tls;
	const char *server_key;		    /* the pin of the server's key, or "" */
	const struct identity *identity;    /* ours, or NULL */
	const struct http_incoming *answer; /* as far as it arrived */
};

/* Fills e with the cause and what to do, as http_send() promises. Never ERR_OK. */
enum err http_explain(const struct http_failure *f, struct error *e);

#endif
