#include "provider/bulk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATIENCE 3 /* seconds: an item takes no time, unless it is stuck */
#define ITEMS 40

/* In memory that all workers share. */
struct job {
	atomic_int next;
	int stuck; /* every so many-th item; 0: none */
};

static struct job *new_job(int stuck)
{
	struct job *job =
		mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(job != MAP_FAILED);
	job->stuck = stuck;
	return job;
}

static enum err work(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e)
{
	struct job *job = ctx;

	(void)worker;
	(void)workers;
	(void)e;
	while (bulk_goes_on(bulk)) {
		int item = atomic_fetch_add(&job->next, 1) + 1;

		if (item > ITEMS)
			break;
		bulk_wait_turn(bulk);
		if (job->stuck && item % job->stuck == 0)
			pause();
		bulk_count(bulk, ERR_OK);
	}
	return ERR_OK;
}

static struct bulk_tally run(struct job *job, unsigned workers)
{
	const struct bulk_options options = {
		.workers = workers, .rate = 1000, .patience = PATIENCE};
	struct bulk_tally tally = {.total = 0};
	struct error e = {.code = ERR_OK};

	if (bulk_run(&options, work, job, &tally, &e))
		fail_msg("%s", e.text);
	munmap(job, sizeof(*job));
	return tally;
}

static void test_all_is_done(void **state)
{
	struct bulk_tally tally = run(new_job(0), 3);

	(void)state;
	assert_int_equal(tally.done, ITEMS);
	assert_int_equal(tally.pending, 0);
	assert_false(tally.stopped);
}

/* One worker alone, and several: what is stuck is left, all else is done. */
static void test_stuck_items_are_left(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 3; workers += 2) {
		struct bulk_tally tally = run(new_job(ITEMS / 2), workers);

		assert_int_equal(tally.done, ITEMS - 2);
		assert_int_equal(tally.pending, 2);
		assert_false(tally.stopped);
	}
}

/* Where every item is stuck, the other side is to blame. */
static void test_all_stuck_is_the_end(void **state)
{
	struct bulk_tally tally = run(new_job(1), 4);

	(void)state;
	assert_int_equal(tally.done, 0);
	assert_in_range(tally.pending, 5, 8);
	assert_true(tally.stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_done),
		cmocka_unit_test(test_stuck_items_are_left),
		cmocka_unit_test(test_all_stuck_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
