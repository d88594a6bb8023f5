#ifndef TESTS_PEERS_PEER_FASTCGI_H
#define TESTS_PEERS_PEER_FASTCGI_H

#include <fcgiapp.h>
#include <stdint.h>

#include "base/buf.h"

/* What the simulated peers have in common: FastCGI programs behind peer.nginx. */

#define PEER_WORKERS_MAX 128
#define PEER_STATUS_DROP 599 /* nginx ends the connection without a word */

typedef void peer_serve(void *ctx, FCGX_Request *request);

/*
 * Listens on a unix socket at path and serves it with that many processes, for a hang
 * holds its own. SIGTERM ends them all. Gives the exit status.
 */
int peer_run(const char *path, int64_t workers, peer_serve *serve, void *ctx);

/* A CGI variable, or "". */
const char *peer_param(const FCGX_Request *request, const char *name);

/* Appends the request's body. */
enum err peer_read_body(FCGX_Request *request, struct buf *body, struct error *e) must_check;

void peer_wait(double seconds);

#endif
