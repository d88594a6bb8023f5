#ifndef FCGI_HANDLER_COUNTERS_H
#define FCGI_HANDLER_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fcgi/auth.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "provider/admission.h"
#include "provider/counters.h"

/*
 * The handler's counters, in memory that the parent makes before it forks: it outlives workers and
 * configurations, and ends with the parent. No lock is held (see provider/counters.h). In all
 * functions but handler_counters_new() it may be NULL: a CGI program counts nothing.
 */

/* Workers at the same time, those that retire while others take over included. */
#define HANDLER_WORKERS ADMISSION_PLACES

struct handler_counters {
	int64_t started; /* clock_now() */
	atomic_ullong requests[PATH_COUNT][RESPONSE_STATUS_COUNT];
	atomic_ullong refused[AUTH_FAILURE_COUNT];
	atomic_ullong unauthenticated;	    /* posts of events since one was let in */
	atomic_llong unauthenticated_since; /* clock_now() of the first of them */
	atomic_ullong busy_time;	    /* microseconds, of finished requests */
	atomic_ullong deaths;		    /* of workers that were not told to end */
	atomic_uchar worker[HANDLER_WORKERS];
	atomic_uchar served[HANDLER_WORKERS]; /* the worker has answered a request */
	struct counters provider;
	struct admission admission;
};

/* ERR_INTERNAL: no memory. */
enum err handler_counters_new(struct handler_counters **out, struct error *e) must_check;
void handler_counters_free(struct handler_counters *counters);

void handler_counters_request(struct handler_counters *counters, enum path path, int status);
void handler_counters_refused(struct handler_counters *counters, enum auth_failure why);

/*
 * A post of an event was let in or answered 401. Where few events come, a rate of failures cannot
 * show that UEM's password is wrong; that all posts since the last good one were refused can.
 */
void handler_counters_event_access(struct handler_counters *counters, bool let_in);

/*
 * Called by the parent: gives a place to a worker that is about to start, and frees it when the
 * worker has ended. HANDLER_WORKERS: there is no place left; it may be used like a place, and
 * nothing is counted.
 */
unsigned handler_counters_worker_add(struct handler_counters *counters);
void handler_counters_worker_remove(struct handler_counters *counters, unsigned worker);
void handler_counters_worker_died(struct handler_counters *counters);

/* Has the worker at that place answered a request? */
bool handler_counters_worker_served(const struct handler_counters *counters, unsigned worker);

/* Called by the worker: it has taken a request; sends the answer; is done with it. started is when
 * it took the request: clock_monotonic_us(). */
void handler_counters_worker_answers(struct handler_counters *counters, unsigned worker);
void handler_counters_worker_busy(struct handler_counters *counters, unsigned worker);
void handler_counters_worker_idle(
	struct handler_counters *counters, unsigned worker, int64_t started);

struct handler_counters_workers {
	unsigned total, busy;
};

struct handler_counters_workers handler_counters_workers(const struct handler_counters *counters);

#endif
