#ifndef FCGI_WORKER_H
#define FCGI_WORKER_H

#include "config/config.h"
#include "fcgi/auth_memory.h"
#include "fcgi/handler_counters.h"
#include "pki/key_pool.h"

/*
 * Runs a worker process: opens what the configuration names, then answers one request after the
 * other from the listening socket, which must not block. SIGTERM must be blocked on entry; it ends
 * the worker after the request that is being answered. pool: keys made ahead,
 * or NULL; pass: to the admission in counters, at its place there, handler_counters_worker_add();
 * memory: what all know of passwords. All are borrowed. Returns its exit status: 0 after SIGTERM.
 */
int worker_run(const struct config *config, struct key_pool *pool,
	struct handler_counters *counters, struct auth_memory *memory,
	const struct admission_pass *pass, int listen_fd);

#endif
