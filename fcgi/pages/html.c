/* Writes HTML: text, values, tables and times. No name or value can become markup. */
#include "fcgi/pages/html.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

#define ZERO_WIDTH_JOINER 0x200d
#define EMOJI_SELECTOR 0xfe0f

static const char *reference(uint32_t cp)
{
	switch (cp) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_escape(struct buf *out, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t cp = 0;
		size_t size = utf8_next(text, left, &cp);

		if (size == 0) {
			buf_puts(out, "\xef\xbf\xbd");
			size = 1;
		} else if (reference(cp)) {
			buf_puts(out, reference(cp));
		} else if (utf8_is_control(cp) && cp != ZERO_WIDTH_JOINER && cp != EMOJI_SELECTOR) {
			buf_printf(out, "[U+%04X]", (unsigned)cp);
		} else {
			buf_append(out, text, size);
		}
		text += size;
		left -= size;
	}
}

/* Long URLs may be broken between their words. */
static void put_broken(struct buf *out, const char *text)
{
	char word[256];

	while (*text) {
		size_t len = strcspn(text, "/.:");

		len += strspn(text + len, "/.:");
		for (; len >= sizeof(word) || (text[len] & 0xc0) == 0x80; len--)
			;
		memcpy(word, text, len);
		word[len] = '\0';
		html_escape(out, word);
		text += len;
		if (*text)
			buf_puts(out, "<wbr>");
	}
}

void html_value(struct buf *out, const char *value)
{
	buf_puts(out, "<bdi>");
	if (strstr(value, "://"))
		put_broken(out, value);
	else
		html_escape(out, value);
	buf_puts(out, "</bdi>");
}

/* --- tables; with roles, as the narrow layout (display: block) would take them away */

void html_table_begin(struct buf *out, const struct html_table *table)
{
	buf_puts(out, "<table role=\"table\"><caption>");
	html_escape(out, table->caption);
	buf_puts(out, "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">");
	for (size_t i = 0; i < table->count; i++) {
		buf_puts(out, "<th role=\"columnheader\" scope=\"col\">");
		html_escape(out, table->columns[i]);
		buf_puts(out, "</th>");
	}
	buf_puts(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

void html_table_end(struct buf *out)
{
	buf_puts(out, "</tbody></table>\n");
}

void html_cell_begin(struct buf *out, struct html_table *table)
{
	if (table->at == 0)
		buf_puts(
			out, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\" data-label=\"");
	else
		buf_puts(out, "<td role=\"cell\" data-label=\"");
	html_escape(out, table->columns[table->at]);
	buf_puts(out, "\"><div>");
}

void html_cell_end(struct buf *out, struct html_table *table)
{
	buf_puts(out, table->at == 0 ? "</div></th>" : "</div></td>");
	table->at++;
	if (table->at < table->count)
		return;
	table->at = 0;
	buf_puts(out, "</tr>\n");
}

void html_cell(struct buf *out, struct html_table *table, const char *value)
{
	html_cell_begin(out, table);
	if (value && *value)
		html_value(out, value);
	else
		buf_puts(out, "–");
	html_cell_end(out, table);
}

/* --- times */

#define DATE_LEN 10
#define MINUTE_AT 11
#define MINUTE_LEN 5

void html_time_text(struct buf *out, const char *time)
{
	if (strspn(time, "0123456789-:TZ") != CLOCK_RFC3339_SIZE - 1 ||
		strlen(time) >= CLOCK_RFC3339_SIZE) {
		html_escape(out, time);
		return;
	}
	buf_printf(out, "<time datetime=\"%s\">%.*s <span>%.*s</span></time>", time, DATE_LEN, time,
		MINUTE_LEN, time + MINUTE_AT);
}

void html_cell_time(struct buf *out, struct html_table *table, const char *time)
{
	html_cell_begin(out, table);
	html_time_text(out, time && *time ? time : "–");
	html_cell_end(out, table);
}

void html_time(struct buf *out, int64_t time)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(time, text);
	html_time_text(out, text);
}
