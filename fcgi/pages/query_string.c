/* Reads a field of a form's query string. */
#include "fcgi/pages/query_string.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#define QUERY_MAX 8192

/* Decodes "%41", "+" or any other byte. */
static bool decode_one(const char **at, const char *end, struct buf *out)
{
	char digits[3] = "";
	unsigned char byte = (unsigned char)**at;

	if (byte != '%') {
		buf_putc(out, byte == '+' ? ' ' : (char)byte);
		++*at;
		return true;
	}
	if (end - *at < 3)
		return false;
	memcpy(digits, *at + 1, 2);
	if (!text_unhex(digits, &byte, 1))
		return false;
	buf_putc(out, (char)byte);
	*at += 3;
	return true;
}

static enum err decode(const char *at, const char *end, struct buf *out, struct error *e)
{
	struct error internal;

	while (at < end)
		if (!decode_one(&at, end, out))
			return error_set(e, ERR_MALFORMED, "The query is not encoded as forms do.");
	if (buf_check(out, &internal) == ERR_TOO_LARGE)
		return error_set(e, ERR_MALFORMED, "The query is too long.");
	if (out->failed)
		return error_memory(e);
	if (!utf8_is_valid(out->len ? out->data : "", out->len))
		return error_set(e, ERR_MALFORMED, "The query is not UTF-8.");
	return ERR_OK;
}

enum err query_string_find(const char *query, const char *name, struct buf *out, struct error *e)
{
	size_t len = strlen(name);
	bool found = false;
	enum err err = ERR_OK;

	if (strlen(query) > QUERY_MAX)
		return error_set(e, ERR_MALFORMED, "The query is too long.");
	while (!err && *query) {
		const char *end = query + strcspn(query, "&");

		if (strncmp(query, name, len) == 0 && query[len] == '=') {
			err = found ? error_set(e, ERR_MALFORMED, "The query has a field twice.")
				    : decode(query + len + 1, end, out, e);
			found = true;
		}
		query = *end ? end + 1 : end;
	}
	return err;
}
