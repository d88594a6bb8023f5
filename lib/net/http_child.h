#ifndef NET_HTTP_CHILD_H
#define NET_HTTP_CHILD_H

#include "net/http_transfer.h"

/*
 * http_transfer_run() in a process of its own, which is killed a little after the request's
 * deadline: for Kerberos, whose library waits for a KDC without a limit. t->in is as the run left
 * it, but with at most answer_max bytes of the body. Connections and tickets end with that process.
 * Errors as http_transfer_run(); ERR_UNAVAILABLE if it was not done in time or died.
 */
enum err http_child_run(struct http_transfer *t, struct error *e) must_check;

#endif
