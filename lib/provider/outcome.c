#include "provider/provider.h"

#include <stdlib.h>

static const char *const status_names[] = {
	[OUTCOME_DELIVERED] = "delivered",
	[OUTCOME_RECORDED] = "recorded",
	[OUTCOME_IGNORED] = "ignored",
};

void outcome_fini(struct outcome *outcome)
{
	free(outcome->event_type);
	free(outcome->certificate);
	*outcome = (struct outcome){0};
}

static void member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ",\"%s\":", name);
	buf_json_string(out, value);
}

static void certificates_json(const struct outcome *outcome, struct buf *out)
{
	buf_puts(out, ",\"certificates\":[");
	for (size_t i = 0; i < outcome->certificate_count; i++) {
		const struct outcome_certificate *c = &outcome->certificate[i];
		char not_after[CLOCK_RFC3339_SIZE];

		clock_rfc3339(c->not_after, not_after);
		buf_printf(out, "%s{\"usage\":\"%s\",\"serial\":\"%s\",\"not_after\":\"%s\"}",
			i ? "," : "", c->usage, c->serial, not_after);
	}
	buf_putc(out, ']');
}

void outcome_json(const struct outcome *outcome, struct buf *out)
{
	buf_printf(out, "{\"status\":\"%s\"", status_names[outcome->kind]);
	switch (outcome->kind) {
	case OUTCOME_DELIVERED:
		member(out, "device_uuid", outcome->device_uuid);
		member(out, "user_uuid", outcome->user_uuid);
		certificates_json(outcome, out);
		break;
	case OUTCOME_RECORDED:
		break;
	case OUTCOME_IGNORED:
		member(out, "event_type", outcome->event_type);
		break;
	}
	buf_putc(out, '}');
}
