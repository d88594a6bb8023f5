/* Uploads that are due: which devices get theirs again, and when. */
#include "tests/unit/store_fixture.h"

#include <string.h>

#include "base/clock.h"

#define START 1600000000
#define LEASE 300

static const struct store_due by_time = {.inputs = "before"}, by_inputs = {.inputs = "after"},
			      at_once = {.now = true, .inputs = "before"};
static int64_t now;

static int64_t test_clock(void)
{
	return now;
}

static void record(struct fixture *f, const char *device_uuid, enum upload_state state)
{
	const struct store_upload upload = {.device_uuid = device_uuid,
		.user_uuid = USER_A,
		.gateway = GATEWAY,
		.contents = "contents",
		.newest = 1,
		.state = state,
		.cause = state == UPLOAD_DELIVERED ? "" : "the cause",
		.next_at = now + 60,
		.inputs = "before"};

	if (store_upload_record(f->store, &upload, &f->e))
		fail_msg("store_upload_record: %s", f->e.text);
}

/* Both devices of a user have the user's first credential. */
static int setup(void **state)
{
	static const char *const devices[] = {DEVICE_1, DEVICE_2};
	struct fixture *f;

	now = START;
	clock_replace(test_clock);
	store_setup(state);
	f = *state;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		struct store_event event = enrolled(devices[i], USER_A);

		must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
	}
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0));
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		record(f, devices[i], UPLOAD_DELIVERED);
	return 0;
}

static int teardown(void **state)
{
	clock_replace(NULL);
	return store_teardown(state);
}

/* The first digits of the devices whose upload is due, in order, by each way of asking. */
static void assert_due(struct fixture *f, const struct store_due *due, const char *expected)
{
	static const struct store_share alone = {0, 1, LEASE};
	const struct store_wanted all = {.due = due},
				  mine = {.filter = store_pair_of("", USER_A), .due = due},
				  others = {.filter = store_pair_of("", USER_B), .due = due};
	const struct store_wanted *const ways[] = {&all, &mine};
	struct store_device at = {.tries = 0};
	int64_t count = -1;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		char seen[8] = "";
		size_t n = 0;

		at = (struct store_device){.tries = 0};
		while (store_device_lease(f->store, ways[i], &alone, &at, &f->e) == ERR_OK) {
			assert_true(at.leased && n + 1 < sizeof(seen));
			seen[n++] = at.pair.device_uuid[0];
			assert_int_equal(store_device_release(f->store, &at.pair, &f->e), ERR_OK);
		}
		assert_int_equal(f->e.code, ERR_NOT_FOUND);
		assert_string_equal(seen, expected);
		assert_int_equal(store_device_enrolled(f->store, ways[i], &count, &f->e), ERR_OK);
		assert_int_equal(count, n);
	}
	at = (struct store_device){.tries = 0};
	assert_int_equal(store_device_lease(f->store, &others, &alone, &at, &f->e), ERR_NOT_FOUND);
}

static void a_newer_certificate_makes_all_devices_due(void **state)
{
	struct fixture *f = *state;

	assert_due(f, &at_once, "");
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1));
	assert_due(f, &by_time, "12");
	assert_true(must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 3, 0));
	record(f, DEVICE_2, UPLOAD_FAILED);
	assert_due(f, &by_time, "1");
}

static void one_that_failed_is_due_when_the_inputs_change(void **state)
{
	struct fixture *f = *state;

	record(f, DEVICE_1, UPLOAD_FAILED);
	record(f, DEVICE_2, UPLOAD_PENDING);
	assert_due(f, &by_time, "");
	assert_due(f, &by_inputs, "12");
	assert_due(f, &at_once, "12");
	now += 60;
	assert_due(f, &by_time, "2");
	now -= 7200; /* the clock was wrong when it was to wait */
	assert_due(f, &by_time, "2");
}

static void a_gateway_that_is_gone_is_left_out(void **state)
{
	struct fixture *f = *state;
	char gateway[] = GATEWAY, other[] = GATEWAY "/other";
	char *here[] = {other, gateway, NULL}, *gone[] = {other, NULL};

	record(f, DEVICE_1, UPLOAD_FAILED);
	store_close(f->store);
	f->config.escrow.urls = gone;
	must_open(f);
	assert_due(f, &at_once, "");
	store_close(f->store);
	f->config.escrow.urls = here;
	must_open(f);
	assert_due(f, &at_once, "1");
}

static void an_event_or_a_lease_brings_it_as_well(void **state)
{
	static const struct store_share alone = {0, 1, LEASE};
	static const struct store_wanted due = {.due = &at_once};
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	struct store_device at = {.tries = 0};
	int64_t id;

	record(f, DEVICE_1, UPLOAD_FAILED);
	record(f, DEVICE_2, UPLOAD_FAILED);
	id = must_add_event(f, &event);
	assert_due(f, &at_once, "2");
	must_finish_event(f, id, EVENT_STATE_DELIVERED);
	assert_due(f, &at_once, "12");
	assert_int_equal(store_device_lease(f->store, &due, &alone, &at, &f->e), ERR_OK);
	assert_int_equal(at.tries, 1); /* since it was delivered */
	assert_due(f, &at_once, "2");
	now += LEASE;
	assert_due(f, &at_once, "12");
}

static void workers_share_the_devices(void **state)
{
	static const struct store_wanted due = {.due = &at_once};
	struct fixture *f = *state;
	unsigned seen = 0;

	record(f, DEVICE_1, UPLOAD_FAILED);
	record(f, DEVICE_2, UPLOAD_FAILED);
	for (unsigned worker = 0; worker < 3; worker++) {
		const struct store_share share = {worker, 3, LEASE};
		struct store_device at = {.tries = 0};

		while (store_device_lease(f->store, &due, &share, &at, &f->e) == ERR_OK)
			seen++;
	}
	assert_int_equal(seen, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_newer_certificate_makes_all_devices_due),
		TEST(one_that_failed_is_due_when_the_inputs_change),
		TEST(a_gateway_that_is_gone_is_left_out),
		TEST(an_event_or_a_lease_brings_it_as_well),
		TEST(workers_share_the_devices),
	};

	return cmocka_run_group_tests_name("store_upload", tests, NULL, NULL);
}
