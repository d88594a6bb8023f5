#ifndef FCGI_METRICS_H
#define FCGI_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fcgi/auth.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "provider/gate.h"
#include "provider/meter.h"

/*
 * The handler's counters, in memory that the parent makes before it forks: it outlives workers and
 * configurations, and ends with the parent. No lock is held (see provider/meter.h). In all
 * functions but metrics_new() it may be NULL: a CGI program counts nothing.
 */

/* Workers at the same time, those that retire while others take over included. */
#define METRICS_WORKERS GATE_PLACES

struct metrics {
	int64_t started; /* clock_now() */
	atomic_ullong requests[PATH_COUNT][RESPONSE_STATUS_COUNT];
	atomic_ullong refused[AUTH_FAILURE_COUNT];
	atomic_ullong unauthenticated;	    /* posts of events since the last one that was let in */
	atomic_llong unauthenticated_since; /* clock_now() of the first of them */
	atomic_ullong busy_time;	    /* microseconds, of requests that are over */
	atomic_ullong deaths;		    /* of workers that nobody had asked to go */
	atomic_uchar worker[METRICS_WORKERS];
	atomic_uchar served[METRICS_WORKERS]; /* the worker has answered a request */
	struct meter meter;
	struct gate gate;
};

/* ERR_INTERNAL: no memory. */
enum err metrics_new(struct metrics **out, struct error *e) must_check;
void metrics_free(struct metrics *metrics);

void metrics_request(struct metrics *metrics, enum path path, int status);
void metrics_refused(struct metrics *metrics, enum auth_failure why);

/*
 * A post of an event was let in or answered 401. Where few events come, no rate of failures
 * tells that UEM's password is wrong: that all posts since the last good one were refused does.
 */
void metrics_event_access(struct metrics *metrics, bool let_in);

/*
 * The parent's side: a place for a worker that is about to start, and its end, however it
 * came. METRICS_WORKERS, which may be used like any other, if there is none: nobody counts it.
 */
unsigned metrics_worker_add(struct metrics *metrics);
void metrics_worker_remove(struct metrics *metrics, unsigned worker);
void metrics_worker_died(struct metrics *metrics);

/* Has the one at that place answered a request? */
bool metrics_worker_served(const struct metrics *metrics, unsigned worker);

/* The worker's own side: it has taken a request at started (clock_monotonic_us()), answers, is
 * done. */
void metrics_worker_answers(struct metrics *metrics, unsigned worker);
void metrics_worker_busy(struct metrics *metrics, unsigned worker);
void metrics_worker_idle(struct metrics *metrics, unsigned worker, int64_t started);

struct metrics_workers {
	unsigned total, busy;
};

struct metrics_workers metrics_workers(const struct metrics *metrics);

#endif
