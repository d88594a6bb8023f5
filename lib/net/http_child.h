#ifndef NET_HTTP_CHILD_H
#define NET_HTTP_CHILD_H

#include "net/http_internal.h"

/*
 * Does work(t) in a process of its own, which is killed a little after the request's deadline: for
 * Kerberos, whose library waits for a KDC for as long as it likes. t->in is as the work left it,
 * but of the body no more than answer_max. Connections and tickets end with that process. Errors
 * as the work's; ERR_UNAVAILABLE if it was not done in time or died.
 */
enum err http_in_child(struct http_transfer *t,
	enum err (*work)(struct http_transfer *t, struct error *e), struct error *e) must_check;

#endif
