#ifndef PROVIDER_EVENT_LOG_H
#define PROVIDER_EVENT_LOG_H

#include <stdint.h>

#include "base/error.h"
#include "provider/step_times.h"
#include "uem/event.h"

/*
 * Logs on receipt what was repaired in the event, in one line, and that its type has a word of a
 * kind that we know although it asks nothing.
 */
void event_log_received(const struct event *event);

/* Logs that the event is ignored. type is its EventType, or its EventId. */
void event_log_ignored(const struct event *event, const char *type);

/* Logs how an attempt ended, and each step's time. The caller logs the cause of a failure. */
void event_log_result(
	const struct event *event, int64_t id, const struct step_times *steps, enum err err);

#endif
