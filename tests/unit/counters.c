#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provider/counters.h"
#include "provider/step_times.h"

#define PROCESSES 4
#define ROUNDS 20000

static int set_up(void **state)
{
	struct counters *counters = mmap(
		NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*state = counters;
	return counters == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	return munmap(*state, sizeof(struct counters));
}

static unsigned long long in_all(const struct counters *counters, enum step step)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i <= COUNTERS_BUCKETS; i++)
		sum += atomic_load(&counters->step[step].count[i]);
	return sum;
}

static unsigned long long in_bucket(const struct counters *counters, enum step step, size_t bucket)
{
	return atomic_load(&counters->step[step].count[bucket]);
}

static void bounds_ascend(void **state)
{
	(void)state;
	assert_true(counters_bounds[0] > 0);
	for (size_t i = 1; i < COUNTERS_BUCKETS; i++)
		assert_true(counters_bounds[i] > counters_bounds[i - 1]);
}

/* As "le" says: less or equal. */
static void a_time_is_in_one_bucket(void **state)
{
	struct counters *counters = *state;

	for (size_t i = 0; i < COUNTERS_BUCKETS; i++) {
		counters_step(counters, STEP_PACK, counters_bounds[i]);
		assert_int_equal(in_bucket(counters, STEP_PACK, i), i ? 2 : 1);
		counters_step(counters, STEP_PACK, counters_bounds[i] + 1);
		assert_int_equal(in_bucket(counters, STEP_PACK, i + 1), 1);
	}
	for (size_t i = 0; i <= COUNTERS_BUCKETS; i++)
		assert_int_equal(in_bucket(counters, STEP_FINISH, i), 0);
}

static void times_at_the_ends(void **state)
{
	struct counters *counters = *state;

	counters_step(counters, STEP_RECORD, 0);
	counters_step(counters, STEP_RECORD, -5);
	assert_int_equal(in_bucket(counters, STEP_RECORD, 0), 2);
	assert_int_equal(atomic_load(&counters->step[STEP_RECORD].sum), 0);
	counters_step(counters, STEP_RECORD, INT64_MAX);
	assert_int_equal(in_bucket(counters, STEP_RECORD, COUNTERS_BUCKETS), 1);
	assert_true(atomic_load(&counters->step[STEP_RECORD].sum) == INT64_MAX);
	/* beyond 32 bits: more than an hour of microseconds */
	counters_step(counters, STEP_TURN, 3000000000LL);
	counters_step(counters, STEP_TURN, 3000000000LL);
	assert_true(atomic_load(&counters->step[STEP_TURN].sum) == 6000000000ULL);
}

static void results_are_kept_apart(void **state)
{
	struct counters *counters = *state;

	counters_issued(counters, 0, ERR_OK);
	counters_issued(counters, 0, ERR_OK);
	counters_issued(counters, CA_TYPE_COUNT - 1, ERR_INTERNAL);
	assert_int_equal(atomic_load(&counters->issued[0][ERR_OK]), 2);
	assert_int_equal(atomic_load(&counters->issued[0][ERR_INTERNAL]), 0);
	assert_int_equal(atomic_load(&counters->issued[CA_TYPE_COUNT - 1][ERR_INTERNAL]), 1);
}

static unsigned long long uploads(const struct counters *counters, size_t place)
{
	return atomic_load(&counters->gateway[place].uploads[ERR_OK]);
}

static void gateways_keep_their_places(void **state)
{
	struct counters *counters = *state;
	char a[] = "https://a", b[] = "https://b", c[] = "https://c";
	char *const before[] = {a, b, NULL}, *const after[] = {c, b, NULL};

	counters_name_gateways(counters, before);
	counters_upload(counters, b, ERR_OK);
	counters_name_gateways(counters, after);
	counters_name_gateways(counters, after);
	counters_upload(counters, b, ERR_OK);
	counters_upload(counters, c, ERR_OK);
	counters_upload(counters, "https://stranger", ERR_OK);
	assert_int_equal(atomic_load(&counters->gateways), 3);
	assert_string_equal(counters->gateway[1].url, b);
	assert_string_equal(counters->gateway[2].url, c);
	assert_int_equal(uploads(counters, 0), 0);
	assert_int_equal(uploads(counters, 1), 2);
	assert_int_equal(uploads(counters, 2), 1);
	assert_int_equal(uploads(counters, COUNTERS_GATEWAYS), 1);
}

static void gateways_are_bounded(void **state)
{
	struct counters *counters = *state;
	char url[2 * COUNTERS_GATEWAYS][32], longest[COUNTERS_URL_SIZE + 1];
	char *list[2 * COUNTERS_GATEWAYS + 1] = {longest};

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	counters_name_gateways(counters, list);
	assert_int_equal(atomic_load(&counters->gateways), 0);
	for (size_t i = 0; i < 2 * COUNTERS_GATEWAYS; i++) {
		snprintf(url[i], sizeof(url[i]), "https://%zu", i);
		list[i] = url[i];
	}
	counters_name_gateways(counters, list);
	assert_int_equal(atomic_load(&counters->gateways), COUNTERS_GATEWAYS);
	for (size_t i = 0; i < 2 * COUNTERS_GATEWAYS; i++)
		counters_upload(counters, url[i], ERR_OK);
	for (size_t i = 0; i < COUNTERS_GATEWAYS; i++)
		assert_int_equal(uploads(counters, i), 1);
	assert_int_equal(uploads(counters, COUNTERS_GATEWAYS), COUNTERS_GATEWAYS);
}

static void count_much(struct counters *counters)
{
	for (int i = 0; i < ROUNDS; i++) {
		counters_step(counters, STEP_UPLOAD, 1000);
		counters_issued(counters, 0, ERR_OK);
		counters_upload(counters, "https://a", ERR_OK);
	}
}

static void processes_count_together(void **state)
{
	struct counters *counters = *state;
	char a[] = "https://a";
	char *const urls[] = {a, NULL};
	int status;

	counters_name_gateways(counters, urls);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			count_much(counters);
			_exit(0);
		}
		assert_true(pid > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(in_bucket(counters, STEP_UPLOAD, 1), PROCESSES * ROUNDS);
	assert_int_equal(atomic_load(&counters->step[STEP_UPLOAD].sum), PROCESSES * ROUNDS * 1000);
	assert_int_equal(atomic_load(&counters->issued[0][ERR_OK]), PROCESSES * ROUNDS);
	assert_int_equal(uploads(counters, 0), PROCESSES * ROUNDS);
}

static void nobody_need_count(void **state)
{
	char a[] = "https://a";
	char *const urls[] = {a, NULL};

	(void)state;
	counters_name_gateways(NULL, urls);
	counters_step(NULL, STEP_PACK, 1);
	counters_issued(NULL, 0, ERR_OK);
	counters_upload(NULL, a, ERR_OK);
}

static void steps_are_counted_as_they_end(void **state)
{
	struct counters *counters = *state;
	struct buf line = BUF_INIT(4096);
	struct step_times steps;

	step_times_start(&steps, counters);
	for (unsigned i = 0; i < 2 * STEP_TIMES_MAX; i++)
		step_times_done(&steps, STEP_PACK, NULL);
	step_times_done(&steps, STEP_FINISH, "failed");
	/* In whatever bucket: the machine may be busy. */
	assert_int_equal(in_all(counters, STEP_PACK), 2 * STEP_TIMES_MAX);
	assert_int_equal(in_all(counters, STEP_FINISH), 1);
	step_times_start(&steps, NULL);
	step_times_done(&steps, STEP_SIGNING, "made");
	step_times_print(&steps, &line);
	assert_int_equal(strncmp(line.data, "signing=made:0.", 15), 0);
	assert_non_null(strstr(line.data, "ms total=0."));
	for (size_t i = 0; i <= COUNTERS_BUCKETS; i++)
		assert_int_equal(in_bucket(counters, STEP_SIGNING, i), 0);
	buf_free(&line);
}

static struct step_times steps_of(int64_t us)
{
	return (struct step_times){.count = 3,
		.done = {{STEP_SIGNING, "made", us}, {STEP_UPLOAD, NULL, 5},
			{STEP_UPLOAD, NULL, 6}}};
}

static void the_latest_attempts_are_kept(void **state)
{
	struct counters *counters = *state;
	struct counters_attempt attempt;

	assert_false(counters_find_attempt(NULL, 1, &attempt));
	assert_false(counters_find_attempt(counters, 0, &attempt));
	assert_false(counters_find_attempt(counters, 1, &attempt));
	for (int id = 1; id <= COUNTERS_ATTEMPTS + 1; id++) {
		const struct step_times steps = steps_of(id);

		step_times_count(&steps, counters, id);
	}
	assert_false(counters_find_attempt(counters, 1, &attempt));
	assert_true(counters_find_attempt(counters, 2, &attempt));
	assert_int_equal(attempt.us[STEP_SIGNING], 2);
	assert_int_equal(attempt.us[STEP_UPLOAD], 11); /* to all gateways */
	assert_int_equal(attempt.us[STEP_RECORD], -1);
}

static void an_event_has_its_newest_attempt(void **state)
{
	const struct step_times first = steps_of(1), second = steps_of(2);
	struct counters *counters = *state;
	struct counters_attempt attempt;

	step_times_count(&first, counters, 7);
	step_times_count(&second, counters, 7);
	assert_true(counters_find_attempt(counters, 7, &attempt));
	assert_int_equal(attempt.us[STEP_SIGNING], 2);
	atomic_store(&counters->place[1].turn, 0); /* killed while it wrote */
	assert_true(counters_find_attempt(counters, 7, &attempt));
	assert_int_equal(attempt.us[STEP_SIGNING], 1);
}

/* Readers see all of one attempt or nothing: here its id is each step's time. */
static void attempts_of_processes_are_never_mixed(void **state)
{
	struct counters *counters = *state;
	struct counters_attempt attempt;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (int round = 0; round < ROUNDS; round++) {
			struct step_times steps = {.count = STEP_COUNT};

			for (int i = 0; i < STEP_COUNT; i++) {
				steps.done[i].step = (enum step)i;
				steps.done[i].us = round;
			}
			step_times_count(&steps, counters, round % 3 + 1);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!counters_find_attempt(counters, 2, &attempt))
			continue;
		assert_int_equal(attempt.us[0] % 3, 1);
		for (int i = 1; i < STEP_COUNT; i++)
			assert_int_equal(attempt.us[i], attempt.us[0]);
	}
	assert_int_equal(status, 0);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_ascend),
		FRESH(a_time_is_in_one_bucket),
		FRESH(times_at_the_ends),
		FRESH(results_are_kept_apart),
		FRESH(gateways_keep_their_places),
		FRESH(gateways_are_bounded),
		FRESH(processes_count_together),
		cmocka_unit_test(nobody_need_count),
		FRESH(steps_are_counted_as_they_end),
		FRESH(the_latest_attempts_are_kept),
		FRESH(an_event_has_its_newest_attempt),
		FRESH(attempts_of_processes_are_never_mixed),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
