/* A barred CA is tried by one process at a time, now and then. */
#include "tests/unit/store_fixture.h"

#include <string.h>

#include "base/clock.h"

#define START 1700000000

static int64_t now = START;

static int64_t test_clock(void)
{
	return now;
}

static const struct store_peer ours = {"ca", "these files", ""};
static const struct store_peer mended = {"ca", "other files", ""};
static const struct store_peer other = {"ca encryption", "these files", ""};

static int setup(void **state)
{
	now = START;
	clock_replace(test_clock);
	return store_setup(state);
}

static int teardown(void **state)
{
	clock_replace(NULL);
	return store_teardown(state);
}

static void bar(struct fixture *f, const struct store_peer *peer, int64_t wait)
{
	if (store_barred_set(f->store, peer, wait, "the password is wrong", &f->e))
		fail_msg("store_barred_set: %s", f->e.text);
}

static bool is_barred(struct fixture *f, const struct store_peer *peer)
{
	struct store_barred barred;
	enum err err = store_barred_find(f->store, peer, &barred, &f->e);

	if (err && err != ERR_NOT_FOUND)
		fail_msg("store_barred_find: %s", f->e.text);
	return !err;
}

/* True if we may try it; then nobody else may for 90 seconds. */
static bool try(struct fixture *f, const struct store_peer *peer)
{
	bool is = false;

	if (store_barred_try(f->store, peer, 90, &is, &f->e))
		fail_msg("store_barred_try: %s", f->e.text);
	return is;
}

static void is_known_with_its_cause_until_it_is_open(void **state)
{
	struct fixture *f = *state;
	struct store_barred barred;

	assert_false(is_barred(f, &ours));
	bar(f, &ours, 240);
	now += 300;
	bar(f, &ours, 480);
	assert_int_equal(store_barred_find(f->store, &ours, &barred, &f->e), ERR_OK);
	assert_int_equal(barred.since, START);
	assert_int_equal(barred.tried_at, START + 300);
	assert_int_equal(barred.until, START + 300 + 480);
	assert_int_equal(barred.tries, 2);
	assert_string_equal(barred.cause, "the password is wrong");
	assert_false(is_barred(f, &mended));
	assert_false(is_barred(f, &other));
	assert_int_equal(store_barred_clear(f->store, &ours, &f->e), ERR_OK);
	assert_false(is_barred(f, &ours));
}

static void is_tried_by_one_when_its_time_has_come(void **state)
{
	struct fixture *f = *state;

	bar(f, &ours, 240);
	now = START + 239;
	assert_false(try(f, &ours));
	now = START + 240;
	assert_true(try(f, &ours));
	assert_false(try(f, &ours));
	now += 89;
	assert_false(try(f, &ours));
	now += 1; /* that process has died */
	assert_true(try(f, &ours));
}

static void is_tried_once_in_a_run_that_does_not_wait(void **state)
{
	static const struct store_peer first = {"ca", "these files", "run 1"};
	static const struct store_peer second = {"ca", "these files", "run 2"};
	struct fixture *f = *state;

	bar(f, &ours, 240);
	assert_true(try(f, &first));
	assert_false(try(f, &first));
	bar(f, &first, 480);
	assert_false(try(f, &first));
	assert_false(try(f, &ours));
	assert_true(try(f, &second));
	assert_false(try(f, &second));
}

static void nobody_waits_for_a_wrong_clock(void **state)
{
	struct fixture *f = *state;

	now = START + 7200;
	bar(f, &ours, 60);
	now = START;
	assert_true(try(f, &ours));
}

static void what_was_asked_with_other_files_is_forgotten(void **state)
{
	struct fixture *f = *state;

	bar(f, &ours, 60);
	now += 7 * 86400 + 1;
	bar(f, &mended, 60);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM barred"), 1);
	assert_true(is_barred(f, &mended));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_known_with_its_cause_until_it_is_open),
		TEST(is_tried_by_one_when_its_time_has_come),
		TEST(is_tried_once_in_a_run_that_does_not_wait),
		TEST(nobody_waits_for_a_wrong_clock),
		TEST(what_was_asked_with_other_files_is_forgotten),
	};

	return cmocka_run_group_tests_name("store_barred", tests, NULL, NULL);
}
