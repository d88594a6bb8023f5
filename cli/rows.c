/* Rows on standard output: as JSON, as lines with tabs, or in columns (table.c). */

#include "cli/rows.h"

#include <stdio.h>

#include "base/buf.h"
#include "cli/table.h"
#include "cli/terminal.h"

#define ROW_MAX (1024 * 1024)

static enum err print(struct buf *row, struct error *e)
{
	enum err err = buf_check(row, e);

	if (!err)
		fputs(row->data, stdout);
	buf_free(row);
	return err;
}

/* A line: the values, or their names, separated by tabs. */
static enum err print_line(
	const struct store_column *columns, size_t count, bool names, struct error *e)
{
	struct buf out = BUF_INIT(ROW_MAX);

	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_putc(&out, '\t');
		terminal_value(names ? columns[i].name : columns[i].value, &out);
	}
	buf_putc(&out, '\n');
	return print(&out, e);
}

static enum err print_object(const struct store_column *columns, size_t count, struct error *e)
{
	struct buf out = BUF_INIT(ROW_MAX);

	for (size_t i = 0; i < count; i++) {
		const char *value = columns[i].value;

		buf_putc(&out, i ? ',' : '{');
		buf_json_string(&out, columns[i].name);
		buf_putc(&out, ':');
		if (!value)
			buf_puts(&out, "null");
		else if (columns[i].number)
			buf_puts(&out, value);
		else
			buf_json_string(&out, value);
	}
	buf_putc(&out, '}');
	return print(&out, e);
}

enum err rows_add(void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct rows *rows = ctx;
	bool first = rows->count++ == 0;
	enum err err = ERR_OK;

	if (rows->json) {
		fputs(first ? "[" : ",\n", stdout);
		return print_object(columns, count, e);
	}
	if (first && terminal_output()) {
		rows->table = table_new();
		if (!rows->table)
			return error_memory(e);
	}
	if (rows->table)
		return table_row(rows->table, columns, count, e);
	if (first)
		err = print_line(columns, count, true, e);
	return err ? err : print_line(columns, count, false, e);
}

void rows_end(struct rows *rows, bool whole)
{
	if (rows->json && whole)
		puts(rows->count ? "]" : "[]");
	if (rows->table)
		table_flush(rows->table);
	table_free(rows->table);
	rows->table = NULL;
}
