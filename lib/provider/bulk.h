#ifndef PROVIDER_BULK_H
#define PROVIDER_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Many items by several processes, which share one rate, one tally and one flag to stop. SIGINT and
 * SIGTERM set it: items being processed are finished, the rest is left.
 */
struct bulk;

struct bulk_tally {
	int64_t total;	 /* items when it began */
	int64_t done;	 /* as it should be */
	int64_t pending; /* may yet work: later */
	int64_t failed;	 /* for good */
	bool stopped;	 /* before all was tried: the other side is down, or a signal came */
};

struct bulk_options {
	unsigned workers;
	unsigned rate;	  /* items a second, all workers together */
	int64_t patience; /* seconds: a worker that calls none of us for longer is stuck; 0: none */
	void (*progress)(void *ctx, const struct bulk_tally *tally); /* now and then; or NULL */
	void *ctx;
};

/* The work of one worker, in a process of its own that opens provider and store itself. */
typedef enum err bulk_work(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e);

/*
 * Runs the workers and waits for them. The first error of a worker is that of the
 * whole; a worker that is killed is ERR_UNAVAILABLE. One that is stuck ends itself; what it worked
 * on counts as pending, and another takes its place. *tally has the total, and what was counted
 * before: what this run counts is added in any case.
 */
enum err bulk_run(const struct bulk_options *options, bulk_work *work, void *ctx,
	struct bulk_tally *tally, struct error *e) must_check;

/* For workers: reports that this one is alive. The functions below do so, too. */
void bulk_alive(const struct bulk *bulk);
/* Returns false once the run has to stop. */
bool bulk_goes_on(const struct bulk *bulk);
/* Waits until the rate allows an item. */
void bulk_wait_turn(struct bulk *bulk);
/*
 * Counts the end of an item. Too many in a row that may work later: stop, the other side is down;
 * an item that waits for a decision at a CA does not count.
 */
void bulk_count(struct bulk *bulk, enum err err);
/* Counts an item that another process works on: pending, but no sign of a fault. */
void bulk_count_busy(struct bulk *bulk);

#endif
