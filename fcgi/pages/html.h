#ifndef FCGI_PAGES_HTML_H
#define FCGI_PAGES_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Pieces of HTML, appended to a buffer. All but our constants is written with html_escape(): text,
 * and values of attributes, which are always in double quotes.
 */

/*
 * Text that cannot become markup. Bytes that are not UTF-8 become U+FFFD; characters that are
 * invisible or change the display of others become "[U+202E]"; those that join emoji stay.
 */
void html_escape(struct buf *out, const char *text);

/* The same, isolated from the direction of the text around it. */
void html_value(struct buf *out, const char *value);

/* columns[0..count-1]; the first one names a row. On a narrow screen each row is a card. */
struct html_table {
	const char *caption;
	const char *const *columns;
	size_t count;
	size_t at; /* the column of the next cell */
};

void html_table_begin(struct buf *out, const struct html_table *table);
void html_table_end(struct buf *out);

/* A cell's content is written between the two; rows begin and end by themselves. */
void html_cell_begin(struct buf *out, struct html_table *table);
void html_cell_end(struct buf *out, struct html_table *table);

/* "" and NULL are shown as a dash. */
void html_cell(struct buf *out, struct html_table *table, const char *value);

/* RFC 3339 as in the store; shown to the minute, and whole in the attribute for machines. */
void html_time_text(struct buf *out, const char *time);
void html_cell_time(struct buf *out, struct html_table *table, const char *time);
void html_time(struct buf *out, int64_t time);

#endif
