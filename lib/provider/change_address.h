#ifndef PROVIDER_CHANGE_ADDRESS_H
#define PROVIDER_CHANGE_ADDRESS_H

#include <stdbool.h>

#include "base/error.h"
#include "uem/event.h"

struct provider;

/*
 * A change of address is of interest where its user has enrolled the device, or, if it names none,
 * any: then the latest stands for all, and the event is given it. Without a user nobody knows whose
 * address it is.
 */
enum err change_address_concerns_us(
	struct provider *provider, struct event *event, bool *out, struct error *e) must_check;

#endif
