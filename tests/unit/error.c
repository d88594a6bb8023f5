/* The table of errors, and the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

/* The answers that the interface promises, row by row. */
static void test_meanings(void **state)
{
	static const struct {
		enum err code;
		int http, exit;
		bool retry;
	} rows[] = {
		{ERR_OK, 200, 0, false},
		{ERR_USAGE, 400, 2, false},
		{ERR_CONFIG, 503, 78, true},
		{ERR_MALFORMED, 400, 1, false},
		{ERR_TOO_LARGE, 413, 1, false},
		{ERR_UNSUPPORTED, 415, 1, false},
		{ERR_UNPROCESSABLE, 422, 1, false},
		{ERR_UNAUTHENTICATED, 401, 1, false},
		{ERR_FORBIDDEN, 403, 1, false},
		{ERR_NOT_FOUND, 404, 1, false},
		{ERR_METHOD, 405, 1, false},
		{ERR_REFUSED, 502, 1, false},
		{ERR_BARRED, 503, 75, true},
		{ERR_GARBLED, 502, 1, false},
		{ERR_ALTERED, 500, 1, false},
		{ERR_UNAVAILABLE, 503, 75, true},
		{ERR_PENDING, 503, 75, true},
		{ERR_INTERNAL, 500, 1, true},
	};

	(void)state;
	assert_int_equal(ARRAY_LEN(rows), ERR_COUNT);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct error_meaning *m = error_meaning(rows[i].code);

		assert_int_equal(m->http_status, rows[i].http);
		assert_int_equal(m->exit_status, rows[i].exit);
		assert_int_equal(m->retry, rows[i].retry);
		assert_true(*m->label && *m->title);
	}
	assert_ptr_equal(error_meaning(ERR_COUNT), error_meaning(ERR_INTERNAL));
}

static void test_labels_differ(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(error_meaning((enum err)i)->label,
				error_meaning((enum err)j)->label);
}

static void test_set(void **state)
{
	struct error e = {.code = ERR_OK, .retry_after = 30, .field = "old"};

	(void)state;
	assert_int_equal(error_set(&e, ERR_REFUSED, "%s: %d", "CA", 403), ERR_REFUSED);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_string_equal(e.text, "CA: 403");
	assert_string_equal(e.field, "");
	assert_int_equal(e.retry_after, 0);
	assert_int_equal(error_field(&e, ERR_MALFORMED, "Udid", "bad"), ERR_MALFORMED);
	assert_string_equal(e.field, "Udid");
	assert_int_equal(error_memory(&e), ERR_INTERNAL);
	assert_string_equal(e.text, "out of memory");
}

static void test_context(void **state)
{
	struct error e = {.code = ERR_OK};

	(void)state;
	error_field(&e, ERR_CONFIG, "key", "cause");
	e.retry_after = 7;
	assert_int_equal(error_context(&e, "while %s", "testing"), ERR_CONFIG);
	assert_string_equal(e.text, "while testing: cause");
	assert_string_equal(e.field, "key");
	assert_int_equal(e.retry_after, 7);
}

static void test_errno(void **state)
{
	struct error e = {.code = ERR_OK};

	(void)state;
	errno = ENOENT;
	assert_int_equal(error_errno(&e, ERR_CONFIG, "%s", "/x"), ERR_CONFIG);
	assert_string_equal(e.text, "/x: No such file or directory");
}

/* A code replaced by another one keeps the text. */
static void test_quotes_itself(void **state)
{
	struct error e = {.code = ERR_OK};

	(void)state;
	error_set(&e, ERR_REFUSED, "the cause of all this");
	error_set(&e, ERR_CONFIG, "/etc/x: %s", e.text);
	assert_string_equal(e.text, "/etc/x: the cause of all this");
	error_field(&e, ERR_MALFORMED, "key", "more of it: %s", e.text);
	assert_string_equal(e.text, "more of it: /etc/x: the cause of all this");
}

/* A text that is cut stays UTF-8, wherever the cut falls. */
static void test_cut(void **state)
{
	static const char *const chars[] = {"a", "\xc3\xab", "\xe2\x82\xac", "\xf0\x9f\x9a\x80"};
	char text[2 * ERROR_TEXT_MAX];
	struct error e = {.code = ERR_OK};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chars); i++) {
		for (size_t shift = 0; shift < 4; shift++) {
			size_t size = strlen(chars[i]), len = shift;

			memset(text, 'x', shift);
			for (; len < ERROR_TEXT_MAX + 8; len += size)
				memcpy(text + len, chars[i], size);
			text[len] = '\0';
			error_field(&e, ERR_MALFORMED, text, "%s", text);
			assert_true(utf8_is_valid(e.text, strlen(e.text)));
			assert_true(strlen(e.text) > ERROR_TEXT_MAX - 5);
			assert_true(utf8_is_valid(e.field, strlen(e.field)));
			assert_true(strlen(e.field) > ERROR_FIELD_MAX - 5);
			error_context(&e, "more");
			assert_true(utf8_is_valid(e.text, strlen(e.text)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meanings),
		cmocka_unit_test(test_labels_differ),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_quotes_itself),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
