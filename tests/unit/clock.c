/* The clocks, and times as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include <cmocka.h>

static int64_t fixed(void)
{
	return 1582563145;
}

static void test_replace(void **state)
{
	int64_t before = clock_now();

	(void)state;
	clock_replace(fixed);
	assert_int_equal(clock_now(), 1582563145);
	clock_replace(NULL);
	assert_true(clock_now() >= before);
	assert_true(before > 1700000000);
}

static void test_monotonic(void **state)
{
	int64_t us = clock_monotonic_us(), ms = clock_monotonic_ms();

	(void)state;
	assert_true(ms >= us / 1000);
	assert_true(ms - us / 1000 < 10000);
	assert_true(clock_monotonic_us() >= us);
}

static void test_rfc3339(void **state)
{
	static const struct {
		int64_t time;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00Z"},
		{1582563145, "2020-02-24T16:52:25Z"},
		{951782400, "2000-02-29T00:00:00Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
		{253402300800, "invalid"},
		{-1, "1969-12-31T23:59:59Z"},
		{-59011459200, "0100-01-01T00:00:00Z"},
		{-62135596800, "0001-01-01T00:00:00Z"},
		{-62167219200, "0000-01-01T00:00:00Z"},
		{-62167219201, "invalid"},
		{INT64_MAX, "invalid"},
		{INT64_MIN, "invalid"},
	};
	char text[CLOCK_RFC3339_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clock_rfc3339(cases[i].time, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_rfc3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
