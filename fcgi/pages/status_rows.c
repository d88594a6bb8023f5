/* Tables of the status page that are lists of the store: what all of them have in common. */
#include "fcgi/pages/status_rows.h"

#include <string.h>

static enum err put_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct status_rows *rows = ctx;
	struct buf *out = rows->status->out;

	(void)e;
	if (rows->count++ == 0)
		html_table_begin(out, &rows->table);
	if (rows->open && rows->count == rows->open + 1) {
		html_table_end(out);
		buf_puts(out, "<details><summary>Earlier events</summary>\n");
		html_table_begin(out, &rows->table);
	}
	if (rows->count <= rows->max)
		rows->put(rows, columns, count);
	return ERR_OK;
}

/* One more than is shown is asked for, to know whether that is all. */
void status_rows_put(
	struct status_rows *rows, enum store_table table, const struct store_filter *filter)
{
	const struct status_data *status = rows->status;
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
		status_data_missing(status, &e);
}

const char *status_rows_value(const struct store_column *columns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return columns[i].value ? columns[i].value : "";
	return "";
}

void status_rows_put_named(struct status_rows *rows, const char *name, const char *detail)
{
	struct buf *out = rows->status->out;

	html_cell_begin(out, &rows->table);
	html_value(out, *name ? name : "–");
	if (*detail) {
		buf_puts(out, "<small>");
		html_value(out, detail);
		buf_puts(out, "</small>");
	}
	html_cell_end(out, &rows->table);
}

void status_rows_put_state(struct status_rows *rows, const char *state)
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
