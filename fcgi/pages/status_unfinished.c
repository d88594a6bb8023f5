/* The section of what is unfinished: causes first, then the events and uploads themselves. */
#include "fcgi/pages/status_unfinished.h"

#include "fcgi/pages/status_rows.h"
#include "provider/unfinished_causes.h"

#define SHOWN_MAX 20
#define FOLDED_OVER 5
#define COUNTED_MAX 1000

#define VALUE(name) status_rows_value(columns, count, name)

static void put_tries(struct status_rows *rows, const char *tries, const char *next)
{
	struct buf *out = rows->status->out;

	html_cell_begin(out, &rows->table);
	html_escape(out, tries);
	if (*next) {
		buf_puts(out, "<small>next ");
		html_time_text(out, next);
		buf_puts(out, "</small>");
	}
	html_cell_end(out, &rows->table);
}

static void put_event(struct status_rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	status_rows_put_named(rows, VALUE("device_name"), VALUE("device_uuid"));
	status_rows_put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("event_type"));
	html_cell_time(out, &rows->table, VALUE("received_at"));
	put_tries(rows, VALUE("tries"), VALUE("next_at"));
	html_cell(out, &rows->table, VALUE("cause"));
}

static void put_upload(struct status_rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	html_cell(out, &rows->table, VALUE("device_uuid"));
	status_rows_put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("gateway"));
	html_cell_time(out, &rows->table, VALUE("updated_at"));
	put_tries(rows, VALUE("tries"), VALUE("next_at"));
	html_cell(out, &rows->table, VALUE("cause"));
}

static const char *const event_columns[] = {
	"Device", "User", "Event", "Received", "Tries", "Cause"};
static const char *const upload_columns[] = {
	"Device", "User", "Gateway", "Last tried", "Tries", "Cause"};

static void put_causes(
	const struct status_data *status, const char *state, const struct unfinished_causes *causes)
{
	struct buf *out = status->out;

	buf_puts(out, "<ul class=\"causes\">\n");
	for (size_t i = 0; i < causes->count; i++) {
		const struct unfinished_cause *cause = &causes->cause[i];

		buf_printf(out, "<li class=\"%s\">%lld × ", state, (long long)cause->count);
		html_value(out, cause->text);
		buf_puts(out, "<small>since ");
		html_time_text(out, cause->since);
		buf_puts(out, "</small></li>\n");
	}
	if (causes->others)
		buf_printf(out, "<li class=\"%s\">%lld for other causes</li>\n", state,
			(long long)causes->others);
	buf_puts(out, "</ul>\n");
}

/* An administrator fixes causes, not each event that has failed from one. */
static void put_all_causes(const struct status_data *status)
{
	static const char *const states[] = {"failed", "pending"};
	struct unfinished_causes causes;
	struct error e;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (unfinished_causes_gather(status->store, states[i], &causes, &e))
			status_data_missing(status, &e);
		else if (causes.count)
			put_causes(status, states[i], &causes);
	}
}

static enum err count_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	(void)columns;
	(void)count;
	(void)e;
	++*(int64_t *)ctx;
	return ERR_OK;
}

/* Uploads whose event is not listed already; counts up to the filter's limit. */
static int64_t count_alone(const struct status_data *status, const struct store_filter *filter)
{
	int64_t count = 0;
	struct error e;

	if (store_list(status->store, STORE_UPLOADS, filter, count_row, &count, &e))
		status_data_missing(status, &e);
	return count;
}

/* total: how many there are in that state, by the store's counts. A long table is folded. */
static void put_table(const struct status_data *status, enum store_table table, const char *state,
	const char *caption, int64_t total)
{
	bool events = table == STORE_EVENTS;
	const struct store_filter filter = {
		.state = state, .enrolled = true, .alone = !events, .limit = COUNTED_MAX};
	struct status_rows rows = {
		.status = status,
		.table = {.caption = caption,
			.columns = events ? event_columns : upload_columns,
			.count = ARRAY_LEN(event_columns)},
		.max = SHOWN_MAX,
		.put = events ? put_event : put_upload,
	};

	_Static_assert(ARRAY_LEN(event_columns) == ARRAY_LEN(upload_columns), "as many");
	if (total && !events)
		total = count_alone(status, &filter);
	if (!total)
		return;
	buf_printf(status->out, "<details%s><summary>%s: %lld</summary>\n",
		total > FOLDED_OVER ? "" : " open", caption, (long long)total);
	status_rows_put(&rows, table, &filter);
	if (rows.count > rows.max && total > rows.max)
		buf_printf(status->out,
			"<p class=\"more\">%lld more: <code>certprov list %s --state "
			"%s</code></p>\n",
			(long long)(total - rows.max), events ? "events" : "uploads", state);
	buf_puts(status->out, "</details>\n");
}

void status_unfinished_put(const struct status_data *status)
{
	const struct store_counts *c = &status->counts;
	struct buf *out = status->out;

	buf_puts(out,
		"<section aria-labelledby=\"unfinished\"><h2 id=\"unfinished\">Unfinished</h2>\n");
	if (!status->store_answers) {
		buf_puts(out, "<p class=\"none\">The store does not answer.</p></section>\n");
		return;
	}
	put_all_causes(status);
	put_table(status, STORE_EVENTS, "failed", "Failed events", c->events[EVENT_STATE_FAILED]);
	put_table(status, STORE_UPLOADS, "failed", "Failed uploads", c->uploads[UPLOAD_FAILED]);
	put_table(status, STORE_EVENTS, "pending", "Pending events, which are retried",
		c->events[EVENT_STATE_PENDING]);
	put_table(status, STORE_UPLOADS, "pending", "Pending uploads, which are retried",
		c->uploads[UPLOAD_PENDING]);
	if (!c->events[EVENT_STATE_FAILED] && !c->events[EVENT_STATE_PENDING] &&
		!c->uploads[UPLOAD_FAILED] && !c->uploads[UPLOAD_PENDING])
		buf_puts(out, "<p class=\"none\">Nothing is pending, nothing has failed.</p>\n");
	buf_puts(out, "</section>\n");
}
