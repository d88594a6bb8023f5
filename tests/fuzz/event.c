/* Any bytes as an event notification. */

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "uem/event.h"

static void check_event(const struct event *event)
{
	char uuid[UUID_SIZE];

	assert(event->kind < EVENT_KIND_COUNT && event->event_id >= 0 && event->time >= 0);
	assert(event->event_id || *event->field[EVENT_TYPE]);
	assert(event->kind == EVENT_OTHER || event->kind == EVENT_ADDRESS_CHANGED ||
		*event->device_uuid);
	assert(event->kind != EVENT_ENROLLED || *event->user_uuid);
	assert(!*event->device_uuid || text_uuid(event->device_uuid, uuid));
	assert(!*event->user_uuid || text_uuid(event->user_uuid, uuid));
	for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
		size_t len = strlen(event->field[i]);

		assert(len <= 1024 && utf8_is_valid(event->field[i], len));
		assert(event->damage[i] <= EVENT_LOST);
		assert(event->damage[i] == EVENT_LOST || !strstr(event->field[i], "\ufffd"));
		assert(event->damage[i] == EVENT_WHOLE || *event->repaired);
	}
	assert(utf8_is_valid(event->repaired, strlen(event->repaired)));
	assert(!event->unmatched || event->kind == EVENT_OTHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event *event = NULL;
	struct error e = {.code = ERR_OK};
	enum err err = event_parse((const char *)data, size, &event, &e);

	if (err) {
		assert(err == ERR_MALFORMED || err == ERR_UNSUPPORTED);
		assert(e.code == err && *e.text && !event);
		assert(utf8_is_valid(e.text, strlen(e.text)));
		assert(utf8_is_valid(e.field, strlen(e.field)));
	} else {
		check_event(event);
	}
	event_free(event);
	return 0;
}
