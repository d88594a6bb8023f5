#include "base/xml_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define FFFD "\xef\xbf\xbd"
#define LATIN1_DECLARED "<?xml version='1.0' encoding='ISO-8859-1'?>"
#define BYTES(s) s, sizeof(s) - 1

struct text {
	const char *bytes;
	size_t len;
};

static void test_encoding(void **state)
{
	static const struct {
		struct text text;
		enum xml_encoding encoding;
	} rows[] = {
		{{BYTES("<a/>")}, XML_TEXT_UTF8}, {{BYTES(" \r\n\t<a/>")}, XML_TEXT_UTF8},
		{{BYTES("\xef\xbb\xbf<a/>")}, XML_TEXT_UTF8},
		{{BYTES("\xef\xbb\xbf\n<a/>")}, XML_TEXT_UTF8}, {{BYTES("<")}, XML_TEXT_UTF8},
		{{BYTES("\xff\xfe<\0")}, XML_TEXT_UTF16LE}, {{BYTES("<\0a\0")}, XML_TEXT_UTF16LE},
		{{BYTES("\xfe\xff\0<")}, XML_TEXT_UTF16BE}, {{BYTES("\0<\0a")}, XML_TEXT_UTF16BE},
		{{BYTES(LATIN1_DECLARED)}, XML_TEXT_LATIN1},
		{{BYTES(" <?xml encoding=\"iso-8859-1\"")}, XML_TEXT_LATIN1},
		{{BYTES("\xef\xbb\xbf" LATIN1_DECLARED)}, XML_TEXT_UTF8},
		{{BYTES("<?xml version='1.0'?><!-- iso-8859-1 -->")}, XML_TEXT_UTF8},
		{{BYTES("<a>iso-8859-1</a>")}, XML_TEXT_UTF8}, {{BYTES("")}, XML_TEXT_NONE},
		{{BYTES(" ")}, XML_TEXT_NONE}, {{BYTES("\xef\xbb\xbf")}, XML_TEXT_NONE},
		{{BYTES("{\"x\":\"<\"}")}, XML_TEXT_NONE}, {{BYTES("x<a/>")}, XML_TEXT_NONE},
		{{BYTES("\xff\xfe{\0")}, XML_TEXT_NONE}, {{BYTES("\xff\xfe")}, XML_TEXT_NONE},
		{{BYTES("\0\0\0<")}, XML_TEXT_NONE}, /* UTF-32 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *exact = malloc(rows[i].text.len + !rows[i].text.len);
		enum xml_encoding encoding;

		assert_non_null(exact);
		memcpy(exact, rows[i].text.bytes, rows[i].text.len);
		encoding = xml_text_encoding(exact, rows[i].text.len);
		if (encoding != rows[i].encoding)
			fail_msg("row %zu: encoding %d, not %d", i, encoding, rows[i].encoding);
		free(exact);
	}
}

static void test_declared_names(void **state)
{
	(void)state;
	assert_true(xml_text_may_declare(XML_TEXT_UTF8, "utf-8"));
	assert_true(xml_text_may_declare(XML_TEXT_UTF8, "UTF-16")); /* .NET's StringWriter */
	assert_true(xml_text_may_declare(XML_TEXT_UTF8, "us-ascii"));
	assert_true(xml_text_may_declare(XML_TEXT_UTF16LE, "utf-8")); /* converted on its way */
	assert_true(xml_text_may_declare(XML_TEXT_UTF16BE, "iso-8859-1"));
	assert_true(xml_text_may_declare(XML_TEXT_LATIN1, "Iso-8859-1"));
	assert_false(xml_text_may_declare(XML_TEXT_LATIN1, "iso-8859-15"));
	assert_false(xml_text_may_declare(XML_TEXT_LATIN1, "utf-8"));
	assert_false(xml_text_may_declare(XML_TEXT_UTF8, "iso-8859-1"));
	assert_false(xml_text_may_declare(XML_TEXT_UTF8, "windows-1252"));
	assert_false(xml_text_may_declare(XML_TEXT_UTF8, "utf-7"));
	assert_false(xml_text_may_declare(XML_TEXT_UTF16LE, "utf-32"));
	assert_false(xml_text_may_declare(XML_TEXT_UTF8, ""));
}

static void assert_repaired(size_t row, struct text text, const char *want, unsigned want_damage)
{
	enum xml_encoding encoding = xml_text_encoding(text.bytes, text.len);
	struct buf out = BUF_INIT(XML_TEXT_LEN(text.len));
	char *exact = malloc(text.len);
	unsigned damage = 0;
	struct error e;

	assert_non_null(exact);
	memcpy(exact, text.bytes, text.len);
	xml_text_repair(exact, text.len, encoding, &out, &damage);
	if (buf_check(&out, &e) || out.len != strlen(want) || strcmp(out.data, want) != 0)
		fail_msg("row %zu: \"%s\", not \"%s\"", row, out.data, want);
	if (damage != want_damage)
		fail_msg("row %zu: damage %u, not %u", row, damage, want_damage);
	free(exact);
	buf_free(&out);
}

static void test_repair(void **state)
{
	static const struct {
		struct text text;
		const char *want;
		unsigned damage;
	} rows[] = {
		{{BYTES(" <a>x</a> ")}, "<a>x</a> ", 0},
		{{BYTES("\xef\xbb\xbf<a>\xf0\x9f\x9a\x80</a>")}, "<a>\xf0\x9f\x9a\x80</a>", 0},
		{{BYTES("<a>&#65;&#x1F680;&lt;&x;&#;&#x;&#x110000;</a>")},
			"<a>&#65;&#x1F680;&lt;&x;&#;&#x;" FFFD "</a>", JSON_DAMAGE_BYTES},
		{{BYTES("<a>Zo\xeb</a>")}, "<a>Zo" FFFD "</a>", JSON_DAMAGE_BYTES},
		{{BYTES("<a>\xf0\x9f")}, "<a>" FFFD FFFD, JSON_DAMAGE_BYTES},
		{{BYTES("<a>\xef\xbf\xbe</a>")}, "<a>" FFFD "</a>", JSON_DAMAGE_BYTES},
		{{BYTES("<a>&#xD83D;</a>")}, "<a>" FFFD "</a>", JSON_DAMAGE_SURROGATES},
		{{BYTES("<a>\x01&#x1f;&#8;\t</a>")}, "<a>" FFFD FFFD FFFD "\t</a>",
			JSON_DAMAGE_CONTROLS},
		{{BYTES("<a>x\0\0</a>")}, "<a>x</a>", JSON_DAMAGE_NULS},
		{{BYTES("<a>x&#0;\0&#x000;</a>")}, "<a>x</a>", JSON_DAMAGE_NULS},
		{{BYTES("<a>\0x&#0;y</a>")}, "<a>" FFFD "x" FFFD "y</a>", JSON_DAMAGE_NULS},
		{{BYTES("<a></a>\0")}, "<a></a>" FFFD, JSON_DAMAGE_NULS},
		{{BYTES("<a>&#0")}, "<a>&#0", 0},
		{{BYTES("<a>&#99999999999999999999;")}, "<a>" FFFD, JSON_DAMAGE_BYTES},
		{{BYTES("\xff\xfe<\0a\0>\0\xeb\0")}, "<a>\xc3\xab", 0},
		{{BYTES("\xff\xfe<\0\x3d\xd8\x80\xde>\0")}, "<\xf0\x9f\x9a\x80>", 0},
		{{BYTES("\xfe\xff\0<\xd8\x3d\xde\x80\x20\xac")}, "<\xf0\x9f\x9a\x80\xe2\x82\xac",
			0},
		{{BYTES("<\0\x3d\xd8>\0")}, "<" FFFD ">", JSON_DAMAGE_SURROGATES},
		{{BYTES("<\0\x80\xde>\0")}, "<" FFFD ">", JSON_DAMAGE_SURROGATES},
		{{BYTES("<\0\x3d\xd8")}, "<" FFFD, JSON_DAMAGE_SURROGATES},
		{{BYTES("<\0>\0a")}, "<>" FFFD, JSON_DAMAGE_BYTES},
		{{BYTES(LATIN1_DECLARED "\xeb\x80")}, LATIN1_DECLARED "\xc3\xab\xc2\x80", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_repaired(i, rows[i].text, rows[i].want, rows[i].damage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_declared_names),
		cmocka_unit_test(test_repair),
	};

	return cmocka_run_group_tests_name("xml_text", tests, NULL, NULL);
}
