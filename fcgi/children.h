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
 * The worker processes, and the one that makes keys ahead for them, as the parent sees
 * them. One that dies is started anew, at once if it had served for a while, else after
 * a pause that doubles from death to death. Times are those of clock_monotonic_ms().
 * SIGTERM must be blocked when workers are started.
 */
struct child;

struct children {
	struct child *first;
	const struct config *config;	   /* of those to be started */
	struct key_pool *pool;		   /* theirs, or NULL */
	struct handler_counters *counters; /* borrowed; they count in it */
	struct auth_memory *memory;	   /* borrowed; what they know of passwords */
	int listen_fd;
	unsigned generation, workers; /* of those to be started */
};

/*
 * From now on so many workers with that configuration, which is borrowed; a single one gets
 * another one beside it, which serves while it waits for a CA or a gateway. Those that are there
 * retire as by children_retire(). ERR_INTERNAL, and nothing has changed.
 */
enum err children_renew(struct children *children, const struct config *config, unsigned workers,
	int64_t kill_at, struct error *e) must_check;

/* Starts those whose time has come. In a worker it does not return. */
void children_start(struct children *children);

/* Takes note of those that have died. */
void children_reap(struct children *children);

/* Asks all of now to finish and go, by kill_at at the latest; they are not replaced. */
void children_retire(struct children *children, int64_t kill_at);

/* Kills those that should have gone by now. */
void children_kill_late(struct children *children);

/* When to call children_start() or children_kill_late() next; INT64_MAX: no need. */
int64_t children_next(const struct children *children);

void children_fini(struct children *children);

bool children_are_gone(const struct children *children);

#endif
