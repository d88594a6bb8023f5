#include "provider/expiry.h"

#include "base/clock.h"
#include "tests/unit/pki_tools.h"

/* When to say that something of ours ends, and how loudly. */

#define NOW 1700000000LL /* 2023-11-14T22:13:20Z */
#define HOUR 3600LL

static int64_t now;

static int64_t test_clock(void)
{
	return now;
}

static int set_up(void **state)
{
	(void)state;
	now = NOW;
	clock_replace(test_clock);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_replace(NULL);
	return 0;
}

static void expect_text(const struct expiry *expiry, const char *wanted)
{
	struct buf text = BUF_INIT(2048);

	expiry_text(expiry, &text);
	assert_string_equal(text.data ? text.data : "", wanted);
	buf_free(&text);
}

/* The clock moves towards the end of one certificate; on each boundary and beside it. */
static void test_certificate(void **state)
{
	static const struct {
		int64_t left;
		enum expiry_level level;
		int64_t days;
		bool near, over;
		enum log_level log;
	} cases[] = {
		{365 * DAY, EXPIRY_FINE, 365, false, false, LOG_LEVEL_WARNING},
		{61 * DAY, EXPIRY_FINE, 61, false, false, LOG_LEVEL_WARNING},
		{60 * DAY + 1, EXPIRY_FINE, 60, false, false, LOG_LEVEL_WARNING},
		{60 * DAY, EXPIRY_WITHIN_60, 60, true, false, LOG_LEVEL_WARNING},
		{30 * DAY + 1, EXPIRY_WITHIN_60, 30, true, false, LOG_LEVEL_WARNING},
		{30 * DAY, EXPIRY_WITHIN_30, 30, true, false, LOG_LEVEL_WARNING},
		{7 * DAY + 1, EXPIRY_WITHIN_30, 7, true, false, LOG_LEVEL_WARNING},
		{7 * DAY, EXPIRY_WITHIN_7, 7, true, false, LOG_LEVEL_WARNING},
		{DAY + 1, EXPIRY_WITHIN_7, 1, true, false, LOG_LEVEL_WARNING},
		{DAY, EXPIRY_WITHIN_1, 1, true, false, LOG_LEVEL_ERROR},
		{0, EXPIRY_WITHIN_1, 0, true, false, LOG_LEVEL_ERROR},
		{-1, EXPIRY_ENDED, -1, true, true, LOG_LEVEL_ERROR},
		{-DAY, EXPIRY_ENDED, -1, true, true, LOG_LEVEL_ERROR},
		{-DAY - 1, EXPIRY_ENDED, -2, true, true, LOG_LEVEL_ERROR},
	};
	static const enum expiry_what certificates[] = {EXPIRY_CLIENT, EXPIRY_RA, EXPIRY_CA};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		size_t n = i / 2;
		struct expiry expiry;

		now = NOW - cases[n].left;
		expiry = expiry_judge(certificates[i % 2], NOW - 730 * DAY, NOW);
		if (expiry.level != cases[n].level || expiry_days(&expiry) != cases[n].days)
			fail_msg("%lld seconds left: level %d, %lld days", (long long)cases[n].left,
				(int)expiry.level, (long long)expiry_days(&expiry));
		assert_int_equal(expiry_is_near(&expiry), cases[n].near);
		assert_int_equal(expiry_is_over(&expiry), cases[n].over);
		assert_int_equal(expiry_log_level(&expiry), cases[n].log);
	}
}

static void test_not_yet(void **state)
{
	struct expiry expiry = expiry_judge(EXPIRY_CA, NOW + 1, NOW + 365 * DAY);

	(void)state;
	assert_int_equal(expiry.level, EXPIRY_NOT_YET);
	assert_true(expiry_is_near(&expiry) && expiry_is_over(&expiry));
	assert_int_equal(expiry_log_level(&expiry), LOG_LEVEL_ERROR);
	expect_text(
		&expiry, "is not valid before 2023-11-14T22:13:21Z: check this machine's clock");
	now = NOW + 1;
	expiry = expiry_judge(EXPIRY_CA, NOW + 1, NOW + 365 * DAY);
	assert_int_equal(expiry.level, EXPIRY_FINE);
}

/* By its own time; never more than a warning. */
static void test_crl(void **state)
{
	static const struct {
		int64_t validity, left;
		enum expiry_level level;
	} cases[] = {
		{7 * DAY, 7 * DAY, EXPIRY_FINE},
		{7 * DAY, 42 * HOUR + 1, EXPIRY_FINE},
		{7 * DAY, 42 * HOUR, EXPIRY_WITHIN_7},
		{7 * DAY, DAY, EXPIRY_WITHIN_1},
		{7 * DAY, 0, EXPIRY_WITHIN_1},
		{7 * DAY, -1, EXPIRY_ENDED},
		{HOUR, HOUR, EXPIRY_FINE},
		{HOUR, 901, EXPIRY_FINE},
		{HOUR, 900, EXPIRY_WITHIN_1},
		{HOUR, -1, EXPIRY_ENDED},
		{DAY, 6 * HOUR + 1, EXPIRY_FINE},
		{DAY, 6 * HOUR, EXPIRY_WITHIN_1},
		{365 * DAY, 61 * DAY, EXPIRY_FINE},
		{365 * DAY, 60 * DAY, EXPIRY_WITHIN_60},
		{HOUR, HOUR + 1, EXPIRY_NOT_YET},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct expiry expiry;

		now = NOW - cases[i].left;
		expiry = expiry_judge(EXPIRY_CRL, NOW - cases[i].validity, NOW);
		if (expiry.level != cases[i].level)
			fail_msg("%lld of %lld seconds left: level %d", (long long)cases[i].left,
				(long long)cases[i].validity, (int)expiry.level);
		assert_int_equal(expiry_is_near(&expiry), cases[i].level != EXPIRY_FINE);
		assert_false(expiry_is_over(&expiry));
		assert_int_equal(expiry_log_level(&expiry), LOG_LEVEL_WARNING);
	}
}

static void test_words(void **state)
{
	static const struct {
		enum expiry_what what;
		int64_t left;
		const char *text;
	} cases[] = {
		{EXPIRY_CLIENT, 365 * DAY, "ends 2023-11-14T22:13:20Z, 365 days left"},
		{EXPIRY_CLIENT, 60 * DAY,
			"ends 2023-11-14T22:13:20Z, 60 days left: plan to replace it"
			" (register the new thumbprint at the Escrow Gateway first)"},
		{EXPIRY_CLIENT, 30 * DAY - 1,
			"ends 2023-11-14T22:13:20Z, 29 days left: replace it soon"
			" (register the new thumbprint at the Escrow Gateway first)"},
		{EXPIRY_RA, 7 * DAY,
			"ends 2023-11-14T22:13:20Z, 7 days left: replace it now"
			" ([ca] identity; without it nothing is issued)"},
		{EXPIRY_CA, 2 * DAY,
			"ends 2023-11-14T22:13:20Z, 2 days left: replace it now"
			" (no certificate that it has issued outlives it)"},
		{EXPIRY_CA, 2 * DAY - 1,
			"ends 2023-11-14T22:13:20Z, 47 hours left: replace it now"
			" (no certificate that it has issued outlives it)"},
		{EXPIRY_CA, 2 * HOUR,
			"ends 2023-11-14T22:13:20Z, 2 hours left: replace it at once"
			" (no certificate that it has issued outlives it)"},
		{EXPIRY_CA, 119,
			"ends 2023-11-14T22:13:20Z, less than two minutes left: replace it at once"
			" (no certificate that it has issued outlives it)"},
		{EXPIRY_CA, -1,
			"ended 2023-11-14T22:13:20Z: replace it at once"
			" (no certificate that it has issued outlives it)"},
		{EXPIRY_CRL, 7 * DAY, "is to be renewed by 2023-11-14T22:13:20Z, 7 days left"},
		{EXPIRY_CRL, DAY,
			"is to be renewed by 2023-11-14T22:13:20Z, 24 hours left:"
			" it was not requested lately; see that the job that copies it runs"},
		{EXPIRY_CRL, -DAY,
			"was to be renewed by 2023-11-14T22:13:20Z:"
			" it was not requested lately; see that the job that copies it runs"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t begin = cases[i].what == EXPIRY_CRL ? NOW - 7 * DAY : NOW - 730 * DAY;
		struct expiry expiry;

		now = NOW - cases[i].left;
		expiry = expiry_judge(cases[i].what, begin, NOW);
		expect_text(&expiry, cases[i].text);
	}
}

/* No certificate outlives its CA: from validity before its end on all are shortened. */
static void test_shortens(void **state)
{
	static const struct {
		int64_t left;
		enum expiry_level level;
		const char *text;
	} cases[] = {
		{425 * DAY + 1, EXPIRY_FINE, "ends 2023-11-14T22:13:20Z, 425 days left"},
		{425 * DAY, EXPIRY_SHORTENS,
			"ends 2023-11-14T22:13:20Z, 425 days left; from 2022-11-14T22:13:20Z "
			"certificates are issued for less than validity in [certificates]: plan to "
			"replace it (no certificate that it has issued outlives it)"},
		{364 * DAY, EXPIRY_SHORTENS,
			"ends 2023-11-14T22:13:20Z, 364 days left; since 2022-11-14T22:13:20Z "
			"certificates are issued for less than validity in [certificates]: plan to "
			"replace it (no certificate that it has issued outlives it)"},
		{60 * DAY, EXPIRY_WITHIN_60,
			"ends 2023-11-14T22:13:20Z, 60 days left: plan to replace it (no "
			"certificate that it has issued outlives it)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct expiry expiry;

		now = NOW - cases[i].left;
		expiry = expiry_judge_ca(NOW - 3650 * DAY, NOW, 365 * DAY);
		assert_int_equal(expiry.level, cases[i].level);
		assert_int_equal(expiry.shortens, NOW - 365 * DAY);
		assert_int_equal(expiry_is_near(&expiry), cases[i].level != EXPIRY_FINE);
		assert_false(expiry_is_over(&expiry));
		expect_text(&expiry, cases[i].text);
	}
}

static void test_unknown(void **state)
{
	const struct expiry none = {.what = EXPIRY_CRL, .level = EXPIRY_NONE};
	struct error e = {.code = ERR_OK};
	struct expiry expiry;

	(void)state;
	error_set(&e, ERR_CONFIG, "/etc/x.pfx: no such file");
	expiry = expiry_unknown(EXPIRY_CLIENT, &e);
	assert_true(expiry_is_near(&expiry));
	assert_false(expiry_is_over(&expiry));
	assert_int_equal(expiry_log_level(&expiry), LOG_LEVEL_WARNING);
	expect_text(&expiry, "cannot be read: /etc/x.pfx: no such file");
	assert_false(expiry_is_near(&none));
	expect_text(&none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shortens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crl, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
