/* The answer to an event, as a struct and as JSON. */

#include "provider/event_result.h"

#include <stdlib.h>

#include "base/clock.h"

static const char *const status_names[] = {
	[RESULT_DELIVERED] = "delivered",
	[RESULT_RECORDED] = "recorded",
	[RESULT_IGNORED] = "ignored",
};

void event_result_fini(struct event_result *result)
{
	free(result->event_type);
	free(result->certificate);
	*result = (struct event_result){0};
}

static void member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ",\"%s\":", name);
	buf_json_string(out, value);
}

static void certificates_json(const struct event_result *result, struct buf *out)
{
	buf_puts(out, ",\"certificates\":[");
	for (size_t i = 0; i < result->certificate_count; i++) {
		const struct event_result_certificate *c = &result->certificate[i];
		char not_after[CLOCK_RFC3339_SIZE];

		clock_rfc3339(c->not_after, not_after);
		buf_printf(out, "%s{\"usage\":\"%s\",\"serial\":\"%s\",\"not_after\":\"%s\"}",
			i ? "," : "", c->usage, c->serial, not_after);
	}
	buf_putc(out, ']');
}

void event_result_json(const struct event_result *result, struct buf *out)
{
	buf_printf(out, "{\"status\":\"%s\"", status_names[result->kind]);
	switch (result->kind) {
	case RESULT_DELIVERED:
		member(out, "device_uuid", result->device_uuid);
		member(out, "user_uuid", result->user_uuid);
		certificates_json(result, out);
		break;
	case RESULT_RECORDED:
		break;
	case RESULT_IGNORED:
		member(out, "event_type", result->event_type);
		break;
	}
	buf_putc(out, '}');
}
