/* Leases of processes that have ended, and of processes that live. */
#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/holder.h"

#define START 1600000000
#define LEASE 300

static const struct store_share alone = {0, 1, LEASE};

static int64_t test_clock(void)
{
	return START;
}

static int setup(void **state)
{
	clock_replace(test_clock);
	return store_setup(state);
}

static int teardown(void **state)
{
	clock_replace(NULL);
	return store_teardown(state);
}

/* --- processes */

/* A process with a store of its own that does something and waits until it is killed. */
struct other {
	pid_t pid;
	int ready;
};

static struct other begin(struct fixture *f, bool (*work)(struct fixture *f))
{
	struct other other;
	int ready[2];

	if (f->store)
		store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(ready), 0);
	other.pid = fork();
	assert_true(other.pid >= 0);
	if (other.pid == 0) {
		char did;

		/* A test that fails must not leave it behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		did = !store_open(&f->config, &f->store, &f->e) && work(f);

		if (write(ready[1], &did, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	other.ready = ready[0];
	return other;
}

/* The process is ready; a new connection of ours looks for leases at once. */
static void must_be_ready(struct fixture *f, const struct other *other)
{
	char did = 0;

	assert_int_equal(read(other->ready, &did, 1), 1);
	assert_true(did);
	close(other->ready);
	must_open(f);
}

static void look_again(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	must_open(f);
}

static void kill_it(struct fixture *f, const struct other *other)
{
	assert_int_equal(kill(other->pid, SIGKILL), 0);
	assert_int_equal(waitpid(other->pid, NULL, 0), other->pid);
	look_again(f);
}

/* --- names */

static void this_process_lives(void **state)
{
	char holder[HOLDER_SIZE];

	(void)state;
	holder_self(holder);
	assert_true(*holder);
	assert_false(holder_is_gone(holder));
}

static void what_is_no_name_is_not_judged(void **state)
{
	static const char *const texts[] = {"", " ", "1", "boot pid:[1] 1 1", "  999999 1"};
	char holder[HOLDER_SIZE], other[2 * HOLDER_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(holder_is_gone(texts[i]));
	/* of another boot, or machine */
	holder_self(holder);
	holder[0] = holder[0] == '0' ? '1' : '0';
	assert_false(holder_is_gone(holder));
	holder_self(holder);
	*strrchr(holder, ' ') = '\0';
	assert_false(holder_is_gone(holder));
	snprintf(other, sizeof(other), "%s x", holder);
	assert_false(holder_is_gone(other));
}

/* Another process may have the same number by now. */
static void another_start_is_another_process(void **state)
{
	char holder[HOLDER_SIZE], other[2 * HOLDER_SIZE];

	(void)state;
	holder_self(holder);
	*strrchr(holder, ' ') = '\0';
	snprintf(other, sizeof(other), "%s 1", holder);
	assert_true(holder_is_gone(other));
}

static void one_that_ended_is_gone(void **state)
{
	char holder[HOLDER_SIZE] = "";
	int report[2];
	siginfo_t info;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(report), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		holder_self(holder);
		_exit(write(report[1], holder, sizeof(holder)) != sizeof(holder));
	}
	assert_int_equal(read(report[0], holder, sizeof(holder)), sizeof(holder));
	close(report[0]);
	close(report[1]);
	/* not waited for yet: a zombie */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(holder_is_gone(holder));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(holder_is_gone(holder));
}

/* --- leases */

static int64_t lease(struct fixture *f, bool now)
{
	struct store_leased_event c = {.id = 0};
	const struct store_due due = {.now = now, .inputs = ""};
	enum err err = store_event_lease(f->store, &due, 0, &alone, &c, &f->e);
	int64_t id = c.leased ? c.id : 0;

	if (err && err != ERR_NOT_FOUND)
		fail_msg("store_event_lease: %s", f->e.text);
	store_leased_event_fini(&c);
	return id;
}

static bool record_event(struct fixture *f)
{
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = 0;

	return store_event_add(f->store, &event, LEASE, &id, &f->e) == ERR_OK;
}

static void an_event_of_a_killed_handler_is_due(void **state)
{
	static const struct store_due due = {.inputs = ""};
	struct fixture *f = *state;
	struct other other = begin(f, record_event);
	int64_t count = -1;

	must_be_ready(f, &other);
	assert_int_equal(lease(f, false), 0);
	assert_int_equal(lease(f, true), 0);
	kill_it(f, &other);
	assert_int_equal(store_event_due(f->store, &due, &count, &f->e), ERR_OK);
	assert_int_equal(count, 1);
	assert_int_equal(lease(f, false), 1);
	assert_int_equal(lease(f, true), 0); /* we live */
}

static bool lease_event(struct fixture *f)
{
	return lease(f, true) == 1;
}

static void an_event_of_a_killed_deliver_is_free(void **state)
{
	struct fixture *f = *state;
	struct other other;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	bool ours = true;
	int64_t mine;

	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_FAILED);
	other = begin(f, lease_event);
	must_be_ready(f, &other);
	mine = must_add_event(f, &event);
	assert_int_equal(store_event_turn(f->store, mine, &ours, &f->e), ERR_OK);
	assert_false(ours);
	kill_it(f, &other);
	assert_int_equal(store_event_turn(f->store, mine, &ours, &f->e), ERR_OK);
	assert_true(ours);
}

static bool lease_device(struct fixture *f)
{
	static const struct store_wanted any = {.due = NULL};
	struct store_device at = {.tries = 0};

	return store_device_lease(f->store, &any, &alone, &at, &f->e) == ERR_OK && at.leased;
}

static void enroll_device(struct fixture *f)
{
	struct store_event event = enrolled(DEVICE_1, USER_A);

	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
}

static void a_device_is_free(void **state)
{
	struct fixture *f = *state;
	struct other other;

	enroll_device(f);
	other = begin(f, lease_device);
	must_be_ready(f, &other);
	assert_false(lease_device(f));
	kill_it(f, &other);
	assert_true(lease_device(f));
}

static bool lease_user(struct fixture *f)
{
	bool leased = false;

	return store_user_lease(f->store, USER_A, LEASE, &leased, &f->e) == ERR_OK && leased;
}

static void a_user_is_free(void **state)
{
	struct fixture *f = *state;
	struct other other;

	enroll_device(f);
	other = begin(f, lease_user);
	must_be_ready(f, &other);
	assert_false(lease_user(f));
	kill_it(f, &other);
	assert_true(lease_user(f));
}

static const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};

static bool add_request(struct fixture *f)
{
	const struct store_asking wish = asking(&owner);
	struct store_request r = {.id = 0};
	bool added = must_add_request(f, &wish, 1, &r);

	store_request_fini(&r);
	return added;
}

static void a_request_is_free(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&owner);
	struct store_request r = {.id = 0};
	struct other other = begin(f, add_request);

	must_be_ready(f, &other);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_BUSY);
	kill_it(f, &other);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	assert_request(&r, 1);
	store_request_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_process_lives),
		cmocka_unit_test(what_is_no_name_is_not_judged),
		cmocka_unit_test(another_start_is_another_process),
		cmocka_unit_test(one_that_ended_is_gone),
		cmocka_unit_test_setup_teardown(
			an_event_of_a_killed_handler_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_event_of_a_killed_deliver_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_user_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_is_free, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
