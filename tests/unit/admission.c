/* Slots for attempts, and breakers of peers that hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "provider/admission.h"

#define NOW 1000000

static int set_up(void **state)
{
	struct admission *admission = mmap(NULL, sizeof(*admission), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*state = admission;
	return admission == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	return munmap(*state, sizeof(struct admission));
}

static struct admission_pass pass_of(
	struct admission *admission, unsigned place, unsigned generation)
{
	return (struct admission_pass){
		.admission = admission, .place = place, .generation = generation, .slots = 2};
}

/* --- slots */

static void one_worker_is_left(void **state)
{
	struct admission_pass a = pass_of(*state, 0, 1), b = pass_of(*state, 1, 1),
			      c = pass_of(*state, 2, 1);

	assert_true(admission_try(&a, NOW));
	assert_true(admission_try(&b, NOW));
	assert_false(admission_try(&c, NOW));
	admission_leave(&a);
	assert_true(admission_try(&c, NOW));
	assert_false(admission_try(&a, NOW));
}

static void a_generation_has_its_own(void **state)
{
	struct admission_pass a = pass_of(*state, 0, 1), b = pass_of(*state, 1, 1),
			      c = pass_of(*state, 2, 2);

	assert_true(admission_try(&a, NOW));
	assert_true(admission_try(&b, NOW));
	assert_true(admission_try(&c, NOW));
}

static void a_dead_worker_holds_none(void **state)
{
	struct admission_pass other = pass_of(*state, 5, 1), last = pass_of(*state, 6, 1);
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct admission_pass mine = pass_of(*state, 4, 1);

		if (admission_enter(&mine))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(admission_try(&other, NOW));
	assert_false(admission_try(&last, NOW));
	admission_free_slot(*state, 4);
	assert_true(admission_try(&last, NOW));
}

/* Whoever computes, or has just begun to wait, is soon done; all stuck is another matter. */
static void only_stuck_ones_are_not_waited_for(void **state)
{
	struct admission_pass a = pass_of(*state, 0, 1), b = pass_of(*state, 1, 1),
			      c = pass_of(*state, 2, 1);
	int64_t began;

	assert_true(admission_try(&a, NOW));
	assert_true(admission_try(&b, NOW));
	began = admission_wait_begins(&a);
	assert_true(admission_may_wait(&c, began + 4000, began + 4000));
	admission_wait_begins(&b);
	assert_true(admission_may_wait(&c, began, began + 1000));
	assert_false(admission_may_wait(&c, began + 4000, began + 4000));
	admission_wait_ends(&b, began);
	assert_true(admission_may_wait(&c, began + 4000, began + 4000));
	assert_false(admission_may_wait(&c, began, began + 6000));
}

static void connections_do_not_wait_for_long(void **state)
{
	struct admission *admission = *state;
	struct admission_pass a = pass_of(admission, 0, 1), b = pass_of(admission, 1, 1),
			      c = pass_of(admission, 2, 1);

	assert_true(admission_try(&a, NOW));
	assert_true(admission_try(&b, NOW));
	admission_note_crowd(admission, true, NOW);
	admission_note_crowd(admission, true, NOW + 39000);
	assert_true(admission_may_wait(&c, NOW + 39000, NOW + 39000));
	assert_false(admission_may_wait(&c, NOW + 41000, NOW + 41000));
	atomic_store(&admission->pace, 2000); /* a slow peer: shorter */
	assert_true(admission_may_wait(&c, NOW + 4000, NOW + 4000));
	assert_false(admission_may_wait(&c, NOW + 6000, NOW + 6000));
	admission_note_crowd(admission, false, NOW + 6000);
	assert_true(admission_may_wait(&c, NOW + 6000, NOW + 6000));
}

static void the_pace_is_that_of_attempts(void **state)
{
	struct admission *admission = *state;
	struct admission_pass a = pass_of(admission, 0, 1);

	for (int i = 0; i < 20; i++) {
		assert_true(admission_try(&a, NOW));
		admission_wait_ends(&a, clock_monotonic_ms() - 1500);
		admission_wait_ends(&a, clock_monotonic_ms() - 1500);
		admission_leave(&a);
	}
	assert_in_range(atomic_load(&admission->pace), 2900, 4000);
}

static void a_client_is_answered_early_where_others_wait(void **state)
{
	struct admission_pass a = pass_of(*state, 0, 1), b = pass_of(*state, 1, 1),
			      c = pass_of(*state, 2, 1);
	int64_t now = clock_monotonic_ms();

	assert_true(admission_try(&a, now));
	assert_false(admission_is_wanted(&a, now + 20000));
	assert_true(admission_try(&b, now));
	admission_wait_begins(&a);
	admission_wait_begins(&b);
	assert_false(admission_enter(&c)); /* waits for a moment: they are not stuck yet */
	assert_false(admission_is_wanted(&a, now + 2000));
	assert_true(admission_is_wanted(&a, now + 4000));
	assert_false(admission_is_wanted(&c, now + 4000));
}

static void without_a_gate_nothing_is_limited(void **state)
{
	struct admission_pass nowhere = pass_of(*state, ADMISSION_PLACES, 1);
	struct error e;

	assert_true(admission_enter(NULL));
	assert_true(admission_enter(&nowhere));
	admission_leave(NULL);
	admission_wait_ends(NULL, admission_wait_begins(NULL));
	assert_false(admission_is_wanted(NULL, NOW));
	assert_null(admission_gateway_breaker(NULL, 0));
	assert_int_equal(breaker_ask(NULL, "peer", NOW, &e), ERR_OK);
	breaker_note(NULL, "peer", ERR_UNAVAILABLE, 0, NOW);
}

/* --- breakers */

static void hang(struct breaker *b, int times, int64_t now)
{
	for (int i = 0; i < times; i++)
		breaker_note(b, "peer", ERR_UNAVAILABLE, now - 20000, now);
}

static void it_opens_after_three_timeouts(void **state)
{
	struct breaker *b = &((struct admission *)*state)->gateway[0];
	struct error e;

	hang(b, 2, NOW);
	assert_int_equal(breaker_ask(b, "peer", NOW, &e), ERR_OK);
	hang(b, 1, NOW);
	assert_int_equal(breaker_ask(b, "peer", NOW + 1, &e), ERR_UNAVAILABLE);
	assert_in_range(e.retry_after, 9, 11);
	assert_int_equal(
		breaker_ask(&((struct admission *)*state)->gateway[1], "x", NOW, &e), ERR_OK);
}

static void what_fails_at_once_holds_nobody_up(void **state)
{
	struct breaker *b = &((struct admission *)*state)->gateway[0];
	struct error e;

	for (int i = 0; i < 9; i++)
		breaker_note(b, "peer", ERR_UNAVAILABLE, NOW - 10, NOW);
	for (int i = 0; i < 9; i++)
		breaker_note(b, "peer", ERR_REFUSED, NOW - 9000, NOW);
	assert_int_equal(breaker_ask(b, "peer", NOW, &e), ERR_OK);
	hang(b, 2, NOW);
	breaker_note(b, "peer", ERR_OK, NOW - 9000, NOW);
	hang(b, 2, NOW);
	assert_int_equal(breaker_ask(b, "peer", NOW, &e), ERR_OK);
}

static void one_process_tries_for_all(void **state)
{
	struct breaker *b = &((struct admission *)*state)->gateway[0];
	struct error e;

	hang(b, 3, NOW);
	assert_int_equal(breaker_ask(b, "peer", NOW + 9999, &e), ERR_UNAVAILABLE);
	assert_int_equal(breaker_ask(b, "peer", NOW + 10000, &e), ERR_OK);
	assert_int_equal(breaker_ask(b, "peer", NOW + 10000, &e), ERR_UNAVAILABLE);
	/* it hangs: twice as long; it is killed: somebody else in its time */
	hang(b, 1, NOW + 30000);
	assert_int_equal(breaker_ask(b, "peer", NOW + 49999, &e), ERR_UNAVAILABLE);
	assert_int_equal(breaker_ask(b, "peer", NOW + 50000, &e), ERR_OK);
	assert_int_equal(breaker_ask(b, "peer", NOW + 169999, &e), ERR_UNAVAILABLE);
	assert_int_equal(breaker_ask(b, "peer", NOW + 170000, &e), ERR_OK);
	breaker_note(b, "peer", ERR_OK, NOW + 170000, NOW + 170001);
	assert_int_equal(breaker_ask(b, "peer", NOW + 170002, &e), ERR_OK);
	assert_int_equal(breaker_ask(b, "peer", NOW + 170002, &e), ERR_OK);
}

static void a_new_configuration_is_tried(void **state)
{
	struct admission *admission = *state;
	struct error e;

	hang(&admission->gateway[0], 30, NOW);
	hang(&admission->ca[0], 30, NOW);
	assert_int_equal(breaker_ask(&admission->ca[0], "peer", NOW + 59999, &e), ERR_UNAVAILABLE);
	admission_forget_peers(admission);
	assert_int_equal(breaker_ask(&admission->gateway[0], "peer", NOW, &e), ERR_OK);
	assert_int_equal(breaker_ask(&admission->ca[0], "peer", NOW, &e), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_worker_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_generation_has_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dead_worker_holds_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			only_stuck_ones_are_not_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			connections_do_not_wait_for_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_pace_is_that_of_attempts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_client_is_answered_early_where_others_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_a_gate_nothing_is_limited, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_opens_after_three_timeouts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_fails_at_once_holds_nobody_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_process_tries_for_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_configuration_is_tried, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
