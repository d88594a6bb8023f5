#ifndef FCGI_CHILDREN_H
#define FCGI_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "fcgi/auth_memory.h"
#include "fcgi/handler_counters.h"
#include "pki/key_pool.h"

/*
 * The worker processes, and the key maker, which makes keys ahead for them, as the parent sees
 * them. A process that dies is started again: at once if it had served for a while, else after a
 * pause that doubles each time. Times are those of clock_monotonic_ms(). SIGTERM must be blocked
 * when workers are started.
 */
struct child;

struct children {
	struct child *first;
	const struct config *config;	   /* of workers to be started */
	struct key_pool *pool;		   /* the key maker fills it; NULL: there is none */
	struct handler_counters *counters; /* borrowed; the workers count in them */
	struct auth_memory *memory;	   /* borrowed; what the workers know of passwords */
	int listen_fd;
	unsigned generation, workers; /* as for config */
};

/*
 * Plans as many workers with that configuration, which is borrowed, and retires the present ones by
 * children_retire(). A single worker gets a reserve worker beside it, which serves while the first
 * one waits for a CA or a gateway. ERR_INTERNAL: nothing has changed.
 */
enum err children_replace(struct children *children, const struct config *config, unsigned workers,
	int64_t kill_at, struct error *e) must_check;

/* Starts the processes that are due. In the new process it does not return. */
void children_start(struct children *children);

/* Waits for the processes that have ended, and plans their restart. */
void children_reap(struct children *children);

/* Tells all present processes to finish, by kill_at at the latest; they are not restarted. */
void children_retire(struct children *children, int64_t kill_at);

/* Kills the processes that should have ended by now. */
void children_kill_overdue(struct children *children);

/* When to call children_start() or children_kill_overdue() next; INT64_MAX: no need. */
int64_t children_next(const struct children *children);

void children_fini(struct children *children);

bool children_are_gone(const struct children *children);

#endif
