#ifndef NET_HTTP_OPTIONS_H
#define NET_HTTP_OPTIONS_H

#include "base/error.h"
#include "net/http_transfer.h"

/* Tells libcurl everything about the request but its time. The caller frees t->headers. */
enum err http_set_options(struct http_transfer *t, struct error *e) must_check;

/* Sets both timeouts from what is left until the deadline; ERR_UNAVAILABLE if nothing is. */
enum err http_set_timeouts(struct http_transfer *t, struct error *e) must_check;

#endif
