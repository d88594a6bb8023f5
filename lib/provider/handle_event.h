#ifndef PROVIDER_HANDLE_EVENT_H
#define PROVIDER_HANDLE_EVENT_H

#include <stddef.h>

#include "base/error.h"
#include "provider/event_result.h"

struct attempt;
struct provider;

/*
 * Handles an event notification, from the webhook or from a file: does what it asks, and returns
 * once the gateways have it. A failure after the event was recorded leaves it pending or failed in
 * the store. Logs one line with the result, and each step's time. The codes are those of the
 * answers to an event: ERR_MALFORMED, ERR_UNSUPPORTED, ERR_UNPROCESSABLE, ERR_FORBIDDEN,
 * ERR_REFUSED, ERR_UNAVAILABLE, ERR_CONFIG, ERR_INTERNAL.
 */
enum err provider_handle(struct provider *provider, const char *body, size_t len,
	struct event_result *out, struct error *e) must_check;

/* The same for an attempt of which only provider, by_hand and compromised are set. */
enum err handle_event(struct attempt *a, const char *body, size_t len, struct error *e) must_check;

#endif
