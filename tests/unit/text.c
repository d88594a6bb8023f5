/* Strict parsing, UTF-8 and digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "base/utf8.h"

static void test_uuid(void **state)
{
	static const char *const bad[] = {"", "f", "f90f1abd-b914-4895-9b59-82e8aecf0e6",
		"f90f1abd-b914-4895-9b59-82e8aecf0e666", "f90f1abd-b914-4895-9b59-82e8aecf0e6g",
		"f90f1abdb914489-59b5982e8aecf0e66xxxx", "{f90f1abd-b914-4895-9b59-82e8aecf0e66}",
		" f90f1abd-b914-4895-9b59-82e8aecf0e6", "f90f1abd_b914_4895_9b59_82e8aecf0e66"};
	char uuid[UUID_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_uuid(bad[i], uuid));
	assert_string_equal(uuid, "untouched");
	assert_true(text_uuid("F90F1ABD-B914-4895-9b59-82e8aecf0e66", uuid));
	assert_string_equal(uuid, "f90f1abd-b914-4895-9b59-82e8aecf0e66");
	assert_false(text_uuid_is_nil(uuid));
	assert_true(text_uuid_is_nil("00000000-0000-0000-0000-000000000000"));
	assert_false(text_uuid_is_nil("00000000-0000-0000-0000-000000000001"));
	assert_false(text_uuid_is_nil(""));
}

static void test_utf8(void **state)
{
	static const char *const good[] = {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2g",
		"\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
		"abc\xf0\x9f\x9a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(utf8_is_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
	assert_false(utf8_is_valid("a\0b", 3));
	assert_false(utf8_is_valid("\xc3\xab", 1));
}

static void test_utf8_cut(void **state)
{
	static const char text[] = "a\xc3\xab\xe2\x82\xac\xf0\x9f\x9a\x80";
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++)
		assert_int_equal(utf8_cut(text, len), want[len]);
}

static void test_json_escape(void **state)
{
	char escape[TEXT_JSON_ESCAPE_SIZE];

	(void)state;
	text_json_escape(0, escape);
	assert_string_equal(escape, "\\u0000");
	text_json_escape(0xffff, escape);
	assert_string_equal(escape, "\\uffff");
	text_json_escape(0x1f680, escape);
	assert_string_equal(escape, "\\ud83d\\ude80");
	text_json_escape(0x10ffff, escape);
	assert_string_equal(escape, "\\udbff\\udfff");
}

static void test_utf8_next(void **state)
{
	uint32_t c = 7;

	(void)state;
	assert_int_equal(utf8_next("\xf0\x9f\x9a\x80", 4, &c), 4);
	assert_int_equal(c, 0x1f680);
	assert_int_equal(utf8_next("\xc3\xabx", 3, &c), 2);
	assert_int_equal(c, 0xeb);
	assert_int_equal(utf8_next("\xff", 1, &c), 0);
	assert_int_equal(c, 0xeb);
}

static void test_control(void **state)
{
	static const char *const shown[] = {
		"", "Zo\xc3\xab O'Brien", "a,b=c+d\\\"", "\xe6\x97\xa5", "\xf0\x9f\x9a\x80"};
	static const char *const hidden[] = {"a\nb", "a\rb", "\t", "\x1b[2J", "\x7f", "\xc2\x85",
		"\xc2\xad", "\xcd\x8f", "\xd8\x9c", "\xe1\x85\x9f", "\xe2\x80\x8b", "\xe2\x80\x8f",
		"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe3\x85\xa4", "\xef\xbb\xbf",
		"\xf3\xa0\x80\x81", "ab\xff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		assert_false(utf8_has_control(shown[i]));
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		assert_true(utf8_has_control(hidden[i]));
}

static void test_number(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "1e3",
		"9223372036854775808", "99999999999999999999"};
	int64_t n = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_number(bad[i], INT64_MAX, &n));
	assert_false(text_number("101", 100, &n));
	assert_false(text_number("9", 5, &n));
	assert_false(text_number("1", 0, &n));
	assert_int_equal(n, 42);
	assert_true(text_number("9223372036854775807", INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_true(text_number("100", 100, &n));
	assert_int_equal(n, 100);
	assert_true(text_number("0", 0, &n));
	assert_int_equal(n, 0);
	assert_true(text_number("007", 100, &n));
	assert_int_equal(n, 7);
}

static void test_duration(void **state)
{
	static const char *const bad[] = {"", "90", "s", "1S", "1w", "1ms", "1 s", "-1s", "1.5h"};
	int64_t n = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_duration(bad[i], INT64_MAX, &n));
	assert_false(text_duration("106751991167301d", INT64_MAX, &n));
	assert_false(text_duration("61s", 60, &n));
	assert_false(text_duration("2m", 60, &n));
	assert_int_equal(n, 42);
	assert_true(text_duration("1m", 60, &n));
	assert_int_equal(n, 60);
	assert_true(text_duration("90s", 1000, &n));
	assert_int_equal(n, 90);
	assert_true(text_duration("12h", INT64_MAX, &n));
	assert_int_equal(n, 43200);
	assert_true(text_duration("365d", INT64_MAX, &n));
	assert_int_equal(n, 31536000);
}

static void test_size(void **state)
{
	int64_t n = 42;

	(void)state;
	assert_false(text_size("", INT64_MAX, &n));
	assert_false(text_size("1g", INT64_MAX, &n));
	assert_false(text_size("64K", INT64_MAX, &n));
	assert_false(text_size("64kb", INT64_MAX, &n));
	assert_false(text_size("8796093022208m", INT64_MAX, &n));
	assert_int_equal(n, 42);
	assert_true(text_size("512", INT64_MAX, &n));
	assert_int_equal(n, 512);
	assert_true(text_size("64k", INT64_MAX, &n));
	assert_int_equal(n, 65536);
	assert_true(text_size("1m", 1048576, &n));
	assert_int_equal(n, 1048576);
}

static void test_hex(void **state)
{
	const unsigned char bytes[] = {0x00, 0x7f, 0xab, 0xff};
	unsigned char back[4] = {1, 2, 3, 4};
	char hex[9];

	(void)state;
	text_hex(bytes, sizeof(bytes), hex);
	assert_string_equal(hex, "007fabff");
	assert_false(text_unhex("007fabf", back, 4));
	assert_false(text_unhex("007fabfff", back, 4));
	assert_false(text_unhex("007fabfg", back, 4));
	assert_int_equal(back[0], 1);
	assert_true(text_unhex("007fABff", back, 4));
	assert_memory_equal(back, bytes, 4);
}

/* RFC 4648, section 10. */
static void test_decimal(void **state)
{
	static const struct {
		const char *hex, *decimal;
	} good[] = {{"0", "0"}, {"000a", "10"}, {"ff", "255"}, {"100", "256"},
		{"2f87e829a38e6e094cb0153d7cd49297fe1d4534",
			"271353391049839005167460932079670564821288174900"},
		{"ffffffffffffffffffffffffffffffffffffffff",
			"1461501637330902918203684832716283019655932542975"}};
	static const char *const bad[] = {
		"", "g", "0x1", " 1", "1 ", "-1", "10000000000000000000000000000000000000000"};
	char out[TEXT_DECIMAL_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_decimal(bad[i], out));
	assert_string_equal(out, "untouched");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(text_decimal(good[i].hex, out));
		assert_string_equal(out, good[i].decimal);
	}
}

/* X.690, 8.19.4 */
static void test_oid(void **state)
{
	static const char *const good[] = {"0.0", "0.39", "1.39.0", "2.40", "2.999", "2.5.29.32.0",
		"1.3.6.1.4.1.32473.1", "2.4294967295", "1.2.4294967295"};
	static const char *const bad[] = {"", ".", "1", "1.", ".1", "1..2", "3.1", "0.40", "1.40",
		"01.2", "1.02", "1.00", "1.2.", "1.2 ", " 1.2", "1.-1", "-1.2", "1.2.x", "1.2,3",
		"any", "1.2.4294967296", "1.2.99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!text_is_oid(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (text_is_oid(bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
}

/* RFC 4231, 4.2 and 4.3 */
static void test_hmac(void **state)
{
	static const struct {
		const char *key, *data, *right;
	} cases[] = {
		{"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
			"Hi There",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"Jefe", "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	};
	unsigned char mac[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	struct error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct blob key = {
			(unsigned char *)(uintptr_t)cases[i].key, strlen(cases[i].key)};

		assert_int_equal(
			digest_hmac(&key, cases[i].data, strlen(cases[i].data), mac, &e), ERR_OK);
		text_hex(mac, sizeof(mac), hex);
		assert_string_equal(hex, cases[i].right);
	}
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"},
		{"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"}, {"+/+/", "\xfb\xff\xbf"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct buf text = BUF_INIT(64), bytes = BUF_INIT(64);

		assert_true(text_unbase64(pairs[i][0], strlen(pairs[i][0]), &bytes));
		assert_int_equal(bytes.len, strlen(pairs[i][1]));
		if (bytes.len)
			assert_memory_equal(bytes.data, pairs[i][1], bytes.len);
		buf_base64(&text, pairs[i][1], strlen(pairs[i][1]));
		assert_string_equal(text.data, pairs[i][0]);
		buf_free(&text);
		buf_free(&bytes);
	}
}

static void test_base64_refused(void **state)
{
	static const char *const bad[] = {"Z", "Zg",
		"Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm9v Zm9",
		"Zg==Zg==", "Zm-_", "Zm9vZ=g=", "Zm9vYmF="};
	struct buf out = BUF_INIT(64), small = BUF_INIT(4);

	(void)state;
	buf_puts(&out, "kept");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_unbase64(bad[i], strlen(bad[i]), &out));
	assert_string_equal(out.data, "kept");
	assert_int_equal(out.len, 4);
	assert_false(text_unbase64("Zm9vYmFy", 8, &small));
	assert_int_equal(small.len, 0);
	buf_free(&out);
	buf_free(&small);
}

static void test_nocase(void **state)
{
	(void)state;
	assert_true(text_equal_nocase("BaSIc", "basic"));
	assert_true(text_equal_nocase("", ""));
	assert_false(text_equal_nocase("basic", "basi"));
	assert_false(text_equal_nocase("basi", "basic"));
	assert_false(text_equal_nocase("[", "{"));
	assert_false(text_equal_nocase("\xc3\xab", "\xc3\x8b"));
}

static void test_trim(void **state)
{
	char both[] = " \t a b \t ", none[] = "ab", blank[] = " \t", empty[] = "";

	(void)state;
	assert_string_equal(text_trim(both), "a b");
	assert_string_equal(text_trim(none), "ab");
	assert_string_equal(text_trim(blank), "");
	assert_string_equal(text_trim(empty), "");
}

static void assert_list(const char *text, const char *const *items)
{
	char **list = text_list(text);
	size_t n = 0;

	assert_non_null(list);
	for (; items[n]; n++) {
		assert_non_null(list[n]);
		assert_string_equal(list[n], items[n]);
	}
	assert_null(list[n]);
	free(list);
}

static void test_list(void **state)
{
	(void)state;
	assert_list("", (const char *const[]){NULL});
	assert_list(" , ,", (const char *const[]){NULL});
	assert_list("a", (const char *const[]){"a", NULL});
	assert_list(" a b ,,\tc,d ", (const char *const[]){"a b", "c", "d", NULL});
}

/* Chosen by hand from the charts: at the ends of ranges and between. */
static void test_utf8_compatibility(void **state)
{
	static const uint32_t yes[] = {0xa0, 0xaa, 0xb2, 0x132, 0x1c4, 0x2b0, 0x37a, 0x675, 0xe33,
		0x1d2c, 0x2002, 0x2024, 0x2100, 0x2460, 0x249c, 0x2e9f, 0x2f00, 0x3000, 0x3131,
		0x3200, 0x33ff, 0xfb00, 0xfb50, 0xff01, 0xff21, 0xff5e, 0xff66, 0xffe0, 0x1d400,
		0x1f100, 0x1f238};
	static const uint32_t no[] = {0x41, 0xa1, 0xdf, 0xe9, 0x131, 0x3a9, 0x430, 0x5d0, 0x627,
		0x905, 0xe01, 0x1100, 0x1e00, 0x3042, 0x30a2, 0x4e00, 0x9fff, 0xac00, 0x1f600,
		0x20000, 0x10ffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (!utf8_is_compatibility(yes[i]))
			fail_msg("U+%04X", (unsigned)yes[i]);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (utf8_is_compatibility(no[i]))
			fail_msg("U+%04X", (unsigned)no[i]);
}

static void test_utf8_stray_control(void **state)
{
	static const char *const good[] = {"\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
		"\u0d30\u0d3e\u0d1c\u0d28\u0d4d\u200d \u0d28\u0d3e\u0d2f\u0d30\u0d4d\u200d",
		"\u0915\u094d\u200d\u0937", "Zoe", ""};
	static const char *const bad[] = {"a\u200cb", "\u200c\u0639", "\u0639\u200c\u200c\u0631",
		"\u0639 \u200d", "\u0639\u200b\u0631", "\u0639\u200e", "a\nb", "\xff",
		"\u05d0\u200d\u05d1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_false(utf8_has_stray_control(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(utf8_has_stray_control(bad[i]));
}

static void test_utf8_trim(void **state)
{
	static const struct {
		const char *text, *trimmed;
	} rows[] = {
		{"a@b.c", "a@b.c"},
		{"\r\n\t a b \v\f\r\n", "a b"},
		{"\u00a0a@b.c\u00a0\u3000", "a@b.c"},
		{"\ufeffa\u200b", "a"},
		{"\u200c\u0639\u200c\u0631\u200c ", "\u0639\u200c\u0631\u200c"},
		{"a@b.c\u200c\u200d", "a@b.c"},
		{"\u00a0\u2003 ", ""},
		{"", ""},
		{"\xc2", "\xc2"},
		{" \xff ", "\xff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", rows[i].text);
		assert_string_equal(utf8_trim(text), rows[i].trimmed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_cut),
		cmocka_unit_test(test_json_escape),
		cmocka_unit_test(test_utf8_next),
		cmocka_unit_test(test_utf8_compatibility),
		cmocka_unit_test(test_utf8_stray_control),
		cmocka_unit_test(test_utf8_trim),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_oid),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_refused),
		cmocka_unit_test(test_nocase),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
