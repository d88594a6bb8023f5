/* JSON objects: grammar, repairs, one line. */
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
	/* For the sanitizers: no byte after it may be read. */
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
		{"{\"a\":\"\xe9\"}", "UTF-8"}, {"{\"a\":\"\\", "escape"}, {"<html>", "value"},
		{"{\"a\":\"x", "cut"}, {"{\"a\":\"\\ud83d\"}", "surrogate"}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i].text, strlen(bad[i].text), bad[i].says);
	refused("{}\0", 3, "follows its end");
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
	refused(deep, sizeof(deep), "too deep");
	for (int i = 0; i < 257; i++)
		len += (size_t)snprintf(wide + len, sizeof(wide) - len, "\"%03d\":1,", i);
	wide[len - 1] = '}';
	refused(wide, len, "more than 256");
}

/*
 * After JSONTestSuite (Nicolas Seriot, "Parsing JSON is a Minefield"): no parser may accept these
 * (n_...), alone or as a value. Its unescaped control characters and bytes that are not UTF-8 are
 * below, as repair may accept them.
 */
static const char *const never[] = {
	/* numbers */
	"-01", "+1", "++1234", "+Inf", ".-1", ".2e-3", "-1.0.", "-2.", "0.1.2", "0.3e+", "0.3e",
	"0.e1", "0E+", "0E", "0e+", "0e", "1.0e+", "1.0e-", "1.0e", "1 000.0", "1eE2", "2.e+3",
	"2.e-3", "2.e3", "9.e+", "Inf", "NaN", "-NaN", "\xef\xbc\x91", "1+2", "0x1", "0x42",
	"Infinity", "-Infinity", "0e+-1", "-foo", "- 1", "-012", "-.123", "-1x", "1ea", "1e\xe5",
	"1.", "1.2a-", "1.8011670033376514H-308", "012", "01", "-", "-a", "123\xe5", "0e1\xe5",
	/* strings */
	"\"\\\"", "\"\\x00\"", "\"\\u00g0\"", "\"\\u00A\"", "\"\\u\"", "\"\\\xf0\x9f\x8c\x80\"",
	"\"\\\t\"", "\"\\uD834\\uDd\"", "\"\\uD800\\u\"", "\"\\uD800\\u1\"", "\"\\uD800\\u1x\"",
	"\"\\uD800\\uD800\\x\"", "\"\\u\xe5\"", "\"\\\xe5\"", "\"\\a\"", "\"\\UA66D\"", "\"", "'x'",
	"\"\"x", "abc", "\\n", "\xc3\xa9", "\\u0020\"asd\"", "\"\\u00G\"", "\"\\", "\"x",
	"\"\\u+123\"", "\"\\u 123\"", "\"\\u0x41\"",
	/* arrays */
	"[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]", "[\"x\"",
	"[x", "[3[4]]", "[1:2]", "[,]", "[-]", "[   , \"\"]", "[\"a\",\n4\n,1,", "[1,]", "[1,,]",
	"[*]", "[\"\"", "[1,", "[1,\n1\n,1", "[{}", "[nul]", "[fals]", "[tru]", "[True]", "[\xff]",
	"[a\xe5]", "[1 true]", "[\"a\" \"b\"]", "[1}", "[", "]", "[][]", "[1]x", "[\x0b]", "[\x0c]",
	"[\"a\x22", "[\xe2\x81\xa0]", "[1\xef\xbb\xbf]", "[/**/]", "[1]//", "[\\]",
	/* objects */
	"{\"x\", null}", "{\"x\"::\"b\"}", "{\"a\":\"a\" 123}", "{key: 'value'}", "{\"a\":b}",
	"{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"", "{1:1}", "{9999E9999:1}",
	"{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}", "{\"a\":\"b\"}/**/",
	"{\"a\":\"b\"}/**//", "{\"a\":\"b\"}//", "{\"a\":\"b\"}/", "{\"a\":\"b\",,\"c\":\"d\"}",
	"{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }", "{\"a\":\"b\"}#", "{\"a\":1]",
	"{\"a\":true} \"x\"", "{[: \"x\"}", "{\xf0\x9f\x87\xa8}", "{\"\xb9\":\"0\",}", "{", "}",
	"{,", "{\"a\":/*comment*/1}", "{\"a\":1,\"b\"}",
	/* structures */
	"", " ", "<.>", "[<null>]", "\xef\xbb\xbf", "\xe2\x81\xa0", "\xe5", "*", "2@", "nul", "tru",
	"nullx", "null null", "1]", "{}}", "{\"a\":\"b\"}{\"a\":\"b\"}", "\"a\",", "\xef\xbb{}",
	"[\"asd]", "\xc2\xa0", "TRUE", "undefined"};

/* A y_ case that cJSON cuts. */
#define LONG_NUMBER \
	"-0.000000000000000000000000000000000000000000000000000000000000000000000000000001"

/* y_...: every parser accepts these. */
static const char *const always[] = {"[[]   ]", "[\"\"]", "[]", "[\"a\"]", "[false]",
	"[null, 1, \"1\", {}]", "[null]", "[1\n]", " [1]", "[1,null,null,null,2]", "[2] ",
	LONG_NUMBER, "{\"a\":[" LONG_NUMBER "," LONG_NUMBER "]}", "123e65", "0e+1", "0e1", " 4",
	"20e1", "-0", "-123", "-1", "1E22", "1E-2", "1E+2", "123e45", "123.456e78", "1e-2", "1e+2",
	"123", "123.456789", "0", "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{}", "{\"\":0}",
	"{\"foo\\u0020bar\":42}", "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }", "{\n\"a\": \"b\"\n}",
	"\"\\u0060\\u012a\\u12AB\"", "\"\\uD801\\udc37\"", "\"\\ud83d\\ude39\\ud83d\\udc8d\"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\\u0000\"", "\"\\\"\"", "\"a/*b*/c/*d//e\"",
	"\"\\\\a\"", "\"\\\\n\"", "\"\\u0012\"", "\"\\uFFFF\"", "\"asd\"", "\"\xf4\x8f\xbf\xbf\"",
	"\"\xef\xbf\xbf\"", "\"\\uDBFF\\uDFFF\"", "\"\xcf\x80\"", "\"\\u0061\\u30af\\u30EA\"",
	"\"\x7f\"", "\"\xe2\x80\xa8\"", "\"new\\u000Aline\"", "\" \"", "false", "null", "true",
	"[true]", "\"\\u005C\"", "\"\\u0022\"", "\"\\uFDD0\"", "\"\xe2\x8d\x82\xe3\x88\xb4\""};

static enum err check(const char *text, bool repair)
{
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	struct buf out = BUF_INIT(6 * len);
	unsigned damage = 0;
	enum err err;

	assert_non_null(exact);
	memcpy(exact, text, len);
	err = json_grammar(exact, len, &out, repair ? &damage : NULL, &e);
	if (!err)
		assert_int_equal(damage, 0);
	if (!err && !strstr(text, LONG_NUMBER))
		assert_string_equal(out.data, text);
	buf_free(&out);
	free(exact);
	return err;
}

static void the_grammar_is_that_of_rfc_8259(void **state)
{
	char member[512];

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		snprintf(member, sizeof(member), "{\"id\":1,\"x\":%s,\"y\":\"\"}", never[i]);
		for (int repair = 0; repair < 2; repair++)
			if (check(never[i], repair) != ERR_MALFORMED ||
				check(member, repair) != ERR_MALFORMED)
				fail_msg("taken: %s", never[i]);
		refused(member, strlen(member), "");
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		snprintf(member, sizeof(member), "{\"id\":1,\"x\":%s,\"y\":\"\"}", always[i]);
		for (int repair = 0; repair < 2; repair++)
			if (check(always[i], repair) || check(member, repair))
				fail_msg("refused: %s: %s", always[i], e.text);
		cJSON_Delete(parse(member));
	}
}

static void damage_in_strings_is_repaired(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *repaired;
		unsigned damage;
	} rows[] = {
#define ROW(text, repaired, damage) {text, sizeof(text) - 1, repaired, damage}
		ROW("\"Zoe \\ud83d\"", "Zoe \xef\xbf\xbd", JSON_DAMAGE_SURROGATES),
		ROW("\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd", JSON_DAMAGE_SURROGATES),
		ROW("\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80",
			JSON_DAMAGE_SURROGATES),
		ROW("\"\\ud83d\\n\"", "\xef\xbf\xbd\n", JSON_DAMAGE_SURROGATES),
		ROW("\"Zo\xeb\"", "Zo\xef\xbf\xbd", JSON_DAMAGE_BYTES),
		ROW("\"\xf0\x9f\x98\"", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", JSON_DAMAGE_BYTES),
		ROW("\"\xc0\xafx\"", "\xef\xbf\xbd\xef\xbf\xbdx", JSON_DAMAGE_BYTES),
		ROW("\"a\tb\nc\x01\"", "a\tb\nc\x01", JSON_DAMAGE_CONTROLS),
		ROW("\"a\\u0000\\u0000\"", "a", JSON_DAMAGE_NULS),
		ROW("\"a\0\0\"", "a", JSON_DAMAGE_NULS),
		ROW("\"a\\u0000b\"",
			"a\xef\xbf\xbd"
			"b",
			JSON_DAMAGE_NULS),
		ROW("\"\\u0000\\n\"", "\xef\xbf\xbd\n", JSON_DAMAGE_NULS),
		ROW("\"\\u0000\t\"", "\xef\xbf\xbd\t", JSON_DAMAGE_NULS | JSON_DAMAGE_CONTROLS),
		ROW("\"\\u0000\"", "", JSON_DAMAGE_NULS),
		ROW("\"\\\\u0000\"", "\\u0000", 0),
		ROW("\"\\u0001\\ufffd\"", "\x01\xef\xbf\xbd", 0),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64] = "{\"a\":";
		size_t len = 5 + rows[i].len;
		unsigned damage = 99;
		cJSON *object = NULL;

		memcpy(text + 5, rows[i].text, rows[i].len);
		text[len++] = '}';
		if (rows[i].damage)
			assert_int_equal(json_object(text, len, &object, &e), ERR_MALFORMED);
		assert_int_equal(json_object_repaired(text, len, &object, &damage, &e), ERR_OK);
		assert_int_equal(damage, rows[i].damage);
		assert_string_equal(json_text(object, "a"), rows[i].repaired);
		cJSON_Delete(object);
	}
}

/* A NUL after a key must not turn it into another key. */
static void keys_keep_what_makes_them_others(void **state)
{
	static const char text[] = "{\"id\\u0000\":1,\"id\":2,\"x\0\":3}";
	unsigned damage = 0;
	cJSON *object = NULL;

	(void)state;
	assert_int_equal(
		json_object_repaired(text, sizeof(text) - 1, &object, &damage, &e), ERR_OK);
	assert_int_equal(damage, JSON_DAMAGE_NULS);
	assert_int_equal(cJSON_GetObjectItemCaseSensitive(object, "id")->valueint, 2);
	assert_null(cJSON_GetObjectItemCaseSensitive(object, "x"));
	cJSON_Delete(object);
}

static void nesting_has_a_limit(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1) + 1] = "";
	size_t half = JSON_DEPTH_MAX;

	(void)state;
	memset(text, '[', half);
	memset(text + half, ']', half);
	assert_int_equal(check(text, false), ERR_OK);
	half++;
	memset(text, '[', half);
	memset(text + half, ']', half);
	assert_int_equal(check(text, false), ERR_MALFORMED);
	assert_non_null(strstr(e.text, "too deep"));
}

static void one_line_says_the_same(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"{\n\t\"a b\" : [ 1,\r\n 2 ] }\n", "{\"a b\":[1,2]}"},
		{"{\"a\":\"x\\\" : \\\\\" , \"b\": \" \"}", "{\"a\":\"x\\\" : \\\\\",\"b\":\" \"}"},
		{"{\"\xc3\xab\":\"\x1b[2J\xc2\x9b\"}", "{\"\xc3\xab\":\"\\u001b[2J\\u009b\"}"},
		{"{\"a\":\"\xf3\xa0\x80\x81\xe9!\"}", "{\"a\":\"\\udb40\\udc01\\ufffd!\"}"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].in);
		struct buf line = BUF_INIT(6 * len + 1);

		json_one_line(cases[i].in, len, &line);
		assert_false(line.failed);
		assert_string_equal(line.data ? line.data : "", cases[i].out);
		buf_free(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_read),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(doubles_are_refused),
		cmocka_unit_test(depth_and_breadth_have_limits),
		cmocka_unit_test(the_grammar_is_that_of_rfc_8259),
		cmocka_unit_test(damage_in_strings_is_repaired),
		cmocka_unit_test(keys_keep_what_makes_them_others),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(one_line_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
