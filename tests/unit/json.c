#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct error e;

static cJSON *parse(const char *text)
{
	cJSON *object = NULL;

	assert_int_equal(json_object(text, strlen(text), &object, &e), ERR_OK);
	assert_non_null(object);
	return object;
}

static void refused(const void *text, size_t len, const char *says)
{
	/* No byte behind it is ours to read: for the sanitizers. */
	char *exact = malloc(len ? len : 1);
	static cJSON none;
	cJSON *object = &none;

	assert_non_null(exact);
	memcpy(exact, text, len);
	assert_int_equal(json_object(exact, len, &object, &e), ERR_MALFORMED);
	assert_ptr_equal(object, &none);
	if (!strstr(e.text, says))
		fail_msg("%.*s: %s", (int)len, exact, e.text);
	free(exact);
}

static void objects_are_read(void **state)
{
	cJSON *object = parse(" {\"a\": {\"b\": \"x\\u00e9\"}, \"n\": 1, \"b\": [{\"a\": 1}]}\r\n");

	(void)state;
	assert_string_equal(
		json_text(cJSON_GetObjectItemCaseSensitive(object, "a"), "b"), "x\xc3\xa9");
	assert_null(json_text(object, "n"));
	assert_null(json_text(object, "A"));
	assert_null(json_text(NULL, "a"));
	cJSON_Delete(object);
	cJSON_Delete(parse("{}"));
}

static void others_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {{"", "cut"}, {"{", "cut"}, {"{\"a\":1", "cut"}, {"{\"a\":1}}", "fault"},
		{"{} {}", "fault"}, {"[]", "one object"}, {"\"a\"", "one object"},
		{"null", "one object"}, {"{\"a\":\"\n\"}", "control"},
		{"{\"a\":\"b\\u0000c\"}", "NUL"}, {"{\"\\u0000\":1}", "NUL"},
		{"{\"a\":\"\xe9\"}", "UTF-8"}, {"{\"a\":\"\\", "cut"}, {"<html>", "cut"}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i].text, strlen(bad[i].text), bad[i].says);
	refused("{}\0", 3, "UTF-8");
}

static void doubles_are_refused(void **state)
{
	static const char *const bad[] = {"{\"key\":1,\"b\":2,\"key\":1}",
		"{\"a\":{\"key\":1,\"k\\u0065y\":2}}", "{\"a\":[1,{\"key\":1,\"key\":1}]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refused(bad[i], strlen(bad[i]), "more than once");
		assert_string_equal(e.field, "key");
	}
	cJSON_Delete(parse("{\"key\":1,\"Key\":{\"key\":2}}"));
}

static void depth_and_breadth_have_limits(void **state)
{
	char deep[6001], wide[257 * 8 + 2] = "{";
	size_t len = 1;

	(void)state;
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	refused(deep, sizeof(deep), "fault");
	for (int i = 0; i < 257; i++)
		len += (size_t)snprintf(wide + len, sizeof(wide) - len, "\"%03d\":1,", i);
	wide[len - 1] = '}';
	refused(wide, len, "more than 256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_read),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(doubles_are_refused),
		cmocka_unit_test(depth_and_breadth_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
