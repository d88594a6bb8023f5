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

#include "provider/meter.h"

#define PROCESSES 4
#define ROUNDS 20000

static int set_up(void **state)
{
	struct meter *meter = mmap(
		NULL, sizeof(*meter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*state = meter;
	return meter == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	return munmap(*state, sizeof(struct meter));
}

static unsigned long long in_all(const struct meter *meter, enum step step)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i <= METER_BUCKETS; i++)
		sum += atomic_load(&meter->step[step].count[i]);
	return sum;
}

static unsigned long long in_bucket(const struct meter *meter, enum step step, size_t bucket)
{
	return atomic_load(&meter->step[step].count[bucket]);
}

static void bounds_ascend(void **state)
{
	(void)state;
	assert_true(meter_bounds[0] > 0);
	for (size_t i = 1; i < METER_BUCKETS; i++)
		assert_true(meter_bounds[i] > meter_bounds[i - 1]);
}

/* As "le" says: less or equal. */
static void a_time_is_in_one_bucket(void **state)
{
	struct meter *meter = *state;

	for (size_t i = 0; i < METER_BUCKETS; i++) {
		meter_step(meter, STEP_PACK, meter_bounds[i]);
		assert_int_equal(in_bucket(meter, STEP_PACK, i), i ? 2 : 1);
		meter_step(meter, STEP_PACK, meter_bounds[i] + 1);
		assert_int_equal(in_bucket(meter, STEP_PACK, i + 1), 1);
	}
	for (size_t i = 0; i <= METER_BUCKETS; i++)
		assert_int_equal(in_bucket(meter, STEP_FINISH, i), 0);
}

static void times_at_the_ends(void **state)
{
	struct meter *meter = *state;

	meter_step(meter, STEP_RECORD, 0);
	meter_step(meter, STEP_RECORD, -5);
	assert_int_equal(in_bucket(meter, STEP_RECORD, 0), 2);
	assert_int_equal(atomic_load(&meter->step[STEP_RECORD].sum), 0);
	meter_step(meter, STEP_RECORD, INT64_MAX);
	assert_int_equal(in_bucket(meter, STEP_RECORD, METER_BUCKETS), 1);
	assert_true(atomic_load(&meter->step[STEP_RECORD].sum) == INT64_MAX);
	/* beyond 32 bits: more than an hour of microseconds */
	meter_step(meter, STEP_TURN, 3000000000LL);
	meter_step(meter, STEP_TURN, 3000000000LL);
	assert_true(atomic_load(&meter->step[STEP_TURN].sum) == 6000000000ULL);
}

static void results_are_kept_apart(void **state)
{
	struct meter *meter = *state;

	meter_issued(meter, 0, ERR_OK);
	meter_issued(meter, 0, ERR_OK);
	meter_issued(meter, CA_TYPE_COUNT - 1, ERR_INTERNAL);
	assert_int_equal(atomic_load(&meter->issued[0][ERR_OK]), 2);
	assert_int_equal(atomic_load(&meter->issued[0][ERR_INTERNAL]), 0);
	assert_int_equal(atomic_load(&meter->issued[CA_TYPE_COUNT - 1][ERR_INTERNAL]), 1);
}

static unsigned long long uploads(const struct meter *meter, size_t place)
{
	return atomic_load(&meter->gateway[place].uploads[ERR_OK]);
}

static void gateways_keep_their_places(void **state)
{
	struct meter *meter = *state;
	char a[] = "https://a", b[] = "https://b", c[] = "https://c";
	char *const before[] = {a, b, NULL}, *const after[] = {c, b, NULL};

	meter_name_gateways(meter, before);
	meter_upload(meter, b, ERR_OK);
	meter_name_gateways(meter, after);
	meter_name_gateways(meter, after);
	meter_upload(meter, b, ERR_OK);
	meter_upload(meter, c, ERR_OK);
	meter_upload(meter, "https://stranger", ERR_OK);
	assert_int_equal(atomic_load(&meter->gateways), 3);
	assert_string_equal(meter->gateway[1].url, b);
	assert_string_equal(meter->gateway[2].url, c);
	assert_int_equal(uploads(meter, 0), 0);
	assert_int_equal(uploads(meter, 1), 2);
	assert_int_equal(uploads(meter, 2), 1);
	assert_int_equal(uploads(meter, METER_GATEWAYS), 1);
}

static void gateways_are_bounded(void **state)
{
	struct meter *meter = *state;
	char url[2 * METER_GATEWAYS][32], longest[METER_URL_SIZE + 1];
	char *list[2 * METER_GATEWAYS + 1] = {longest};

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	meter_name_gateways(meter, list);
	assert_int_equal(atomic_load(&meter->gateways), 0);
	for (size_t i = 0; i < 2 * METER_GATEWAYS; i++) {
		snprintf(url[i], sizeof(url[i]), "https://%zu", i);
		list[i] = url[i];
	}
	meter_name_gateways(meter, list);
	assert_int_equal(atomic_load(&meter->gateways), METER_GATEWAYS);
	for (size_t i = 0; i < 2 * METER_GATEWAYS; i++)
		meter_upload(meter, url[i], ERR_OK);
	for (size_t i = 0; i < METER_GATEWAYS; i++)
		assert_int_equal(uploads(meter, i), 1);
	assert_int_equal(uploads(meter, METER_GATEWAYS), METER_GATEWAYS);
}

static void count_much(struct meter *meter)
{
	for (int i = 0; i < ROUNDS; i++) {
		meter_step(meter, STEP_UPLOAD, 1000);
		meter_issued(meter, 0, ERR_OK);
		meter_upload(meter, "https://a", ERR_OK);
	}
}

static void processes_count_together(void **state)
{
	struct meter *meter = *state;
	char a[] = "https://a";
	char *const urls[] = {a, NULL};
	int status;

	meter_name_gateways(meter, urls);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			count_much(meter);
			_exit(0);
		}
		assert_true(pid > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(in_bucket(meter, STEP_UPLOAD, 1), PROCESSES * ROUNDS);
	assert_int_equal(atomic_load(&meter->step[STEP_UPLOAD].sum), PROCESSES * ROUNDS * 1000);
	assert_int_equal(atomic_load(&meter->issued[0][ERR_OK]), PROCESSES * ROUNDS);
	assert_int_equal(uploads(meter, 0), PROCESSES * ROUNDS);
}

static void nobody_need_count(void **state)
{
	char a[] = "https://a";
	char *const urls[] = {a, NULL};

	(void)state;
	meter_name_gateways(NULL, urls);
	meter_step(NULL, STEP_PACK, 1);
	meter_issued(NULL, 0, ERR_OK);
	meter_upload(NULL, a, ERR_OK);
}

static void steps_are_counted_as_they_end(void **state)
{
	struct meter *meter = *state;
	struct buf line = BUF_INIT(4096);
	struct step_times steps;

	step_times_start(&steps, meter);
	for (unsigned i = 0; i < 2 * STEP_TIMES_MAX; i++)
		step_times_done(&steps, STEP_PACK, NULL);
	step_times_done(&steps, STEP_FINISH, "failed");
	/* In whatever bucket: the machine may be busy. */
	assert_int_equal(in_all(meter, STEP_PACK), 2 * STEP_TIMES_MAX);
	assert_int_equal(in_all(meter, STEP_FINISH), 1);
	step_times_start(&steps, NULL);
	step_times_done(&steps, STEP_SIGNING, "made");
	step_times_print(&steps, &line);
	assert_int_equal(strncmp(line.data, "signing=made:0.", 15), 0);
	assert_non_null(strstr(line.data, "ms total=0."));
	for (size_t i = 0; i <= METER_BUCKETS; i++)
		assert_int_equal(in_bucket(meter, STEP_SIGNING, i), 0);
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
	struct meter *meter = *state;
	struct meter_attempt attempt;

	assert_false(meter_find_attempt(NULL, 1, &attempt));
	assert_false(meter_find_attempt(meter, 0, &attempt));
	assert_false(meter_find_attempt(meter, 1, &attempt));
	for (int id = 1; id <= METER_ATTEMPTS + 1; id++) {
		const struct step_times steps = steps_of(id);

		meter_attempt(meter, id, &steps);
	}
	assert_false(meter_find_attempt(meter, 1, &attempt));
	assert_true(meter_find_attempt(meter, 2, &attempt));
	assert_int_equal(attempt.us[STEP_SIGNING], 2);
	assert_int_equal(attempt.us[STEP_UPLOAD], 11); /* to all gateways */
	assert_int_equal(attempt.us[STEP_RECORD], -1);
}

static void an_event_has_its_newest_attempt(void **state)
{
	const struct step_times first = steps_of(1), second = steps_of(2);
	struct meter *meter = *state;
	struct meter_attempt attempt;

	meter_attempt(meter, 7, &first);
	meter_attempt(meter, 7, &second);
	assert_true(meter_find_attempt(meter, 7, &attempt));
	assert_int_equal(attempt.us[STEP_SIGNING], 2);
	atomic_store(&meter->place[1].turn, 0); /* killed while it wrote */
	assert_true(meter_find_attempt(meter, 7, &attempt));
	assert_int_equal(attempt.us[STEP_SIGNING], 1);
}

/* Readers see all of one attempt or nothing: here its id is each step's time. */
static void attempts_of_processes_are_never_mixed(void **state)
{
	struct meter *meter = *state;
	struct meter_attempt attempt;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (int round = 0; round < ROUNDS; round++) {
			struct step_times steps = {.count = STEP_COUNT};

			for (int i = 0; i < STEP_COUNT; i++) {
				steps.done[i].step = (enum step)i;
				steps.done[i].us = round;
			}
			meter_attempt(meter, round % 3 + 1, &steps);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!meter_find_attempt(meter, 2, &attempt))
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

	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
