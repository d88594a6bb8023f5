/* How a line of the log is written, so that nothing from outside can forge one. */
#include "base/log_form.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

#define JSON_MESSAGE_MAX 1800 /* leaves room for the fields */
#define FIELD_MAX 400
#define NAME_MAX_BYTES 64
#define REPLACEMENT 0xfffd /* the character for what is not UTF-8 */
#define PIECE_SIZE 32	   /* one character, escaped */

/* A line being built. A text that does not fit is left out. */
struct line {
	char *text;
	size_t size, len;
};

static bool put(struct line *line, const char *text, size_t len)
{
	if (len >= line->size - line->len)
		return false;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
	return true;
}

static bool puts_in(struct line *line, const char *text)
{
	return put(line, text, strlen(text));
}

/*
 * Escapes one character of len bytes, or one byte that is not UTF-8 (good is false). Returns the
 * length of out.
 */
typedef size_t piece_writer(
	const char *bytes, size_t len, bool good, uint32_t c, char out[PIECE_SIZE]);

static size_t text_piece(const char *bytes, size_t len, bool good, uint32_t c, char out[PIECE_SIZE])
{
	if (good && !utf8_is_control(c)) {
		memcpy(out, bytes, len);
		return len;
	}
	for (size_t i = 0; i < len; i++)
		snprintf(out + 4 * i, 5, "\\x%02x", (unsigned char)bytes[i]);
	return 4 * len;
}

/* Escapes invisible characters too, so that a terminal shows them. */
static size_t json_piece(const char *bytes, size_t len, bool good, uint32_t c, char out[PIECE_SIZE])
{
	if (good && !utf8_is_control(c) && c != '"' && c != '\\')
		return text_piece(bytes, len, good, c, out);
	if (good && !utf8_is_control(c))
		snprintf(out, PIECE_SIZE, "\\%c", (char)c);
	else
		text_json_escape(good ? c : REPLACEMENT, out);
	return strlen(out);
}

/* Appends as much of the text as fits into max bytes. */
static void put_pieces(struct line *line, const char *text, size_t max, piece_writer *write)
{
	char piece[PIECE_SIZE];
	size_t left = strlen(text), taken = 0, n;

	for (; left > 0; text += taken, left -= taken, max -= n) {
		uint32_t c = 0;
		size_t good = utf8_next(text, left, &c);

		taken = good ? good : 1;
		n = write(text, taken, good, c, piece);
		if (n > max || !put(line, piece, n))
			return;
	}
}

size_t log_form_message(const char *message, char *out, size_t size)
{
	struct line line = {out, size, 0};

	*out = '\0';
	put_pieces(&line, message, size, text_piece);
	return line.len;
}

size_t log_form_text(const struct log_entry *entry, char *out, size_t size)
{
	char time[CLOCK_RFC3339_SIZE];
	struct line line = {out, size - 1, 0}; /* the line feed is sure to fit */
	int n;

	clock_rfc3339(entry->time, time);
	n = snprintf(out, size - 1, "%s %s %.32s[%ld]%s%s ", time, log_level_names[entry->level],
		entry->program, (long)entry->pid, *entry->request ? " request=" : "",
		entry->request);
	line.len = (size_t)n;
	put_pieces(&line, entry->message, LOG_MESSAGE_SIZE - 1, text_piece);
	line.size = size;
	(void)puts_in(&line, "\n");
	return line.len;
}

/* --- JSON */

static bool put_json_string(struct line *line, const char *text, size_t max)
{
	if (!puts_in(line, "\""))
		return false;
	put_pieces(line, text, max, json_piece);
	return puts_in(line, "\"");
}

/* All of the member, or nothing. */
static void put_member(struct line *line, const struct log_field *field, size_t max)
{
	size_t before = line->len;
	bool fits = puts_in(line, before > 1 ? ",\"" : "\"") && puts_in(line, field->name) &&
		    puts_in(line, "\":") &&
		    (field->json ? puts_in(line, field->json)
				 : put_json_string(line, field->value, max));

	if (!fits)
		line->len = before;
	line->text[line->len] = '\0';
}

size_t log_form_json(const struct log_entry *entry, char *out, size_t size)
{
	static const char end[] = "}\n";
	struct line line = {out, size - strlen(end), 0};
	char time[CLOCK_RFC3339_SIZE], pid[24];
	const struct log_field head[] = {
		{"time", time, NULL},
		{"level", log_level_names[entry->level], NULL},
		{"program", entry->program, NULL},
		{"pid", pid, pid},
		{"request", entry->request, NULL},
	};
	const struct log_field message = {"message", entry->message, NULL};

	clock_rfc3339(entry->time, time);
	snprintf(pid, sizeof(pid), "%ld", (long)entry->pid);
	(void)puts_in(&line, "{");
	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		if (*head[i].value)
			put_member(&line, &head[i], FIELD_MAX);
	put_member(&line, &message, JSON_MESSAGE_MAX);
	for (size_t i = 0; i < entry->field_count; i++)
		put_member(&line, &entry->fields[i], FIELD_MAX);
	line.size = size;
	(void)puts_in(&line, end);
	return line.len;
}

/* --- the journal */

static void put_journal_field(struct line *line, const struct log_field *field)
{
	char name[NAME_MAX_BYTES], value[LOG_MESSAGE_SIZE];
	size_t before = line->len;
	int n = snprintf(name, sizeof(name), "CERTPROV_%s=", field->name);

	for (int i = 0; i < n && i < NAME_MAX_BYTES; i++)
		if (name[i] >= 'a' && name[i] <= 'z')
			name[i] = (char)(name[i] - ('a' - 'A'));
	(void)log_form_message(field->value, value, sizeof(value));
	if (!puts_in(line, name) || !puts_in(line, value) || !puts_in(line, "\n"))
		line->len = before;
}

size_t log_form_journal(const struct log_entry *entry, int priority, char *out, size_t size)
{
	char message[LOG_MESSAGE_SIZE];
	struct line line = {out, size, 0};

	(void)log_form_message(entry->message, message, sizeof(message));
	line.len = (size_t)snprintf(out, size,
		"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%.32s\nCERTPROV_REQUEST=%s\n", message,
		priority, entry->program, entry->request);
	for (size_t i = 0; i < entry->field_count; i++)
		put_journal_field(&line, &entry->fields[i]);
	return line.len;
}
