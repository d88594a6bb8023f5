/*
 * Writes the text format of Prometheus. It is 60 lines; a library would also keep the counters,
 * which here must be in memory that processes share.
 */
#include "fcgi/pages/prometheus_text.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void prometheus_text_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_value(struct buf *out, const char *value)
{
	bool valid = utf8_is_valid(value, strlen(value));

	for (; *value; value++) {
		if (*value == '\n')
			buf_puts(out, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(out, "\\%c", *value);
		else
			buf_putc(out, !valid && (*value & 0x80) ? '?' : *value);
	}
}

static void put_name(struct buf *out, const char *name, const struct label *labels)
{
	const char *before = "{";

	buf_puts(out, name);
	for (; labels->name; labels++) {
		buf_printf(out, "%s%s=\"", before, labels->name);
		put_value(out, labels->value);
		buf_putc(out, '"');
		before = ",";
	}
	buf_puts(out, *before == ',' ? "} " : " ");
}

void prometheus_text_number(
	struct buf *out, const char *name, const struct label *labels, unsigned long long value)
{
	put_name(out, name, labels);
	buf_printf(out, "%llu\n", value);
}

void prometheus_text_format_seconds(
	unsigned long long microseconds, char out[PROMETHEUS_TEXT_SECONDS_SIZE])
{
	size_t len;

	snprintf(out, PROMETHEUS_TEXT_SECONDS_SIZE, "%llu.%06llu", microseconds / 1000000,
		microseconds % 1000000);
	len = strlen(out);
	while (out[len - 1] == '0')
		len--;
	len -= out[len - 1] == '.';
	out[len] = '\0';
}

void prometheus_text_seconds(struct buf *out, const char *name, const struct label *labels,
	unsigned long long microseconds)
{
	char text[PROMETHEUS_TEXT_SECONDS_SIZE];

	prometheus_text_format_seconds(microseconds, text);
	put_name(out, name, labels);
	buf_printf(out, "%s\n", text);
}
