/* Buffers and blobs: limits, growth, escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"

static void test_append(void **state)
{
	struct buf b = BUF_INIT(10000);
	struct error e;

	(void)state;
	assert_null(b.data);
	buf_puts(&b, "ab");
	buf_putc(&b, 'c');
	buf_append(&b, "de", 2);
	buf_append(&b, NULL, 0);
	buf_printf(&b, "%d-%s", 42, "x");
	assert_string_equal(b.data, "abcde42-x");
	assert_int_equal(b.len, 9);
	for (int i = 0; i < 999; i++)
		buf_puts(&b, "123456789");
	assert_int_equal(b.len, 9000);
	assert_int_equal(b.data[b.len], 0);
	assert_memory_equal(b.data, "abcde42-x123456789123", 21);
	assert_int_equal(buf_check(&b, &e), ERR_OK);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.limit, 10000);
}

static void test_limit(void **state)
{
	struct buf b = BUF_INIT(4);
	struct error e;

	(void)state;
	buf_puts(&b, "abcd");
	assert_int_equal(buf_check(&b, &e), ERR_OK);
	buf_putc(&b, 'e');
	assert_int_equal(buf_check(&b, &e), ERR_TOO_LARGE);
	assert_string_equal(b.data, "abcd");
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	assert_int_equal(buf_check(&b, &e), ERR_OK);
	buf_printf(&b, "%s", "12345");
	assert_int_equal(buf_check(&b, &e), ERR_TOO_LARGE);
	buf_puts(&b, "x");
	assert_int_equal(b.len, 0); /* nothing is better than a gap in the middle */
	buf_free(&b);
}

static void test_no_memory(void **state)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct error e;

	(void)state;
	buf_putc(&b, 'a');
	buf_append(&b, "", SIZE_MAX - 2);
	assert_int_equal(buf_check(&b, &e), ERR_INTERNAL);
	assert_int_equal(b.len, 1);
	buf_free(&b);
}

static void test_truncate(void **state)
{
	struct buf b = BUF_INIT(64);

	(void)state;
	buf_truncate(&b, 0);
	assert_null(b.data);
	buf_puts(&b, "secret");
	buf_truncate(&b, 9);
	assert_int_equal(b.len, 6);
	buf_truncate(&b, 2);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.data, "se\0\0\0\0", 7);
	buf_free(&b);
}

static void test_reset_wipes(void **state)
{
	struct buf b = BUF_INIT(64);

	(void)state;
	buf_puts(&b, "secret");
	buf_reset(&b);
	assert_memory_equal(b.data, "\0\0\0\0\0\0", 6);
	buf_free(&b);
}

static void test_percent(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	buf_percent(&b, "");
	assert_int_equal(b.len, 0);
	buf_percent(&b, "aZ09-._~ /?#%+&=:,\\\xc3\xab\x7f\x01");
	assert_string_equal(b.data, "aZ09-._~%20%2F%3F%23%25%2B%26%3D%3A%2C%5C%C3%AB%7F%01");
	buf_free(&b);
}

static void test_json_string(void **state)
{
	struct buf b = BUF_INIT(256);

	(void)state;
	buf_json_string(&b, "a\"b\\c\n\x01\x7f/\xc3\xab\xf0\x9f\x9a\x80");
	assert_string_equal(
		b.data, "\"a\\\"b\\\\c\\u000a\\u0001\\u007f/\xc3\xab\xf0\x9f\x9a\x80\"");
	buf_reset(&b);
	buf_json_string(&b, "\xc2\x9b[2J\xc2\x80\xc2\x9f\xc2\xa0\xc3\x9b"); /* C1, and characters
									       that are not */
	assert_string_equal(b.data, "\"\\u009b[2J\\u0080\\u009f\xc2\xa0\xc3\x9b\"");
	buf_reset(&b);
	buf_json_string(&b, "");
	assert_string_equal(b.data, "\"\"");
	buf_free(&b);
}

static void test_base64_limit(void **state)
{
	struct buf b = BUF_INIT(7);

	(void)state;
	buf_base64(&b, "abc", 3);
	assert_string_equal(b.data, "YWJj");
	buf_base64(&b, "d", 1);
	assert_true(b.failed);
	assert_string_equal(b.data, "YWJj");
	buf_free(&b);
}

static void test_blob(void **state)
{
	struct buf b = BUF_INIT(8);
	struct blob one = {NULL, 0}, two = {NULL, 0}, none = {NULL, 0};
	struct error e;

	(void)state;
	buf_append(&b, "a\0b", 3);
	assert_int_equal(blob_take(&b, &one, &e), ERR_OK);
	assert_null(b.data);
	assert_int_equal(one.len, 3);
	assert_memory_equal(one.data, "a\0b\0", 4);
	assert_int_equal(blob_copy("a\0b", 3, &two, &e), ERR_OK);
	assert_true(blob_equal(&one, &two));
	two.data[2] = 'c';
	assert_false(blob_equal(&one, &two));
	assert_false(blob_equal(&one, &none));
	assert_true(blob_equal(&none, &none));
	blob_free(&one);
	blob_free(&two);
	blob_free(&none);
	assert_null(one.data);
}

static void test_take_failed(void **state)
{
	struct buf b = BUF_INIT(2);
	struct blob out = {NULL, 7};
	struct error e;

	(void)state;
	buf_puts(&b, "abc");
	assert_int_equal(blob_take(&b, &out, &e), ERR_TOO_LARGE);
	assert_int_equal(out.len, 7);
	assert_null(b.data);
	assert_int_equal(blob_take(&b, &out, &e), ERR_OK);
	assert_int_equal(out.len, 0);
	blob_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_reset_wipes),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_json_string),
		cmocka_unit_test(test_base64_limit),
		cmocka_unit_test(test_blob),
		cmocka_unit_test(test_take_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
