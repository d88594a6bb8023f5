/* The table of acts: a row for each kind of event that asks something of us. */

#include "provider/event_act.h"

#include <stddef.h>

#include "provider/change_address.h"
#include "provider/enroll.h"
#include "provider/unenroll.h"

static const struct event_act acts[EVENT_KIND_COUNT] = {
	[EVENT_ENROLLED] = {.delivers = true, .attempt = enroll_attempt},
	[EVENT_UNENROLLED] = {.concerns_us = unenroll_concerns_us,
		.at_once = unenroll_stop_delivery,
		.attempt = unenroll_attempt},
	[EVENT_ADDRESS_CHANGED] = {.delivers = true,
		.concerns_us = change_address_concerns_us,
		.attempt = change_address_attempt},
};

const struct event_act *event_act(enum event_kind kind)
{
	return acts[kind].attempt ? &acts[kind] : NULL;
}
