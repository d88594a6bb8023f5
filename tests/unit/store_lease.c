/* Leases of events and devices: which process works on what, and for how long. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define START 1600000000 /* when the fixture's events were received */
#define LEASE 300

static const struct store_share alone = {0, 1, LEASE};
static const struct store_wanted any = {.due = NULL};
static int64_t now;

static int64_t test_clock(void)
{
	return now;
}

static const struct store_due by_time = {.inputs = "before"};

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

/* The id of the next one that is leased to us, 0: none. */
static int64_t lease(struct fixture *f, bool at_once, int64_t after)
{
	const struct store_due due = {.now = at_once, .inputs = "before"};
	struct store_leased_event c = {.id = after};
	enum err err = ERR_OK;

	while (!err && !c.leased) {
		int64_t id = c.id;

		store_leased_event_fini(&c);
		err = store_event_lease(f->store, &due, id, &alone, &c, &f->e);
	}
	after = err ? 0 : c.id;
	if (err && err != ERR_NOT_FOUND)
		fail_msg("store_event_lease: %s", f->e.text);
	store_leased_event_fini(&c);
	return after;
}

static int64_t due(struct fixture *f, bool at_once)
{
	const struct store_due due = {.now = at_once, .inputs = "before"};
	int64_t count = -1;

	if (store_event_due(f->store, &due, &count, &f->e))
		fail_msg("store_event_due: %s", f->e.text);
	return count;
}

static void finish(struct fixture *f, int64_t id, enum event_state state, int64_t next_at)
{
	const struct store_end end = {
		.state = state, .cause = "the cause", .next_at = next_at, .inputs = "before"};

	if (store_event_finish(f->store, id, &end, &f->e))
		fail_msg("store_event_finish: %s", f->e.text);
}

/* --- events */

static void gives_what_the_handler_left_when_its_lease_has_ended(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	struct store_leased_event c = {.id = 0};
	int64_t id = must_add_event(f, &event); /* for 60 seconds */

	now = START + 59;
	assert_int_equal(lease(f, false, 0), 0);
	assert_int_equal(lease(f, true, 0), 0);
	assert_int_equal(due(f, false), 0);
	assert_int_equal(due(f, true), 1); /* by hand it is shown, and not leased */
	now = START + 60;
	assert_int_equal(due(f, false), 1);
	assert_int_equal(store_event_lease(f->store, &by_time, 0, &alone, &c, &f->e), ERR_OK);
	assert_int_equal(c.id, id);
	assert_int_equal(c.tries, 0);
	assert_string_equal(c.pair.device_uuid, DEVICE_1);
	assert_string_equal(c.pair.user_uuid, USER_A);
	assert_string_equal(c.request_id, "request-1");
	assert_int_equal(c.payload.len, event.payload_len);
	assert_memory_equal(c.payload.data, event.payload, event.payload_len);
	store_leased_event_fini(&c);
	assert_int_equal(due(f, false), 0);
}

static void lends_an_event_to_one_until_the_lease_ends(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);

	now = START + 60;
	assert_int_equal(lease(f, false, 0), id);
	assert_int_equal(lease(f, true, 0), 0);
	now += LEASE - 1;
	assert_int_equal(lease(f, true, 0), 0);
	now += 1;
	assert_int_equal(lease(f, false, 0), id);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 1);
}

static void finishing_ends_the_lease(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);

	finish(f, id, EVENT_STATE_PENDING, START + 100);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 0);
	now = START + 99;
	assert_int_equal(lease(f, false, 0), 0);
	assert_int_equal(lease(f, true, 0), id); /* --now: due or not */
	finish(f, id, EVENT_STATE_PENDING, START + 100);
	now = START + 100;
	assert_int_equal(lease(f, false, 0), id);
	finish(f, id, EVENT_STATE_DELIVERED, 0);
	assert_int_equal(lease(f, true, 0), 0);
}

/* Otherwise each process meets the other's lease, and both leave an event out. */
static void gives_all_events_of_a_device_to_one_worker(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	const struct store_due by_hand = {.now = true, .inputs = "before"};
	int64_t id[] = {must_add_event(f, &event), must_add_event(f, &event)};
	unsigned leased[2] = {0, 0};

	finish(f, id[0], EVENT_STATE_FAILED, 0);
	finish(f, id[1], EVENT_STATE_FAILED, 0);
	for (size_t i = 0; i < 2; i++)
		for (unsigned worker = 0; worker < 2; worker++) {
			const struct store_share share = {worker, 2, LEASE};
			struct store_leased_event c = {.id = 0};
			enum err err = store_event_lease(
				f->store, &by_hand, i ? id[0] : 0, &share, &c, &f->e);

			assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
			assert_true(err || c.id == id[i]);
			if (!err)
				finish(f, id[i], EVENT_STATE_FAILED, 0);
			leased[worker] += !err;
			store_leased_event_fini(&c);
		}
	assert_int_equal(leased[0] + leased[1], 2);
	assert_int_equal(leased[0] * leased[1], 0);
}

static void takes_a_failed_one_up_on_demand_only(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);

	finish(f, id, EVENT_STATE_FAILED, 0);
	now = START + 1000000;
	assert_int_equal(due(f, false), 0);
	assert_int_equal(lease(f, false, 0), 0);
	assert_int_equal(due(f, true), 1);
	assert_int_equal(lease(f, true, 0), id);
}

static void works_on_a_device_and_user_once_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t older = must_add_event(f, &event), newer;

	finish(f, older, EVENT_STATE_PENDING, START);
	event.received_at = START + 100;
	newer = must_add_event(f, &event); /* until START + 160 */
	now = START + 159;
	assert_int_equal(lease(f, false, 0), 0);
	/* The newer event stands for both. */
	finish(f, newer, EVENT_STATE_PENDING, START + 170);
	assert_int_equal(lease(f, false, 0), 0);
	now = START + 170;
	assert_int_equal(due(f, false), 1);
	assert_int_equal(lease(f, false, 0), newer);
	assert_int_equal(lease(f, true, 0), 0);
	finish(f, newer, EVENT_STATE_DELIVERED, 0);
	assert_int_equal(due(f, true), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event WHERE state = 'delivered'"), 2);
}

/* The newer event needs attention: the older one does not wait for it. */
/* Somebody has fixed the password file: the event is not kept waiting for an hour. */
static void takes_up_what_waits_when_its_inputs_change(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	const struct store_due mended = {.inputs = "after"};
	int64_t id = must_add_event(f, &event), count = -1;

	finish(f, id, EVENT_STATE_PENDING, START + 3000);
	assert_int_equal(due(f, false), 0);
	assert_int_equal(store_event_due(f->store, &mended, &count, &f->e), ERR_OK);
	assert_int_equal(count, 1);
	sql(f, "UPDATE event SET inputs = ''"); /* it waits for something else */
	assert_int_equal(store_event_due(f->store, &mended, &count, &f->e), ERR_OK);
	assert_int_equal(count, 0);
}

static void a_failed_one_holds_no_earlier_one_up(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t older = must_add_event(f, &event), newer;

	finish(f, older, EVENT_STATE_PENDING, START);
	newer = must_add_event(f, &event);
	finish(f, newer, EVENT_STATE_FAILED, 0);
	assert_int_equal(lease(f, false, 0), older);
}

static void passes_each_by_once(void **state)
{
	struct fixture *f = *state;
	const struct store_event events[] = {enrolled(DEVICE_1, USER_A), enrolled(DEVICE_2, USER_A),
		enrolled(DEVICE_2, USER_B), unenrolled(DEVICE_1)};
	int64_t after = 0;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		finish(f, must_add_event(f, &events[i]), EVENT_STATE_PENDING, START + 60);
	assert_int_equal(due(f, true), 4);
	while ((after = lease(f, true, after)) != 0) {
		count++;
		finish(f, after, EVENT_STATE_PENDING, START);
	}
	assert_int_equal(count, 4);
}

static void workers_share_the_events(void **state)
{
	struct fixture *f = *state;
	char device[UUID_SIZE];
	int64_t seen = 0;

	for (int i = 0; i < 10; i++) {
		struct store_event event;

		snprintf(device, sizeof(device), "%08x-0000-4000-8000-000000000001", i);
		event = enrolled(device, USER_A);
		finish(f, must_add_event(f, &event), EVENT_STATE_PENDING, START);
	}
	for (unsigned worker = 0; worker < 3; worker++) {
		const struct store_share share = {worker, 3, LEASE};
		struct store_leased_event c = {.id = 0};

		while (store_event_lease(f->store, &by_time, c.id, &share, &c, &f->e) == ERR_OK) {
			int64_t id = c.id;

			assert_int_equal(c.pair.device_uuid[7] % 3, worker);
			seen++;
			finish(f, id, EVENT_STATE_PENDING, START);
			store_leased_event_fini(&c);
			c.id = id;
		}
		assert_int_equal(f->e.code, ERR_NOT_FOUND);
	}
	assert_int_equal(seen, 10);
}

/* A clock that was years ahead for a moment must not hold an event for years. */
static void ignores_a_lease_from_a_wrong_clock(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);

	sql(f, "UPDATE lease SET until = 2000000000");
	assert_int_equal(lease(f, true, 0), id);
}

static void waits_an_hour_at_most_whatever_the_clock_was(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);

	finish(f, id, EVENT_STATE_PENDING, now + STORE_WAIT_MAX);
	assert_int_equal(lease(f, false, 0), 0);
	now--;
	assert_int_equal(lease(f, false, 0), id);
}

static void an_unenrollment_settles_earlier_enrollments(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A), other = enrolled(DEVICE_2, USER_A),
			   gone = unenrolled(DEVICE_1);
	int64_t id = must_add_event(f, &event);

	finish(f, id, EVENT_STATE_FAILED, 0);
	finish(f, must_add_event(f, &other), EVENT_STATE_PENDING, START);
	finish(f, must_add_event(f, &gone), EVENT_STATE_RECORDED, 0);
	must_add_event(f, &event);
	assert_string_equal(sql_texts(f, "SELECT state FROM event ORDER BY id"),
		"recorded pending recorded pending");
}

static bool turn(struct fixture *f, int64_t id)
{
	bool ours = false;

	if (store_event_turn(f->store, id, &ours, &f->e))
		fail_msg("store_event_turn: %s", f->e.text);
	return ours;
}

/* A new event waits for a lease of the same device and user, but not for other new events. */
static void a_new_event_waits_for_a_claim(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A), other = enrolled(DEVICE_2, USER_A);
	int64_t first = must_add_event(f, &event), second = must_add_event(f, &event);

	assert_true(turn(f, first));
	assert_true(turn(f, second));
	finish(f, first, EVENT_STATE_FAILED, 0);
	finish(f, second, EVENT_STATE_PENDING, START);
	assert_int_equal(lease(f, false, 0), second);
	assert_true(turn(f, second));
	event.received_at = now;
	first = must_add_event(f, &event);
	assert_false(turn(f, first));
	assert_true(turn(f, must_add_event(f, &other)));
	finish(f, second, EVENT_STATE_PENDING, START + 60);
	assert_true(turn(f, first));
}

/* Otherwise a certificate that is being made would be left over. */
static void an_unenrollment_waits_for_what_was_begun_before(void **state)
{
	struct fixture *f = *state;
	struct store_event enrollment = enrolled(DEVICE_1, USER_A), gone = unenrolled(DEVICE_1);
	int64_t before = must_add_event(f, &enrollment), id = must_add_event(f, &gone), later;

	assert_false(turn(f, id));
	later = must_add_event(f, &enrollment);
	assert_true(turn(f, later));
	finish(f, before, EVENT_STATE_DELIVERED, 0);
	assert_true(turn(f, id));
	gone = unenrolled(DEVICE_2);
	assert_true(turn(f, must_add_event(f, &gone)));
}

/* --- eight processes, one event each time */

#define PROCESSES 8
#define EVENTS 40

/* The lease of a process that has ended is free at once: so this one runs until hold is closed. */
static int lease_all(struct fixture *f, int report, int hold)
{
	struct store_leased_event c = {.id = 0};
	char none;
	enum err err;

	if (store_open(&f->config, &f->store, &f->e))
		return 1;
	while ((err = store_event_lease(f->store, &by_time, 0, &alone, &c, &f->e)) == ERR_OK) {
		unsigned char id = (unsigned char)c.id;

		store_leased_event_fini(&c);
		if (write(report, &id, 1) != 1)
			return 2;
	}
	store_close(f->store);
	close(report);
	if (read(hold, &none, 1) != 0)
		return 4;
	return err == ERR_NOT_FOUND ? 0 : 3;
}

static void no_two_processes_claim_the_same(void **state)
{
	struct fixture *f = *state;
	unsigned char id, leases[EVENTS + 1] = {0};
	char device[UUID_SIZE];
	int report[2], hold[2], status = 0;

	for (int i = 0; i < EVENTS; i++) {
		struct store_event event;

		snprintf(device, sizeof(device), "%08x-0000-4000-8000-000000000001", i);
		event = enrolled(device, USER_A);
		finish(f, must_add_event(f, &event), EVENT_STATE_PENDING, START);
	}
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(report), 0);
	assert_int_equal(pipe(hold), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(hold[1]);
			_exit(lease_all(f, report[1], hold[0]));
		}
	}
	close(hold[0]);
	close(report[1]);
	while (read(report[0], &id, 1) == 1) {
		assert_in_range(id, 1, EVENTS);
		leases[id]++;
	}
	close(report[0]);
	close(hold[1]);
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (int i = 1; i <= EVENTS; i++)
		assert_int_equal(leases[i], 1);
	must_open(f);
	assert_intact(f);
}

/* --- devices */

/* Enrolled: 1 of A, 1 of B, 2 of A; unenrolled: a third one. */
static void add_devices(struct fixture *f)
{
	const char *third = "33333333-0000-4000-8000-000000000003";
	const struct store_event events[] = {enrolled(DEVICE_2, USER_A), enrolled(DEVICE_1, USER_B),
		enrolled(DEVICE_1, USER_A), enrolled(third, USER_A), unenrolled(third)};

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		finish(f, must_add_event(f, &events[i]),
			strcmp(events[i].kind, "enrolled") ? EVENT_STATE_RECORDED
							   : EVENT_STATE_DELIVERED,
			0);
}

/* The devices, as the first digits of device and user. */
static void walk(struct fixture *f, const struct store_wanted *wanted, const char *expected)
{
	struct store_device at = {.tries = 0};
	int64_t count = -1;
	char seen[64] = "";
	size_t n = 0;

	assert_int_equal(store_device_enrolled(f->store, wanted, &count, &f->e), ERR_OK);
	while (store_device_lease(f->store, wanted, &alone, &at, &f->e) == ERR_OK) {
		assert_true(n + 3 < sizeof(seen));
		seen[n++] = at.pair.device_uuid[0];
		seen[n++] = at.leased ? at.pair.user_uuid[0] : '-';
		if (at.leased)
			assert_int_equal(store_device_release(f->store, &at.pair, &f->e), ERR_OK);
	}
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
	assert_string_equal(seen, expected);
	assert_int_equal(count, n / 2);
}

static void walks_over_the_enrolled_devices(void **state)
{
	struct fixture *f = *state;
	const struct store_wanted user = {.filter = {.user_uuid = USER_A}},
				  device = {.filter = {.device_uuid = DEVICE_1}},
				  both = {.filter = {DEVICE_1, USER_B}},
				  none = {.filter = {DEVICE_2, USER_B}};

	add_devices(f);
	walk(f, &any, "1a1b2a");
	walk(f, &user, "1a2a");
	walk(f, &device, "1a1b");
	walk(f, &both, "1b");
	walk(f, &none, "");
}

static void workers_share_the_devices(void **state)
{
	struct fixture *f = *state;
	struct store_event event;
	char device[UUID_SIZE];
	int seen = 0;

	for (int i = 0; i < 16; i++) {
		snprintf(device, sizeof(device), "0000000%x-0000-4000-8000-000000000001", i);
		event = enrolled(device, USER_A);
		finish(f, must_add_event(f, &event), EVENT_STATE_DELIVERED, 0);
	}
	for (unsigned worker = 0; worker < 3; worker++) {
		const struct store_share share = {worker, 3, LEASE};
		struct store_device at = {.tries = 0};

		while (store_device_lease(f->store, &any, &share, &at, &f->e) == ERR_OK) {
			assert_true(at.leased);
			seen++;
		}
	}
	assert_int_equal(seen, 16);
}

static void lends_a_device_to_one_until_the_lease_ends(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	struct store_device at = {.tries = 0};
	int64_t id;

	add_devices(f);
	assert_int_equal(store_device_lease(f->store, &any, &alone, &at, &f->e), ERR_OK);
	assert_true(at.leased);
	walk(f, &any, "1-1b2a");
	now = START + LEASE;
	walk(f, &any, "1a1b2a");

	/* A leased event means that its device is leased, and the other way round. */
	event.received_at = now;
	id = must_add_event(f, &event);
	walk(f, &any, "1-1b2a");
	finish(f, id, EVENT_STATE_PENDING, now);
	at = (struct store_device){.tries = 0};
	assert_int_equal(store_device_lease(f->store, &any, &alone, &at, &f->e), ERR_OK);
	assert_int_equal(lease(f, true, 0), 0);
	assert_int_equal(store_device_release(f->store, &at.pair, &f->e), ERR_OK);
	assert_int_equal(lease(f, true, 0), id);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(gives_what_the_handler_left_when_its_lease_has_ended),
		TEST(lends_an_event_to_one_until_the_lease_ends),
		TEST(finishing_ends_the_lease),
		TEST(gives_all_events_of_a_device_to_one_worker),
		TEST(takes_a_failed_one_up_on_demand_only),
		TEST(works_on_a_device_and_user_once_at_a_time),
		TEST(takes_up_what_waits_when_its_inputs_change),
		TEST(a_failed_one_holds_no_earlier_one_up),
		TEST(passes_each_by_once),
		TEST(workers_share_the_events),
		TEST(ignores_a_lease_from_a_wrong_clock),
		TEST(waits_an_hour_at_most_whatever_the_clock_was),
		TEST(a_new_event_waits_for_a_claim),
		TEST(an_unenrollment_waits_for_what_was_begun_before),
		TEST(an_unenrollment_settles_earlier_enrollments),
		TEST(no_two_processes_claim_the_same),
		TEST(walks_over_the_enrolled_devices),
		TEST(workers_share_the_devices),
		TEST(lends_a_device_to_one_until_the_lease_ends),
	};

	return cmocka_run_group_tests_name("store_lease", tests, NULL, NULL);
}
