#include "cli/rows.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/utf8.h"

/* Values may come from outside: nothing in them shall move a terminal's cursor or turn its text. */
static void print_value(const char *value)
{
	bool plain;

	if (!value || !*value)
		value = "-";
	plain = !utf8_has_control(value);
	for (; *value; value++)
		putchar(plain || (*value >= 0x20 && *value < 0x7f) ? *value : '?');
}

/* A line a row: values apart by tabs, their names as the first line. */
static void print_line(const struct store_column *columns, size_t count, bool names)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			putchar('\t');
		print_value(names ? columns[i].name : columns[i].value);
	}
	putchar('\n');
}

static enum err print_object(const struct store_column *columns, size_t count, struct error *e)
{
	struct buf out = BUF_INIT(1024 * 1024);
	enum err err;

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
	err = buf_check(&out, e);
	if (!err)
		fputs(out.data, stdout);
	buf_free(&out);
	return err;
}

enum err cli_row(void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct cli_rows *rows = ctx;

	if (rows->json) {
		fputs(rows->count++ ? ",\n" : "[", stdout);
		return print_object(columns, count, e);
	}
	if (rows->count++ == 0)
		print_line(columns, count, true);
	print_line(columns, count, false);
	return ERR_OK;
}

void cli_rows_end(const struct cli_rows *rows)
{
	if (rows->json)
		puts(rows->count ? "]" : "[]");
}
