/* Reads one JSON object into a cJSON tree that can be trusted. */
#include "base/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_grammar.h"
#include "base/text.h"
#include "base/utf8.h"

#define REPLACEMENT 0xfffd	      /* the character for what is not UTF-8 */
#define KEYS_MAX 256		      /* of an object */
#define REPAIRED_LEN(len) (6 * (len)) /* a byte becomes six: \u001f */

static enum err malformed(struct error *e, const char *why)
{
	return error_set(e, ERR_MALFORMED, "%s", why);
}

static enum err check_object(const cJSON *object, struct error *e)
{
	const char *seen[KEYS_MAX];
	size_t count = 0;

	for (const cJSON *item = object->child; item; item = item->next) {
		if (count == KEYS_MAX)
			return error_set(
				e, ERR_MALFORMED, "an object has more than %d fields", KEYS_MAX);
		for (size_t i = 0; i < count; i++)
			if (strcmp(seen[i], item->string) == 0)
				return error_field(e, ERR_MALFORMED, item->string,
					"%s occurs more than once", item->string);
		seen[count++] = item->string;
	}
	return ERR_OK;
}

/* The grammar goes no deeper than JSON_DEPTH_MAX. */
static enum err check_keys(const cJSON *value, struct error *e)
{
	enum err err = cJSON_IsObject(value) ? check_object(value, e) : ERR_OK;

	for (const cJSON *item = value->child; item && !err; item = item->next)
		err = check_keys(item, e);
	return err;
}

/* json ends with its only NUL: without one, cJSON up to 1.7.17 reads one byte too far. */
static enum err read_tree(const char *json, size_t len, cJSON **out, struct error *e)
{
	cJSON *object = cJSON_ParseWithLengthOpts(json, len + 1, NULL, true);
	enum err err = ERR_OK;

	if (!object)
		err = malformed(e, "it has a fault in its syntax");
	else if (!cJSON_IsObject(object))
		err = malformed(e, "it must be one object");
	if (!err)
		err = check_keys(object, e);
	if (err)
		cJSON_Delete(object);
	else
		*out = object;
	return err;
}

/* damage: NULL if none is tolerated. */
static enum err read_object(
	const void *text, size_t len, cJSON **out, unsigned *damage, struct error *e)
{
	struct buf copy = BUF_INIT(REPAIRED_LEN(len));
	unsigned found = 0;
	enum err err = json_grammar(text, len, &copy, damage ? &found : NULL, e);

	if (!err)
		err = read_tree(copy.data, copy.len, out, e);
	if (!err && damage)
		*damage = found;
	buf_free(&copy);
	return err;
}

enum err json_object(const void *text, size_t len, cJSON **out, struct error *e)
{
	return read_object(text, len, out, NULL, e);
}

enum err json_object_repaired(
	const void *text, size_t len, cJSON **out, unsigned *damage, struct error *e)
{
	return read_object(text, len, out, damage, e);
}

/* Appends one character: taken bytes of UTF-8, or one byte that is not UTF-8. */
static void put_shown(struct buf *out, const char *bytes, size_t taken, bool good, uint32_t c)
{
	char escape[TEXT_JSON_ESCAPE_SIZE];

	if (good && !utf8_is_control(c)) {
		buf_append(out, bytes, taken);
		return;
	}
	text_json_escape(good ? c : REPLACEMENT, escape);
	buf_puts(out, escape);
}

void json_one_line(const char *text, size_t len, struct buf *out)
{
	bool in_string = false, escaped = false;

	for (size_t at = 0, taken; at < len; at += taken) {
		uint32_t c = 0;
		size_t good = utf8_next(text + at, len - at, &c);

		taken = good ? good : 1;
		if (!in_string && text[at] && strchr(" \t\r\n", text[at]))
			continue;
		put_shown(out, text + at, taken, good, c);
		if (text[at] == '"' && !escaped)
			in_string = !in_string;
		escaped = in_string && text[at] == '\\' && !escaped;
	}
}

const char *json_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}
