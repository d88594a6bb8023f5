#ifndef FCGI_WORKER_H
#define FCGI_WORKER_H

#include "config/config.h"
#include "fcgi/auth_memory.h"
#include "fcgi/handler_counters.h"
#include "pki/key_pool.h"

/*
 * A worker process: opens what the configuration names, then answers one request after
 * the other from the listening socket, which must not block. SIGTERM, which must be
 * blocked on entry, ends it when the request in flight is done. pool: keys made ahead,
 * or NULL; pass: to the admission in counters, at its place there, handler_counters_worker_add();
 * memory: what all know of passwords. All are borrowed. Returns its exit status: 0 after SIGTERM.
 */
int worker_run(const struct config *config, struct key_pool *pool,
	struct handler_counters *counters, struct auth_memory *memory,
	const struct admission_pass *pass, int listen_fd);

#endif
