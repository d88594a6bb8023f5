/*
 * Any text as a distinguished name of the configuration, and any text put into one as the name
 * of a user: the latter must never change the name's structure.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "pki/name.h"

static enum err put_in(void *ctx, const char *value, struct buf *out, struct error *e)
{
	buf_puts(out, strcmp(value, "{name}") == 0 ? ctx : value);
	return buf_check(out, e);
}

static void check_values(const struct name *name)
{
	assert(name->count <= NAME_ATTRIBUTES_MAX);
	for (size_t i = 0; i < name->count; i++)
		assert(*name->attribute[i].value &&
			!utf8_has_stray_control(name->attribute[i].value));
}

/* A name that is too long is cut, and never becomes another. */
static bool is_start(const char *text, const char *value)
{
	return strncmp(text, value, strlen(value)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct error e = {.code = ERR_OK};
	struct name name;
	enum err err;

	if (!text)
		return 0;
	if (name_build(text, NULL, NULL, &name, &e) == ERR_OK)
		check_values(&name);
	err = name_build("CN={name},OU=Unit,O=Example", put_in, text, &name, &e);
	if (!err) {
		check_values(&name);
		assert(strcmp(name.attribute[0].value, "Example") == 0);
		assert(strcmp(name.attribute[1].value, "Unit") == 0);
		assert(name.count == 2 || name.count == 3);
		assert(name.count == 2 || is_start(text, name.attribute[2].value));
	}
	free(text);
	return 0;
}
