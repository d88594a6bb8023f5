#ifndef PROVIDER_EVENT_LOG_H
#define PROVIDER_EVENT_LOG_H

#include <stdint.h>

#include "base/error.h"
#include "provider/step_times.h"
#include "uem/event.h"

/*
 * On receipt: what was repaired in the event, in one line, and that its type has a word that we
 * know but asks nothing.
 */
void event_log_received(const struct event *event);

/* It is ignored: type is its EventType, or its EventId. */
void event_log_ignored(const struct event *event, const char *type);

/* How an attempt at it ended, and each step's time. The cause of a failure is the caller's to log.
 */
void event_log_result(
	const struct event *event, int64_t id, const struct step_times *steps, enum err err);

#endif
