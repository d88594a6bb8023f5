/* Logs and counts an event on receipt, before it is processed. */

#include <stdio.h>

#include "base/log.h"
#include "provider/internal.h"

#define QUOTED_MAX 2048

static void note_unmatched(const struct event *event)
{
	struct buf type = BUF_INIT(QUOTED_MAX);

	buf_json_string(&type, event->field[EVENT_TYPE]);
	log_warning("event id=%lld type=%s device=%s: ignored, but its name has a word of an "
		    "enrollment, unenrollment or change of address: if it is one, report the name",
		(long long)event->event_id, type.failed ? "?" : type.data, event->device_uuid);
	buf_free(&type);
}

void note_event(const struct event *event, struct counters *counters)
{
	if (*event->repaired)
		log_warning("event of device %s was damaged and is repaired: %s",
			*event->device_uuid ? event->device_uuid : "(none)", event->repaired);
	if (!event->unmatched)
		return;
	note_unmatched(event);
	counters_unmatched(counters);
}
