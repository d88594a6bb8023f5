/*
 * Any bytes as JSON. What the strict grammar takes, the repairing one takes as it is; what was
 * repaired is whole, and cJSON reads the same.
 */

#include "base/json.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"

static void check_whole(const struct buf *repaired)
{
	struct error e = {.code = ERR_OK};
	struct buf again = BUF_INIT(6 * repaired->len);
	unsigned damage = 0;

	assert(utf8_is_valid(repaired->data, repaired->len));
	assert(json_grammar(repaired->data, repaired->len, NULL, NULL, &e) == ERR_OK);
	assert(json_grammar(repaired->data, repaired->len, &again, &damage, &e) == ERR_OK);
	assert(damage == 0 && strcmp(again.data, repaired->data) == 0);
	buf_free(&again);
}

/* Of its own faults cJSON may have found none that the grammar has not. */
static void check_tree(const char *text, size_t len, bool strict)
{
	struct error e = {.code = ERR_OK};
	unsigned damage = 0;
	cJSON *object = NULL;
	enum err err = strict ? json_object(text, len, &object, &e)
			      : json_object_repaired(text, len, &object, &damage, &e);

	assert(!err || strstr(e.text, "one object") || strstr(e.text, "more than"));
	cJSON_Delete(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf repaired = BUF_INIT(6 * size);
	struct error e = {.code = ERR_OK};
	unsigned damage = 0;
	enum err strict = json_grammar(text, size, NULL, NULL, &e);
	enum err err = json_grammar(text, size, &repaired, &damage, &e);

	assert(!err || (err == ERR_MALFORMED && strict && *e.text));
	assert(err || !strict == !damage);
	if (!strict) /* but for numbers that are too long */
		assert(repaired.len < size || memcmp(repaired.data, data, size) == 0);
	if (!err)
		check_whole(&repaired);
	if (!err)
		check_tree(text, size, !strict);
	buf_free(&repaired);
	return 0;
}
