#ifndef PROVIDER_ATTEMPT_H
#define PROVIDER_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "provider/event_result.h"
#include "provider/step_times.h"
#include "provider/upload.h"
#include "uem/event.h"

struct provider;

/* An event on its way through: one attempt at what it asks. */
struct attempt {
	struct provider *provider;
	const struct event *event;
	int64_t received_at;
	int64_t id;	  /* in the store; 0: not recorded */
	int64_t tries;	  /* before this one */
	bool by_hand;	  /* an unenrollment that UEM did not tell of, and so has no time */
	bool compromised; /* an unenrollment: the device's keys may be in other hands */
	bool overtaken;	  /* the device is unenrolled, or another user's, since */
	struct step_times steps;
	struct uploads uploads;	    /* what it has sent; written down at its end */
	struct event_result result; /* event_result_fini() is the caller's */
};

/*
 * Waits while another process works on the same device, but no longer than an upload may take.
 * Returns true if it is our turn.
 */
bool attempt_wait_for_turn(struct attempt *a);

/* If a process dies, others may take up its leased work after so many seconds. */
int64_t lease_seconds(const struct config *config);

#endif
