/* What every attempt at an event needs: how long it may take, and its turn at the device. */

#include "provider/attempt.h"

#include <time.h>

#include "base/clock.h"
#include "base/patience.h"
#include "provider/provider_parts.h"

/* For the steps of an event that wait for nobody; a wait for a peer has a deadline of its own. */
#define ATTEMPT_SECONDS 300
#define TURN_POLL_MS 50

int64_t lease_seconds(const struct config *config)
{
	return ATTEMPT_SECONDS + config_longest(config);
}

/*
 * A live process has ended its upload when the time for one is over; nobody waits longer for one
 * that was killed, nor for a store that does not answer.
 */
bool attempt_wait_for_turn(struct attempt *a)
{
	const struct timespec pause = {.tv_nsec = TURN_POLL_MS * 1000000L};
	struct provider *p = a->provider;
	int64_t deadline = clock_monotonic_ms() + p->config->escrow.timeout * 1000;
	int64_t began = admission_wait_begins(p->pass);
	bool ours = false, waited = false;
	struct error ignored;

	while (store_event_turn(p->store, a->id, &ours, &ignored) == ERR_OK && !ours &&
		clock_monotonic_ms() < deadline) {
		waited = true;
		(void)patience_look();
		nanosleep(&pause, NULL);
	}
	admission_wait_ends(p->pass, began);
	if (waited)
		step_times_done(&a->steps, STEP_TURN, ours ? NULL : "timeout");
	return ours;
}
