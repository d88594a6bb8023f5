/* Users whose certificates end soon, and leases on all devices of a user. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define NOW 1700000000
#define LEASE 300
#define DEVICE_3 "33333333-0000-4000-8000-000000000003"

static const struct store_share alone = {0, 1, LEASE};
static const struct store_due by_time = {.inputs = "before"};
static int64_t now;

static int64_t test_clock(void)
{
	return now;
}

static int setup(void **state)
{
	now = NOW;
	clock_replace(test_clock);
	return store_setup(state);
}

static int teardown(void **state)
{
	clock_replace(NULL);
	return store_teardown(state);
}

/* Those that end before that, of either usage; signing certificates are the devices'. */
static struct store_renewal until(int64_t signing, int64_t encryption)
{
	return (struct store_renewal){.user_uuid = "",
		.before = {[USAGE_SIGNING] = signing, [USAGE_ENCRYPTION] = encryption},
		.of_device = true};
}

static void enroll(struct fixture *f, const char *device_uuid, const char *user_uuid)
{
	struct store_event event = enrolled(device_uuid, user_uuid);

	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
}

static void unenroll(struct fixture *f, const char *device_uuid)
{
	struct store_event event = unenrolled(device_uuid);

	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_RECORDED);
}

static void add(struct fixture *f, enum usage usage, const char *user_uuid, const char *device_uuid,
	unsigned serial, int64_t not_after)
{
	const struct store_place place = {.action = AUDIT_ISSUED};
	struct credential_text text;
	struct credential c = credential(&text, usage, user_uuid, device_uuid, serial);
	bool won = false;

	c.not_after = not_after;
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_OK);
	assert_true(won);
}

/* The users with such certificates, as the first digit of each. The count must agree. */
static void walk(struct fixture *f, const struct store_renewal *wanted, const char *expected)
{
	char user_uuid[UUID_SIZE] = "", seen[64] = "";
	int64_t count = -1;
	size_t n = 0;

	while (store_renewal_next(f->store, wanted, &alone, user_uuid, &f->e) == ERR_OK) {
		assert_true(n + 1 < sizeof(seen));
		seen[n++] = user_uuid[0];
	}
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
	assert_string_equal(seen, expected);
	assert_int_equal(store_renewal_count(f->store, wanted, &count, &f->e), ERR_OK);
	assert_int_equal(count, n);
}

/* The user's certificates that are due, as the last digits of their serial numbers. */
static void list(struct fixture *f, const struct store_renewal *wanted, const char *user_uuid,
	const char *expected)
{
	struct credential *due = NULL;
	char seen[64] = "";
	size_t count = 0;

	assert_int_equal(
		store_renewal_list(f->store, wanted, user_uuid, &due, &count, &f->e), ERR_OK);
	for (size_t i = 0; i < count; i++) {
		seen[i] = due[i].serial[STORE_SERIAL_SIZE - 2];
		assert_string_equal(due[i].user_uuid, user_uuid);
		assert_int_equal(due[i].key.len, 0);
	}
	credentials_free(due, count);
	assert_string_equal(seen, expected);
}

/* --- what is due */

static void finds_what_ends_by_usage_and_time(void **state)
{
	struct fixture *f = *state;
	const struct store_renewal none = until(0, 0), signing = until(NOW + 51, 0),
				   encryption = until(0, NOW + 51),
				   both = until(NOW + 51, NOW + 101),
				   all = until(NOW + 999, NOW + 999), edge = until(NOW + 50, 0);

	enroll(f, DEVICE_1, USER_B);
	enroll(f, DEVICE_2, USER_A);
	add(f, USAGE_SIGNING, USER_A, DEVICE_2, 1, NOW + 50);
	add(f, USAGE_ENCRYPTION, USER_A, "", 2, NOW + 100);
	add(f, USAGE_SIGNING, USER_B, DEVICE_1, 3, NOW + 200);
	add(f, USAGE_ENCRYPTION, USER_B, "", 4, NOW - 100); /* has ended */
	walk(f, &none, "");
	walk(f, &edge, "");
	walk(f, &signing, "a");
	walk(f, &encryption, "b");
	walk(f, &both, "ab");
	walk(f, &all, "ab");
	list(f, &both, USER_A, "12");
	list(f, &both, USER_B, "4");
	list(f, &all, USER_B, "43");
	list(f, &signing, USER_B, "");
}

static void asks_for_one_user(void **state)
{
	struct fixture *f = *state;
	struct store_renewal one = until(NOW + 999, NOW + 999);

	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_2, USER_B);
	add(f, USAGE_ENCRYPTION, USER_A, "", 1, NOW);
	add(f, USAGE_ENCRYPTION, USER_B, "", 2, NOW);
	walk(f, &one, "ab");
	one.user_uuid = USER_A;
	walk(f, &one, "a");
	one.user_uuid = USER_B;
	walk(f, &one, "b");
	one.user_uuid = DEVICE_1;
	walk(f, &one, "");
}

static void leaves_who_has_no_enrolled_device(void **state)
{
	struct fixture *f = *state;
	const struct store_renewal all = until(NOW + 999, NOW + 999);

	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_2, USER_A);
	enroll(f, DEVICE_3, USER_B);
	add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, NOW);
	add(f, USAGE_SIGNING, USER_A, DEVICE_2, 2, NOW + 1);
	add(f, USAGE_ENCRYPTION, USER_A, "", 3, NOW + 2);
	add(f, USAGE_ENCRYPTION, USER_B, "", 4, NOW);
	list(f, &all, USER_A, "123");
	unenroll(f, DEVICE_1);
	unenroll(f, DEVICE_3);
	list(f, &all, USER_A, "23");
	walk(f, &all, "a");
	unenroll(f, DEVICE_2);
	list(f, &all, USER_A, "");
	walk(f, &all, "");
}

static void leaves_what_is_archived_revoked_or_of_the_other_scope(void **state)
{
	struct fixture *f = *state;
	struct store_renewal all = until(NOW + 999, NOW + 999);
	bool done = false;

	enroll(f, DEVICE_1, USER_A);
	add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, NOW);
	add(f, USAGE_SIGNING, USER_A, "", 2, NOW);
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, 0));
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 4, 3));
	list(f, &all, USER_A, "41");
	all.of_device = false;
	list(f, &all, USER_A, "42");
	assert_int_equal(
		store_credential_revoke(f->store, 4, REVOKED_UNSPECIFIED, &done, &f->e), ERR_OK);
	assert_true(done);
	list(f, &all, USER_A, "2");
}

static void workers_share_the_users(void **state)
{
	struct fixture *f = *state;
	const struct store_renewal all = until(0, NOW + 1);
	char user[UUID_SIZE], device[UUID_SIZE];
	int seen[16] = {0};

	for (unsigned i = 0; i < 16; i++) {
		snprintf(user, sizeof(user), "0000000%x-0000-4000-8000-000000000001", i);
		snprintf(device, sizeof(device), "1000000%x-0000-4000-8000-000000000001", i);
		enroll(f, device, user);
		add(f, USAGE_ENCRYPTION, user, "", i + 1, NOW);
	}
	for (unsigned workers = 1; workers <= 16; workers++)
		for (unsigned worker = 0; worker < workers; worker++) {
			const struct store_share share = {worker, workers, LEASE};

			*user = '\0';
			while (!store_renewal_next(f->store, &all, &share, user, &f->e))
				seen[user[7] >= 'a' ? user[7] - 'a' + 10 : user[7] - '0']++;
		}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_int_equal(seen[i], 16); /* one of each number of workers */
}

/* --- leased devices */

static bool lease(struct fixture *f, const char *user_uuid)
{
	bool leased = false;

	if (store_user_lease(f->store, user_uuid, LEASE, &leased, &f->e))
		fail_msg("store_user_lease: %s", f->e.text);
	return leased;
}

static bool device_is_free(struct fixture *f, const char *device_uuid, const char *user_uuid)
{
	const struct store_wanted wanted = {.filter = store_pair_of(device_uuid, user_uuid)};
	struct store_device at = {.tries = 0};

	assert_int_equal(store_device_lease(f->store, &wanted, &alone, &at, &f->e), ERR_OK);
	if (at.leased)
		assert_int_equal(store_device_release(f->store, &at.pair, &f->e), ERR_OK);
	return at.leased;
}

static void takes_all_devices_or_none(void **state)
{
	struct fixture *f = *state;
	const struct store_wanted second = {.filter = store_pair_of(DEVICE_2, USER_A)};
	struct store_device at = {.tries = 0};

	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_2, USER_A);
	enroll(f, DEVICE_2, USER_B);
	assert_int_equal(store_device_lease(f->store, &second, &alone, &at, &f->e), ERR_OK);
	assert_true(at.leased);
	assert_false(lease(f, USER_A));
	assert_true(device_is_free(f, DEVICE_1, USER_A));
	assert_int_equal(store_device_release(f->store, &at.pair, &f->e), ERR_OK);

	assert_true(lease(f, USER_A));
	assert_false(lease(f, USER_A));
	assert_false(device_is_free(f, DEVICE_1, USER_A));
	assert_false(device_is_free(f, DEVICE_2, USER_A));
	assert_true(device_is_free(f, DEVICE_2, USER_B));
	assert_int_equal(store_user_release(f->store, USER_A, &f->e), ERR_OK);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 0);
	assert_true(lease(f, USER_A));
}

static void waits_for_an_event_in_hand_and_events_wait_for_it(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	bool ours = true;
	int64_t id;

	enroll(f, DEVICE_2, USER_A);
	event.received_at = now;
	id = must_add_event(f, &event);
	assert_false(lease(f, USER_A));
	must_finish_event(f, id, EVENT_STATE_DELIVERED);
	assert_true(lease(f, USER_A));
	id = must_add_event(f, &event);
	assert_int_equal(store_event_turn(f->store, id, &ours, &f->e), ERR_OK);
	assert_false(ours);
	assert_int_equal(store_user_release(f->store, USER_A, &f->e), ERR_OK);
	assert_int_equal(store_event_turn(f->store, id, &ours, &f->e), ERR_OK);
	assert_true(ours);
	/* The lease of the event is not ours, and stays. */
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease WHERE event_id > 0"), 1);
}

static void holds_them_until_the_lease_ends(void **state)
{
	struct fixture *f = *state;

	enroll(f, DEVICE_1, USER_A);
	assert_true(lease(f, USER_A));
	now += LEASE - 1;
	assert_false(lease(f, USER_A));
	assert_int_equal(store_user_keep(f->store, USER_A, LEASE, &f->e), ERR_OK);
	now += LEASE - 1;
	assert_false(lease(f, USER_A));
	assert_false(device_is_free(f, DEVICE_1, USER_A));
	now += 1;
	assert_true(lease(f, USER_A));
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 1);
}

static void releases_what_was_unenrolled_meanwhile(void **state)
{
	struct fixture *f = *state;

	enroll(f, DEVICE_1, USER_A);
	assert_true(lease(f, USER_A));
	unenroll(f, DEVICE_1);
	assert_int_equal(store_user_release(f->store, USER_A, &f->e), ERR_OK);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 0);
}

/* --- his devices */

static void record(struct fixture *f, const char *device_uuid, enum upload_state upload_state,
	int64_t newest, int64_t next_at)
{
	const struct store_upload upload = {.device_uuid = device_uuid,
		.user_uuid = USER_A,
		.gateway = GATEWAY,
		.newest = newest,
		.state = upload_state,
		.next_at = next_at,
		.inputs = "before"};

	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_OK);
}

/* The leased devices that are due, as the first digit of each. */
static void due_in_hand(struct fixture *f, const char *expected)
{
	const struct store_wanted wanted = {
		.filter = store_pair_of("", USER_A), .due = &by_time, .in_hand = true};
	struct store_device at = {.tries = 0};
	char seen[16] = "";
	size_t n = 0;

	while (store_device_lease(f->store, &wanted, &alone, &at, &f->e) == ERR_OK) {
		assert_true(at.leased);
		assert_true(n + 1 < sizeof(seen));
		seen[n++] = at.pair.device_uuid[0];
	}
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
	assert_string_equal(seen, expected);
}

static void a_new_credential_makes_devices_due_until_they_have_it(void **state)
{
	struct fixture *f = *state;

	enroll(f, DEVICE_2, USER_A);
	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_3, USER_A);
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0));
	record(f, DEVICE_1, UPLOAD_DELIVERED, 1, 0);
	record(f, DEVICE_2, UPLOAD_DELIVERED, 1, 0);
	assert_true(lease(f, USER_A));
	due_in_hand(f, "");
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1));
	due_in_hand(f, "12"); /* the third never had one: an event brings it */
	assert_false(device_is_free(f, DEVICE_1, USER_A));
	record(f, DEVICE_1, UPLOAD_DELIVERED, 2, 0);
	record(f, DEVICE_2, UPLOAD_PENDING, 2, now + 10);
	due_in_hand(f, "");
	now += 10;
	due_in_hand(f, "2");
	unenroll(f, DEVICE_2);
	due_in_hand(f, "");
}

/* It enrolled while the user was leased: its upload was not there yet to be marked. */
static void a_first_upload_of_an_earlier_set_leaves_the_device_due(void **state)
{
	struct fixture *f = *state;

	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_2, USER_A);
	assert_true(must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 1, 0));
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 0));
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, 2));
	assert_true(must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 4, 1));
	record(f, DEVICE_1, UPLOAD_DELIVERED, 2, 0);
	assert_true(lease(f, USER_A));
	due_in_hand(f, "1");
	record(f, DEVICE_1, UPLOAD_DELIVERED, 3, 0); /* the other device's is none of its own */
	record(f, DEVICE_2, UPLOAD_DELIVERED, 4, 0);
	due_in_hand(f, "");
}

static void an_event_that_is_pending_brings_the_upload(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);

	enroll(f, DEVICE_1, USER_A);
	record(f, DEVICE_1, UPLOAD_PENDING, 0, now);
	assert_true(lease(f, USER_A));
	due_in_hand(f, "1");
	must_add_event(f, &event);
	due_in_hand(f, "");
}

static void tells_the_latest_enrollment(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_2, USER_A);
	struct blob payload = {NULL, 0};
	int64_t time = 0;

	assert_int_equal(
		store_user_enrollment(f->store, USER_A, &payload, &time, &f->e), ERR_NOT_FOUND);
	enroll(f, DEVICE_1, USER_A);
	event.payload = "later";
	event.payload_len = 5;
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
	assert_int_equal(store_user_enrollment(f->store, USER_A, &payload, &time, &f->e), ERR_OK);
	assert_int_equal(payload.len, 5);
	assert_memory_equal(payload.data, "later", 5);
	blob_free(&payload);
	unenroll(f, DEVICE_2);
	assert_int_equal(store_user_enrollment(f->store, USER_A, &payload, &time, &f->e), ERR_OK);
	assert_memory_equal(payload.data, "{\"Event", 7);
	blob_free(&payload);
}

static void must_tell(struct fixture *f, const char *expected)
{
	struct blob payload = {NULL, 0};
	int64_t time = 0;

	assert_int_equal(store_user_enrollment(f->store, USER_A, &payload, &time, &f->e), ERR_OK);
	assert_int_equal(payload.len, strlen(expected));
	assert_memory_equal(payload.data, expected, payload.len);
	blob_free(&payload);
}

static void a_change_of_address_counts_as_enrollment(void **state)
{
	struct fixture *f = *state;
	struct store_event first = enrolled(DEVICE_1, USER_A), change = first;

	first.payload = "refused";
	first.payload_len = strlen(first.payload);
	must_finish_event(f, must_add_event(f, &first), EVENT_STATE_FAILED);
	must_tell(f, "refused");
	first.payload = "enrolled";
	first.payload_len = strlen(first.payload);
	must_finish_event(f, must_add_event(f, &first), EVENT_STATE_DELIVERED);
	change.payload = "changed";
	change.payload_len = strlen(change.payload);
	must_finish_event(f, must_record_event(f, &change), EVENT_STATE_DELIVERED);
	must_tell(f, "changed");
	change.payload = "refused";
	must_finish_event(f, must_record_event(f, &change), EVENT_STATE_FAILED);
	must_tell(f, "changed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds_what_ends_by_usage_and_time),
		TEST(asks_for_one_user),
		TEST(leaves_who_has_no_enrolled_device),
		TEST(leaves_what_is_archived_revoked_or_of_the_other_scope),
		TEST(workers_share_the_users),
		TEST(takes_all_devices_or_none),
		TEST(waits_for_an_event_in_hand_and_events_wait_for_it),
		TEST(holds_them_until_the_lease_ends),
		TEST(releases_what_was_unenrolled_meanwhile),
		TEST(a_new_credential_makes_devices_due_until_they_have_it),
		TEST(a_first_upload_of_an_earlier_set_leaves_the_device_due),
		TEST(an_event_that_is_pending_brings_the_upload),
		TEST(tells_the_latest_enrollment),
		TEST(a_change_of_address_counts_as_enrollment),
	};

	return cmocka_run_group_tests_name("store_renewal", tests, NULL, NULL);
}
