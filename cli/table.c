/* Rows in columns, for a terminal. Other forms of output are in rows.c. */

#include "cli/table.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "cli/terminal.h"

#define COLUMNS_MAX 32
#define WAITING_ROWS 200
#define WAITING_BYTES (1024 * 1024)
#define CELLS_MAX (16 * 1024 * 1024) /* the rows that wait, and one more */
#define GAP 2

struct table {
	struct buf cells; /* of the rows that wait, names first; each ends with a NUL */
	size_t rows;	  /* that wait */
	size_t columns;
	size_t width[COLUMNS_MAX];
	size_t state; /* the column with states; COLUMNS_MAX: none */
	bool flows;   /* the widths are fixed, and rows go out at once */
};

struct table *table_new(void)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table)
		buf_init(&table->cells, CELLS_MAX);
	setlocale(LC_CTYPE, ""); /* for wcwidth() */
	return table;
}

void table_free(struct table *table)
{
	if (table)
		buf_free(&table->cells);
	free(table);
}

/* Returns the terminal columns that the text takes. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	uint32_t c = 0;

	for (size_t left = strlen(text), taken; left > 0; text += taken, left -= taken) {
		int places;

		taken = utf8_next(text, left, &c);
		if (!taken)
			return width + left;
		places = wcwidth((wchar_t)c);
		width += places < 0 ? 1 : (size_t)places;
	}
	return width;
}

/* --- output */

static enum terminal_style style_of(const char *state)
{
	static const struct {
		const char *state;
		enum terminal_style style;
	} styles[] = {
		{"active", TERMINAL_GREEN},
		{"delivered", TERMINAL_GREEN},
		{"enrolled", TERMINAL_GREEN},
		{"failed", TERMINAL_RED},
		{"pending", TERMINAL_YELLOW},
		{"revoked", TERMINAL_RED},
	};

	for (size_t i = 0; i < ARRAY_LEN(styles); i++)
		if (strcmp(state, styles[i].state) == 0)
			return styles[i].style;
	return TERMINAL_PLAIN;
}

static void print_cell(
	const struct table *table, size_t column, const char *text, enum terminal_style style)
{
	size_t width = width_of(text), wide = table->width[column];

	if (style == TERMINAL_PLAIN)
		fputs(text, stdout);
	else
		printf("%s%s%s", terminal_style(style), text, terminal_style(TERMINAL_PLAIN));
	if (column + 1 < table->columns)
		printf("%*s", (int)(wide > width ? wide - width + GAP : GAP), "");
}

/* Returns the start of the next row's cells. */
static const char *print_row(const struct table *table, const char *cells, bool names)
{
	for (size_t i = 0; i < table->columns; i++) {
		enum terminal_style style = names		? TERMINAL_BOLD
					    : i == table->state ? style_of(cells)
								: TERMINAL_PLAIN;

		print_cell(table, i, cells, style);
		cells += strlen(cells) + 1;
	}
	putchar('\n');
	return cells;
}

void table_flush(struct table *table)
{
	const char *cells = table->cells.data;

	for (size_t i = 0; i < table->rows; i++)
		cells = print_row(table, cells, i == 0 && !table->flows);
	table->flows = true;
	table->rows = 0;
	buf_reset(&table->cells);
}

/* --- input */

static enum err add_row(
	struct table *table, const struct store_column *columns, bool names, struct error *e)
{
	for (size_t i = 0; i < table->columns; i++) {
		size_t before = table->cells.len, width;

		terminal_value(names ? columns[i].name : columns[i].value, &table->cells);
		buf_putc(&table->cells, '\0');
		if (table->cells.failed)
			return buf_check(&table->cells, e);
		width = width_of(table->cells.data + before);
		if (!table->flows && width > table->width[i])
			table->width[i] = width;
	}
	table->rows++;
	return ERR_OK;
}

static enum err begin(
	struct table *table, const struct store_column *columns, size_t count, struct error *e)
{
	if (count > COLUMNS_MAX)
		return error_set(e, ERR_INTERNAL, "a table of more than %d columns", COLUMNS_MAX);
	table->columns = count;
	table->state = COLUMNS_MAX;
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, "state") == 0)
			table->state = i;
	return add_row(table, columns, true, e);
}

enum err table_row(
	struct table *table, const struct store_column *columns, size_t count, struct error *e)
{
	enum err err = ERR_OK;

	if (table->columns == 0)
		err = begin(table, columns, count, e);
	if (!err)
		err = add_row(table, columns, false, e);
	if (!err &&
		(table->flows || table->rows > WAITING_ROWS || table->cells.len > WAITING_BYTES))
		table_flush(table);
	return err;
}
