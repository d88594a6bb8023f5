/* The section of recent events: what came in lately, how it ended, and how long each step took. */
#include "fcgi/pages/status_recent.h"

#include "base/text.h"
#include "fcgi/pages/status_rows.h"
#include "provider/counters.h"

#define SHOWN_MAX 20
#define SHOWN_OPEN 5

#define VALUE(name) status_rows_value(columns, count, name)

static void put_ms(struct buf *out, int64_t us)
{
	buf_printf(out, "%lld.%lld", (long long)(us / 1000), (long long)(us % 1000 / 100));
}

static void put_steps(struct status_rows *rows, const char *event_id)
{
	struct handler_counters *counters = rows->status->service->counters;
	struct buf *out = rows->status->out;
	struct counters_attempt attempt;
	int64_t id = 0, total = 0;

	if (!counters || !text_number(event_id, INT64_MAX, &id) ||
		!counters_find_attempt(&counters->provider, id, &attempt)) {
		html_cell(out, &rows->table, NULL);
		return;
	}
	for (int i = 0; i < STEP_COUNT; i++)
		total += attempt.us[i] > 0 ? attempt.us[i] : 0;
	html_cell_begin(out, &rows->table);
	put_ms(out, total);
	buf_puts(out, " ms<small class=\"steps\">");
	for (int i = 0; i < STEP_COUNT; i++) {
		if (attempt.us[i] < 0)
			continue;
		buf_printf(out, "<span>%s ", step_names[i]);
		put_ms(out, attempt.us[i]);
		buf_puts(out, "</span> ");
	}
	buf_puts(out, "</small>");
	html_cell_end(out, &rows->table);
}

static void put_recent(struct status_rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	status_rows_put_named(rows, VALUE("device_name"), VALUE("device_uuid"));
	status_rows_put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("event_type"));
	html_cell_time(out, &rows->table, VALUE("received_at"));
	status_rows_put_state(rows, VALUE("state"));
	put_steps(rows, VALUE("id"));
}

void status_recent_put(const struct status_data *status)
{
	static const char *const columns[] = {
		"Device", "User", "Event", "Received", "Result", "Duration"};
	struct status_rows rows = {
		.status = status,
		.table = {.caption = "The latest events, with the milliseconds of each step",
			.columns = columns,
			.count = ARRAY_LEN(columns)},
		.max = SHOWN_MAX,
		.open = SHOWN_OPEN,
		.put = put_recent,
	};

	buf_puts(status->out, "<section aria-labelledby=\"recent\"><h2 id=\"recent\">Recent events"
			      "</h2>\n");
	status_rows_put(&rows, STORE_EVENTS, &(struct store_filter){.limit = 0});
	if (!rows.count)
		buf_puts(status->out, "<p class=\"none\">None.</p>\n");
	buf_puts(status->out, "</section>\n");
}
