/* The log lines of an event: on receipt, and how it ended. It decides nothing. */

#include "provider/event_log.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"

#define QUOTED_MAX 2048
#define STEPS_TEXT_MAX 1024
#define STEPS_JSON_MAX 2048

/* As JSON has it: a quote in it does not end it, and what follows is no field of the line. */
static const char *quoted(const char *text, struct buf *out)
{
	buf_json_string(out, text);
	return out->failed ? "?" : out->data;
}

void event_log_received(const struct event *event)
{
	struct buf type = BUF_INIT(QUOTED_MAX);

	if (*event->repaired)
		log_warning("event of device %s was damaged and is repaired: %s",
			*event->device_uuid ? event->device_uuid : "(none)", event->repaired);
	if (event->unmatched)
		log_warning("event id=%lld type=%s device=%s: ignored, but its name has a word of "
			    "an enrollment, unenrollment or change of address: if it is one, "
			    "report the name",
			(long long)event->event_id, quoted(event->field[EVENT_TYPE], &type),
			event->device_uuid);
	buf_free(&type);
}

void event_log_ignored(const struct event *event, const char *type)
{
	struct buf text = BUF_INIT(QUOTED_MAX);

	log_info("event type=%s %s: ignored", quoted(type, &text),
		event->kind == EVENT_OTHER ? "asks nothing of us"
					   : "is of nobody who has enrolled");
	buf_free(&text);
}

void event_log_result(
	const struct event *event, int64_t id, const struct step_times *steps, enum err err)
{
	struct buf text = BUF_INIT(STEPS_TEXT_MAX), json = BUF_INIT(STEPS_JSON_MAX);
	struct buf type = BUF_INIT(QUOTED_MAX);
	const char *sent = event->field[EVENT_TYPE], *outcome = error_meaning(err)->label;
	char number[24];
	const struct log_field fields[] = {
		{"event", number, number},
		{"type", sent, NULL},
		{"device", event->device_uuid, NULL},
		{"user", event->user_uuid, NULL},
		{"outcome", outcome, NULL},
		{"steps", step_times_print(steps, &text), step_times_json(steps, &json)},
	};

	snprintf(number, sizeof(number), "%lld", (long long)id);
	log_fields(err ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, fields, ARRAY_LEN(fields),
		"event=%s type=%s device=%s user=%s outcome=%s %s", number, quoted(sent, &type),
		event->device_uuid, event->user_uuid, outcome, fields[5].value);
	buf_free(&type);
	buf_free(&json);
	buf_free(&text);
}
