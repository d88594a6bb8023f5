/* The watchdog ends what no deadline reaches. */
#include "base/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define FAR 600000 /* ms; no test takes so long */
#define STATUS 33

static int64_t in(int64_t ms)
{
	return clock_monotonic_ms() + ms;
}

/* Computes without end, like a process that no deadline reaches. */
static void spin(void)
{
	for (volatile unsigned n = 0;; n++)
		;
}

/* Returns how a process ends that does this and then exits with 0. */
static int end_of(void (*what)(void), const char *words, int to)
{
	struct error e;
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (to >= 0)
			dup2(to, STDERR_FILENO);
		if (watchdog_init(STATUS, words, &e))
			_exit(1);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void spin_past(void)
{
	(void)watchdog_enter(in(50));
	spin();
}

static void spin_after_the_time(void)
{
	(void)watchdog_enter(0);
	spin();
}

static void spin_in_a_longer_one(void)
{
	(void)watchdog_enter(in(50));
	(void)watchdog_enter(in(FAR));
	spin();
}

static void spin_behind_a_shorter_one(void)
{
	(void)watchdog_enter(in(100));
	watchdog_leave(watchdog_enter(in(50)));
	spin();
}

static void spin_where_it_is_set(void)
{
	watchdog_set(in(FAR));
	watchdog_set(in(50));
	spin();
}

static void test_ends_what_goes_on(void **state)
{
	(void)state;
	assert_int_equal(end_of(spin_past, NULL, -1), STATUS);
	assert_int_equal(end_of(spin_after_the_time, NULL, -1), STATUS);
	assert_int_equal(end_of(spin_in_a_longer_one, NULL, -1), STATUS);
	assert_int_equal(end_of(spin_behind_a_shorter_one, NULL, -1), STATUS);
	assert_int_equal(end_of(spin_where_it_is_set, NULL, -1), STATUS);
}

static int64_t span; /* ms */

/* Waits until the process would have ended. */
static void wait_past(int64_t when)
{
	while (clock_monotonic_ms() < when + 50)
		usleep(1000);
}

static void leave_in_time(void)
{
	int64_t when = in(span), before = watchdog_enter(when);

	watchdog_leave(before);
	wait_past(when);
}

static void leave_the_inner_one(void)
{
	int64_t when = in(span), outer = watchdog_enter(in(FAR));

	watchdog_leave(watchdog_enter(when));
	wait_past(when);
	watchdog_leave(outer);
}

static void set_again(void)
{
	int64_t when = in(span);

	watchdog_set(when);
	watchdog_set(in(FAR));
	wait_past(when);
}

/* A busy machine gets more time. */
static int end_in_time(void (*what)(void))
{
	int status = STATUS;

	for (span = 100; status == STATUS && span < 30000; span *= 2)
		status = end_of(what, NULL, -1);
	return status;
}

static void test_lets_go(void **state)
{
	(void)state;
	assert_int_equal(end_in_time(leave_in_time), 0);
	assert_int_equal(end_in_time(leave_the_inner_one), 0);
	assert_int_equal(end_in_time(set_again), 0);
}

static void leave_it_to_a_child(void)
{
	int64_t when = in(span), before = watchdog_enter(when);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)watchdog_enter(0);
		wait_past(when);
		_exit(0);
	}
	watchdog_leave(before);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(2);
}

static void test_is_of_one_process(void **state)
{
	(void)state;
	assert_int_equal(end_in_time(leave_it_to_a_child), 0);
}

static void test_last_words(void **state)
{
	char said[32] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(end_of(spin_past, "that is all\n", ends[1]), STATUS);
	close(ends[1]);
	assert_int_equal(read(ends[0], said, sizeof(said) - 1), 12);
	assert_string_equal(said, "that is all\n");
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_what_goes_on),
		cmocka_unit_test(test_lets_go),
		cmocka_unit_test(test_is_of_one_process),
		cmocka_unit_test(test_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
