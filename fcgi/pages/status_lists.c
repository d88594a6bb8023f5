#include <string.h>

#include "base/text.h"
#include "fcgi/pages/html.h"
#include "fcgi/pages/status.h"
#include "provider/causes.h"
#include "provider/counters.h"

#define UNDONE_MAX 20
#define FOLDED_OVER 5
#define COUNTED_MAX 1000
#define RECENT_MAX 20
#define RECENT_OPEN 5
#define FOUND_MAX 100

/* --- rows of the store as rows of a table, which begins with the first of them */

struct rows {
	struct status *status;
	struct html_table table;
	int64_t count, max;
	int64_t open; /* so many are seen at once, the others are folded; 0: all are */
	void (*put)(struct rows *rows, const struct store_column *columns, size_t count);
};

static void fold(struct rows *rows)
{
	struct buf *out = rows->status->out;

	html_table_end(out);
	buf_puts(out, "<details><summary>Earlier ones</summary>\n");
	html_table_begin(out, &rows->table);
}

static enum err put_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct rows *rows = ctx;

	(void)e;
	if (rows->count++ == 0)
		html_table_begin(rows->status->out, &rows->table);
	if (rows->open && rows->count == rows->open + 1)
		fold(rows);
	if (rows->count <= rows->max)
		rows->put(rows, columns, count);
	return ERR_OK;
}

/* At most rows->max of them are shown; one more is asked for to know whether that is all. */
static void put_list(struct rows *rows, enum store_table table, const struct store_filter *filter)
{
	struct status *status = rows->status;
	struct store_filter limited = *filter;
	struct error e;
	enum err err;

	limited.limit = rows->max + 1;
	err = store_list(status->store, table, &limited, put_row, rows, &e);
	if (rows->count)
		html_table_end(status->out);
	if (rows->open && rows->count > rows->open)
		buf_puts(status->out, "</details>\n");
	if (err)
		status_unknown(status, &e);
}

static const char *value_of(const struct store_column *columns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return columns[i].value ? columns[i].value : "";
	return "";
}

#define VALUE(name) value_of(columns, count, name)

/* The name, and below it the UUID. */
static void put_named(struct rows *rows, const char *name, const char *uuid)
{
	struct buf *out = rows->status->out;

	html_cell_begin(out, &rows->table);
	html_value(out, *name ? name : "–");
	if (*uuid) {
		buf_puts(out, "<small>");
		html_value(out, uuid);
		buf_puts(out, "</small>");
	}
	html_cell_end(out, &rows->table);
}

static void put_state(struct rows *rows, const char *state)
{
	struct buf *out = rows->status->out;

	html_cell_begin(out, &rows->table);
	buf_puts(out, "<span class=\"state ");
	html_escape(out, state);
	buf_puts(out, "\">");
	html_escape(out, state);
	buf_puts(out, "</span>");
	html_cell_end(out, &rows->table);
}

/* --- what is pending and failed */

static void put_tries(struct rows *rows, const char *tries, const char *next)
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

static void put_event(struct rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	put_named(rows, VALUE("device_name"), VALUE("device_uuid"));
	put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("event_type"));
	html_cell_time(out, &rows->table, VALUE("received_at"));
	put_tries(rows, VALUE("tries"), VALUE("next_at"));
	html_cell(out, &rows->table, VALUE("cause"));
}

static void put_upload(struct rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	html_cell(out, &rows->table, VALUE("device_uuid"));
	put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("gateway"));
	html_cell_time(out, &rows->table, VALUE("updated_at"));
	put_tries(rows, VALUE("tries"), VALUE("next_at"));
	html_cell(out, &rows->table, VALUE("cause"));
}

static const char *const event_columns[] = {"Device", "User", "Event", "Received", "Tries", "Why"};
static const char *const upload_columns[] = {
	"Device", "User", "Gateway", "Last tried", "Tries", "Why"};

static void put_causes(struct status *status, const char *state, const struct causes *causes)
{
	struct buf *out = status->out;

	buf_puts(out, "<ul class=\"causes\">\n");
	for (size_t i = 0; i < causes->count; i++) {
		const struct cause *cause = &causes->cause[i];

		buf_printf(out, "<li class=\"%s\">%lld × ", state, (long long)cause->count);
		html_value(out, cause->text);
		buf_puts(out, ", since ");
		html_time_text(out, cause->since);
		buf_puts(out, "</li>\n");
	}
	if (causes->others)
		buf_printf(out, "<li class=\"%s\">%lld for other causes</li>\n", state,
			(long long)causes->others);
	buf_puts(out, "</ul>\n");
}

/* A cause, not each event that it has stopped, is what a person fixes. */
static void put_all_causes(struct status *status)
{
	static const char *const states[] = {"failed", "pending"};
	struct causes causes;
	struct error e;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (causes_gather(status->store, states[i], &causes, &e))
			status_unknown(status, &e);
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

/* Uploads without an event that is listed with them, as far as they are shown and one more. */
static int64_t count_alone(struct status *status, const struct store_filter *filter)
{
	int64_t count = 0;
	struct error e;

	if (store_list(status->store, STORE_UPLOADS, filter, count_row, &count, &e))
		status_unknown(status, &e);
	return count;
}

/* total: how many there are in that state, from the store's counts. Many are folded. */
static void put_undone(struct status *status, enum store_table table, const char *state,
	const char *caption, int64_t total)
{
	bool events = table == STORE_EVENTS;
	const struct store_filter filter = {
		.state = state, .enrolled = true, .alone = !events, .limit = COUNTED_MAX};
	struct rows rows = {
		.status = status,
		.table = {.caption = caption,
			.columns = events ? event_columns : upload_columns,
			.count = ARRAY_LEN(event_columns)},
		.max = UNDONE_MAX,
		.put = events ? put_event : put_upload,
	};

	_Static_assert(ARRAY_LEN(event_columns) == ARRAY_LEN(upload_columns), "as many");
	if (total && !events)
		total = count_alone(status, &filter);
	if (!total)
		return;
	buf_printf(status->out, "<details%s><summary>%s: %lld</summary>\n",
		total > FOLDED_OVER ? "" : " open", caption, (long long)total);
	put_list(&rows, table, &filter);
	if (rows.count > rows.max && total > rows.max)
		buf_printf(status->out,
			"<p class=\"more\">%lld more: <code>certprov list %s --state "
			"%s</code></p>\n",
			(long long)(total - rows.max), events ? "events" : "uploads", state);
	buf_puts(status->out, "</details>\n");
}

void status_undone(struct status *status)
{
	const struct store_counts *c = status->counts;
	struct buf *out = status->out;

	buf_puts(out, "<section aria-labelledby=\"undone\"><h2 id=\"undone\">Unfinished</h2>\n");
	if (!c) {
		buf_puts(out, "<p class=\"none\">The store does not tell.</p></section>\n");
		return;
	}
	put_all_causes(status);
	put_undone(status, STORE_EVENTS, "failed", "Failed events: they need attention",
		c->events[EVENT_STATE_FAILED]);
	put_undone(status, STORE_UPLOADS, "failed", "Failed uploads: they need attention",
		c->uploads[UPLOAD_FAILED]);
	put_undone(status, STORE_EVENTS, "pending", "Events that are tried again",
		c->events[EVENT_STATE_PENDING]);
	put_undone(status, STORE_UPLOADS, "pending", "Uploads that are tried again",
		c->uploads[UPLOAD_PENDING]);
	if (!c->events[EVENT_STATE_FAILED] && !c->events[EVENT_STATE_PENDING] &&
		!c->uploads[UPLOAD_FAILED] && !c->uploads[UPLOAD_PENDING])
		buf_puts(out, "<p class=\"none\">Nothing is pending, nothing has failed.</p>\n");
	buf_puts(out, "</section>\n");
}

/* --- what came in lately */

static void put_ms(struct buf *out, int64_t us)
{
	buf_printf(out, "%lld.%lld", (long long)(us / 1000), (long long)(us % 1000 / 100));
}

static void put_steps(struct rows *rows, const char *event_id)
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

static void put_recent(struct rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	put_named(rows, VALUE("device_name"), VALUE("device_uuid"));
	put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("event_type"));
	html_cell_time(out, &rows->table, VALUE("received_at"));
	put_state(rows, VALUE("state"));
	put_steps(rows, VALUE("id"));
}

void status_recent(struct status *status)
{
	static const char *const columns[] = {
		"Device", "User", "Event", "Received", "Result", "Time it took"};
	struct rows rows = {
		.status = status,
		.table = {.caption = "The latest events, and how many milliseconds each step took",
			.columns = columns,
			.count = ARRAY_LEN(columns)},
		.max = RECENT_MAX,
		.open = RECENT_OPEN,
		.put = put_recent,
	};

	buf_puts(status->out, "<section aria-labelledby=\"recent\"><h2 id=\"recent\">Recent events"
			      "</h2>\n");
	put_list(&rows, STORE_EVENTS, &(struct store_filter){.limit = 0});
	if (!rows.count)
		buf_puts(status->out, "<p class=\"none\">None.</p>\n");
	buf_puts(status->out, "</section>\n");
}

/* --- certificates of somebody */

static void put_certificate(struct rows *rows, const struct store_column *columns, size_t count)
{
	struct buf *out = rows->status->out;

	put_named(rows, VALUE("mail"), VALUE("subject"));
	html_cell(out, &rows->table, VALUE("usage"));
	put_state(rows, *VALUE("revoked_at") ? "revoked" : VALUE("state"));
	put_named(rows, VALUE("user_name"), VALUE("user_uuid"));
	html_cell(out, &rows->table, VALUE("device_uuid"));
	html_cell(out, &rows->table, VALUE("serial"));
	html_cell_time(out, &rows->table, VALUE("not_before"));
	html_cell_time(out, &rows->table, VALUE("not_after"));
}

static void put_form(struct status *status)
{
	buf_puts(status->out,
		"<form role=\"search\" method=\"get\" action=\"#certificates\">\n"
		"<label for=\"q\">Find by user, device, mail address or serial number</label>\n"
		"<div><input id=\"q\" name=\"q\" type=\"search\" maxlength=\"256\" "
		"autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" "
		"aria-describedby=\"how\" value=\"");
	html_escape(status->out, status->query);
	buf_puts(status->out,
		"\"><button>Find</button></div>\n<p id=\"how\">All of the name, UUID, address or "
		"number; upper and lower case are the same.</p></form>\n");
}

static void put_found(struct status *status)
{
	static const char *const columns[] = {
		"Address", "Usage", "State", "User", "Device", "Serial number", "From", "Until"};
	struct rows rows = {
		.status = status,
		.table = {.caption = "Certificates that were found, newest first",
			.columns = columns,
			.count = ARRAY_LEN(columns)},
		.max = FOUND_MAX,
		.put = put_certificate,
	};

	put_list(&rows, STORE_CERTIFICATES, &(struct store_filter){.any = status->query});
	if (!rows.count)
		buf_puts(status->out, "<p class=\"none\" role=\"status\">No certificate is of "
				      "that user, device, address or number.</p>\n");
	if (rows.count > rows.max)
		buf_puts(status->out, "<p class=\"more\">There are more: <code>certprov list "
				      "certificates</code></p>\n");
}

void status_certificates(struct status *status)
{
	buf_puts(status->out, "<section aria-labelledby=\"certificates\">"
			      "<h2 id=\"certificates\">Certificates</h2>\n");
	put_form(status);
	if (*status->query)
		put_found(status);
	buf_puts(status->out, "</section>\n");
}
