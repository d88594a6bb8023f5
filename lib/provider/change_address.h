#ifndef PROVIDER_CHANGE_ADDRESS_H
#define PROVIDER_CHANGE_ADDRESS_H

#include <stdbool.h>

#include "base/error.h"
#include "uem/event.h"

struct attempt;
struct provider;

/*
 * A change of address concerns us if its user has enrolled the device, or, if it names no device,
 * any: then the user's latest device is filled in. Without a user nobody knows whose address it is.
 */
enum err change_address_concerns_us(
	struct provider *p, struct event *event, bool *out, struct error *e) must_check;

/*
 * Delivers credentials for the new address to the event's device; if that was unenrolled since, to
 * the latest one of the user. The user's other devices are then due for an upload. A user without a
 * device gets nothing.
 */
enum err change_address_attempt(struct attempt *a, struct error *e) must_check;

#endif
