#include "base/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

#define KEYS_MAX 256 /* of an object */
#define JSON_SPACE " \t\r\n"

static enum err malformed(struct error *e, const char *why)
{
	return error_set(e, ERR_MALFORMED, "%s", why);
}

/*
 * cJSON lets control characters pass, and cuts a string at \u0000, so that a
 * value or a key would not be what was sent. json ends at its only NUL.
 */
static enum err check_characters(const char *json, struct error *e)
{
	bool in_string = false;

	for (const char *p = json; *p; p++) {
		if ((unsigned char)*p < 0x20 && (in_string || !strchr(JSON_SPACE, *p)))
			return malformed(e, "it has a control character");
		if (*p == '"')
			in_string = !in_string;
		if (!in_string || *p != '\\')
			continue;
		if (strncmp(p, "\\u0000", 6) == 0)
			return malformed(e, "a string has a NUL character");
		if (p[1])
			p++;
	}
	return ERR_OK;
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

/* cJSON goes no deeper than CJSON_NESTING_LIMIT. */
static enum err check_keys(const cJSON *value, struct error *e)
{
	enum err err = cJSON_IsObject(value) ? check_object(value, e) : ERR_OK;

	for (const cJSON *item = value->child; item && !err; item = item->next)
		err = check_keys(item, e);
	return err;
}

/* The text is not trusted to have a NUL behind it; cJSON, up to 1.7.17, reads one byte on. */
enum err json_object(const void *text, size_t len, cJSON **out, struct error *e)
{
	struct blob copy = {NULL, 0};
	const char *json;
	cJSON *object = NULL;
	enum err err;

	if (!utf8_is_valid(text, len))
		return malformed(e, "it is not UTF-8");
	err = blob_copy(text, len, &copy, e);
	if (err)
		return err;
	json = (const char *)copy.data;
	err = check_characters(json, e);
	if (!err)
		object = cJSON_ParseWithLengthOpts(json, len + 1, NULL, true);
	if (!err && !object)
		err = malformed(e, "it is cut, or has a fault in its syntax");
	if (!err && !cJSON_IsObject(object))
		err = malformed(e, "it must be one object");
	if (!err)
		err = check_keys(object, e);
	if (err)
		cJSON_Delete(object);
	else
		*out = object;
	blob_free(&copy);
	return err;
}

const char *json_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}
