/* Prints an event as it is stored: known fields only. */

#include "uem/event_print.h"

#include <string.h>

/* U+10FFFD, of private use: four bytes, so that a text that was cut is cut there again. */
#define CUT_MARK "\xf4\x8f\xbf\xbd"

static void print_name(const char *name, struct buf *out)
{
	buf_putc(out, out->len ? ',' : '{');
	buf_json_string(out, name);
	buf_putc(out, ':');
}

static void print_number(const char *name, int64_t number, struct buf *out)
{
	if (!number)
		return;
	print_name(name, out);
	buf_printf(out, "%lld", (long long)number);
}

static void print_text(const char *name, const char *text, struct buf *out)
{
	if (!*text)
		return;
	print_name(name, out);
	buf_json_string(out, text);
}

/* A text that was left out is printed as false, so that it is no string here either. */
static void print_damaged(const char *name, const char *text, size_t max, struct buf *out)
{
	bool cut = strlen(text) + strlen(CUT_MARK) > max;
	struct buf whole = BUF_INIT(max + sizeof(CUT_MARK));

	print_name(name, out);
	buf_printf(&whole, "%s%s", text, cut ? CUT_MARK : "");
	if (*text)
		buf_json_string(out, whole.data ? whole.data : "");
	else
		buf_puts(out, "false");
	out->failed |= whole.failed;
	out->no_memory |= whole.no_memory;
	buf_free(&whole);
}

void event_print(const struct event *event, struct buf *out)
{
	buf_reset(out);
	print_number("EventId", event->event_id, out);
	for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
		enum event_field field = (enum event_field)i;
		const char *name = event_field_name(field), *text = event->field[i];

		if (event->damage[i] == EVENT_WHOLE)
			print_text(name, text, out);
		else
			print_damaged(name, text, event_field_max(field), out);
	}
	print_number("DeviceId", event->device_id, out);
	print_text("DeviceUUID", event->device_uuid, out);
	print_number("EnrollmentUserId", event->user_id, out);
	print_text("EnrollmentUserUUID", event->user_uuid, out);
	buf_puts(out, out->len ? "}" : "{}");
}
