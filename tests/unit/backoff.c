#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "provider/backoff.h"

#define ROUNDS 500

static void doubles_with_jitter_up_to_an_hour(void **state)
{
	static const struct {
		int64_t tries, least, most;
	} waits[] = {
		{0, 48, 72},
		{1, 96, 144},
		{2, 192, 288},
		{5, 1536, 2304},
		{6, 2400, 3600},
		{7, 2400, 3600},
		{1000, 2400, 3600},
		{INT64_MAX, 2400, 3600},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		int64_t low = INT64_MAX, high = 0;

		for (int j = 0; j < ROUNDS; j++) {
			int64_t wait = backoff_seconds(waits[i].tries, 0);

			low = wait < low ? wait : low;
			high = wait > high ? wait : high;
		}
		assert_in_range(low, waits[i].least, waits[i].most);
		assert_in_range(high, waits[i].least, waits[i].most);
		/* 500 draws leave the middle, or there is no jitter. */
		assert_true(high - low > (waits[i].most - waits[i].least) / 2);
	}
}

static void does_as_the_peer_asks_within_the_hour(void **state)
{
	(void)state;
	assert_int_equal(backoff_seconds(0, 7), 7);
	assert_int_equal(backoff_seconds(9, 7), 7);
	assert_int_equal(backoff_seconds(0, 3600), 3600);
	assert_int_equal(backoff_seconds(0, 3601), 3600);
	assert_int_equal(backoff_seconds(0, INT32_MAX), 3600);
	assert_in_range(backoff_seconds(0, -5), 48, 72);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_with_jitter_up_to_an_hour),
		cmocka_unit_test(does_as_the_peer_asks_within_the_hour),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
