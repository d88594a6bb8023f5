#ifndef PROVIDER_EVENT_ACT_H
#define PROVIDER_EVENT_ACT_H

#include <stdbool.h>

#include "base/error.h"
#include "uem/event.h"

struct attempt;
struct provider;

/* What an event of a kind asks of us. uem/event_kind.h has the kind's name and what it names. */
struct event_act {
	bool delivers; /* credentials go to a device: two attempts at one device take turns */

	/*
	 * Sets *out to false if we have nothing to do with the event's device or user. May fill in
	 * the device. NULL: every event of the kind concerns us.
	 */
	enum err (*concerns_us)(
		struct provider *provider, struct event *event, bool *out, struct error *e);

	/* Called once the event is recorded, before it waits for a slot; NULL: nothing. */
	enum err (*at_once)(struct attempt *attempt, struct error *e);

	/* The attempt itself; it fills result and uploads of the attempt, and may set overtaken. */
	enum err (*attempt)(struct attempt *attempt, struct error *e);
};

/* NULL for a kind that asks nothing of us. */
const struct event_act *event_act(enum event_kind kind);

#endif
