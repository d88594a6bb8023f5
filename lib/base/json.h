#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_grammar.h"

/*
 * Reads a text that is one JSON object (RFC 8259), in UTF-8, more strictly than cJSON: the whole
 * grammar is checked; there may be no NUL inside a string, no key twice in an object at any depth
 * (RFC 7493, 2.3), and nothing after the object. The caller must use cJSON_Delete().
 *
 * ERR_MALFORMED with a text of the form "it is cut"; e->field is the key that occurs twice.
 */
enum err json_object(const void *text, size_t len, cJSON **out, struct error *e) must_check;

/*
 * The same, but tolerates damage inside strings: *damage tells its kinds (JSON_DAMAGE_…), and
 * base/json_grammar.h how each is repaired. A string that has lost characters has U+FFFD in it.
 */
enum err json_object_repaired(
	const void *text, size_t len, cJSON **out, unsigned *damage, struct error *e) must_check;

/*
 * Appends the JSON text as one line that a terminal can show: without white space between tokens;
 * in strings, invisible characters become escapes, and bytes that are not UTF-8 become U+FFFD. Six
 * bytes for each byte of the text are always enough.
 */
void json_one_line(const char *text, size_t len, struct buf *out);

/* The string of that name, borrowed; NULL if there is none or it is not a string. */
const char *json_text(const cJSON *object, const char *name);

#endif
