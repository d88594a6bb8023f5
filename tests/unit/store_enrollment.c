/*
 * What an enrollment writes, and when: nothing but the event until its identity has passed; one
 * user at a time for a device; what is older than an unenrollment changes nothing.
 */

#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NOW 1700000000

static int64_t fixed_clock(void)
{
	return NOW;
}

static int setup(void **state)
{
	int failed = store_setup(state);

	clock_replace(fixed_clock);
	return failed;
}

static int teardown(void **state)
{
	clock_replace(NULL);
	return store_teardown(state);
}

static int64_t record(struct fixture *f, const char *device, const char *user, int64_t time)
{
	struct store_event event = enrolled(device, user);

	event.time = time;
	return must_record_event(f, &event);
}

static void unenroll(struct fixture *f, const char *device, int64_t time)
{
	struct store_event event = unenrolled(device);

	event.time = time;
	must_finish_event(f, must_record_event(f, &event), EVENT_STATE_RECORDED);
}

/* The user whose device it is; "": nobody. */
static bool is_enrolled(struct fixture *f, const char *device, const char *user)
{
	const struct store_pair pair = store_pair_of(device, user);
	char found[UUID_SIZE];
	enum err err = store_device_find(f->store, &pair, found, &f->e);

	assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
	return err == ERR_OK;
}

static void writes_nothing_but_the_event_before(void **state)
{
	struct fixture *f = *state;
	int64_t id = record(f, DEVICE_1, USER_A, NOW);

	assert_int_equal(sql_integer(f, "SELECT count(*) FROM device"), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM \"user\""), 0);
	must_finish_event(f, id, EVENT_STATE_FAILED);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM device"), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM \"user\""), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 0);
	assert_true(must_accept(f, id, false));
	assert_true(is_enrolled(f, DEVICE_1, USER_A));
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM \"user\" WHERE user_name = 'anna'"), 1);
}

static void a_device_has_one_user_at_a_time(void **state)
{
	struct fixture *f = *state;
	int64_t anna = record(f, DEVICE_1, USER_A, NOW), bert = record(f, DEVICE_1, USER_B, NOW);

	assert_true(must_accept(f, anna, false));
	assert_true(must_accept(f, bert, false));
	assert_false(is_enrolled(f, DEVICE_1, USER_A));
	assert_true(is_enrolled(f, DEVICE_1, USER_B));
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM audit WHERE action = 'unenrolled' AND"
					" user_uuid = '" USER_A
					"' AND detail = 'another user has enrolled the device'"),
		1);
	/* the earlier event is processed late: it no longer counts */
	assert_false(must_accept(f, anna, false));
	assert_false(is_enrolled(f, DEVICE_1, USER_A));
	/* nor does an event that UEM made before Bert's */
	assert_false(must_accept(f, record(f, DEVICE_1, USER_A, NOW - 1), false));
	assert_true(is_enrolled(f, DEVICE_1, USER_B));
	/* she enrolls again */
	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW), false));
	assert_true(is_enrolled(f, DEVICE_1, USER_A));
	assert_false(is_enrolled(f, DEVICE_1, USER_B));
}

static void a_shared_device_keeps_its_users(void **state)
{
	struct fixture *f = *state;

	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW), true));
	assert_true(must_accept(f, record(f, DEVICE_1, USER_B, NOW), true));
	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW - 1), true));
	assert_true(is_enrolled(f, DEVICE_1, USER_A));
	assert_true(is_enrolled(f, DEVICE_1, USER_B));
}

static void an_older_event_revives_no_device(void **state)
{
	struct fixture *f = *state;

	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW - 100), false));
	unenroll(f, DEVICE_1, NOW - 50);
	assert_false(is_enrolled(f, DEVICE_1, USER_A));
	assert_false(must_accept(f, record(f, DEVICE_1, USER_A, NOW - 51), false));
	assert_false(is_enrolled(f, DEVICE_1, USER_A));
	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW - 50), false));
	assert_true(is_enrolled(f, DEVICE_1, USER_A));
}

static void a_refused_unenrollment_stops_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_event gone = unenrolled(DEVICE_1);
	int64_t id = record(f, DEVICE_1, USER_A, NOW - 100);

	gone.time = NOW;
	must_finish_event(f, must_record_event(f, &gone), EVENT_STATE_FAILED);
	assert_true(must_accept(f, id, false));
}

/* --- one address, two users; an address that comes back */

/* An enrollment may come without an address, and an unenrollment is of one device alone. */
static void keeps_a_change_of_address_open(void **state)
{
	static const char states[] = "SELECT state FROM event ORDER BY id";
	struct fixture *f = *state;
	const struct store_event same = enrolled(DEVICE_1, USER_A), gone = unenrolled(DEVICE_1);
	struct store_event change = enrolled(DEVICE_1, USER_A);

	change.kind = "address changed";
	must_add_event(f, &same);
	must_record_event(f, &change);
	must_finish_event(f, must_add_event(f, &same), EVENT_STATE_DELIVERED);
	assert_string_equal(sql_texts(f, states), "delivered pending delivered");
	must_add_event(f, &same);
	must_finish_event(f, must_add_event(f, &gone), EVENT_STATE_RECORDED);
	assert_string_equal(sql_texts(f, states), "delivered pending delivered recorded recorded");
	must_add_event(f, &same);
	must_finish_event(f, must_record_event(f, &change), EVENT_STATE_DELIVERED);
	assert_string_equal(sql_texts(f, states),
		"delivered delivered delivered recorded recorded delivered delivered");
	assert_intact(f);
}

static void set(struct credential *c, struct credential_text *text, const char *mail)
{
	snprintf(text->mail, sizeof(text->mail), "%s", mail);
	c->mail = text->mail;
	c->not_before = NOW - 1000;
	c->not_after = NOW + 1000;
}

static enum err add(struct fixture *f, const char *user, const char *mail, unsigned serial,
	int64_t replaces, const struct store_claimant *claimant)
{
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, user, "", serial);
	const struct store_place place = {
		.replaces = replaces, .action = AUDIT_ISSUED, .claimant = claimant};
	bool won = false;
	enum err err;

	set(&c, &text, mail);
	err = store_credential_add(f->store, &c, &place, &won, &f->e);
	assert_true(err || won);
	return err;
}

static void finds_the_other_user_of_an_address(void **state)
{
	struct fixture *f = *state;
	const struct store_claimant own = {USER_B, DEVICE_1, false},
				    second = {USER_B, DEVICE_2, false};
	char *other = NULL;

	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW), false));
	assert_int_equal(add(f, USER_A, "Anna@example.com", 1, 0, NULL), ERR_OK);
	assert_int_equal(
		store_address_conflict(f->store, &second, "anna@example.com", &other, &f->e),
		ERR_OK);
	assert_string_equal(other, "anna (" USER_A ")");
	free(other);
	/* the same device: its user was made anew */
	assert_int_equal(store_address_conflict(f->store, &own, "anna@example.com", &other, &f->e),
		ERR_NOT_FOUND);
	assert_int_equal(store_address_conflict(f->store, &second, "b@example.com", &other, &f->e),
		ERR_NOT_FOUND);
	/* another process was quicker: the address is not free when the certificate is there */
	assert_int_equal(add(f, USER_B, "anna@example.com", 2, 0, &second), ERR_UNPROCESSABLE);
	assert_int_equal(add(f, USER_B, "anna@example.com", 2, 0, NULL), ERR_OK);
}

/* Both have had it since before this was refused: neither loses it. */
static void who_has_an_address_may_keep_it(void **state)
{
	struct fixture *f = *state;
	const struct store_claimant anna = {USER_A, DEVICE_1, true},
				    bert = {USER_B, DEVICE_2, true},
				    told = {USER_A, DEVICE_1, false};
	char *other = NULL;
	bool done = false;

	assert_true(must_accept(f, record(f, DEVICE_1, USER_A, NOW), false));
	assert_true(must_accept(f, record(f, DEVICE_2, USER_B, NOW), false));
	assert_int_equal(add(f, USER_A, "a@example.com", 1, 0, NULL), ERR_OK);
	assert_int_equal(add(f, USER_B, "A@example.com", 2, 0, NULL), ERR_OK);
	assert_int_equal(store_address_conflict(f->store, &anna, "a@example.com", &other, &f->e),
		ERR_NOT_FOUND);
	assert_int_equal(store_address_conflict(f->store, &bert, "a@example.com", &other, &f->e),
		ERR_NOT_FOUND);
	assert_int_equal(add(f, USER_A, "a@example.com", 3, 1, &anna), ERR_OK);
	assert_int_equal(
		store_address_conflict(f->store, &told, "a@example.com", &other, &f->e), ERR_OK);
	free(other);
	/* a revoked certificate does not hold the address */
	assert_int_equal(
		store_credential_revoke(f->store, 2, REVOKED_KEY_COMPROMISE, &done, &f->e), ERR_OK);
	assert_int_equal(
		store_address_conflict(f->store, &bert, "a@example.com", &other, &f->e), ERR_OK);
	free(other);
}

static bool comes_back(struct fixture *f, const char *mail, int64_t replaces, int64_t not_after)
{
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	const struct store_place place = {.replaces = replaces, .action = AUDIT_RETURNED};
	const struct store_return wanted = {mail, not_after, &place};
	bool done = false;

	if (store_credential_reactivate(f->store, &owner, &wanted, &done, &f->e))
		fail_msg("store_credential_reactivate: %s", f->e.text);
	return done;
}

static void an_address_that_comes_back_takes_up_its_certificate(void **state)
{
	struct fixture *f = *state;
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	struct credential current = {.id = 0};

	assert_int_equal(add(f, USER_A, "a@example.com", 1, 0, NULL), ERR_OK);
	assert_int_equal(add(f, USER_A, "b@example.com", 2, 1, NULL), ERR_OK);
	assert_false(comes_back(f, "a@example.com", 1, NOW)); /* what it replaces is not active */
	assert_false(comes_back(f, "a@example.com", 2, NOW + 1000)); /* it ends too soon */
	assert_false(comes_back(f, "c@example.com", 2, NOW));
	assert_true(comes_back(f, "A@example.com", 2, NOW + 999));
	assert_int_equal(store_credential_current(f->store, &owner, &current, &f->e), ERR_OK);
	assert_string_equal(current.mail, "a@example.com");
	assert_key(&current, 1);
	assert_int_equal(current.id, 3); /* newer than all uploads until now */
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM \"user\" WHERE mail = 'a@example.com'"), 1);
	credential_fini(&current);
}

static void a_revoked_certificate_never_comes_back(void **state)
{
	struct fixture *f = *state;
	bool done = false;

	assert_int_equal(add(f, USER_A, "a@example.com", 1, 0, NULL), ERR_OK);
	assert_int_equal(add(f, USER_A, "a@example.com", 2, 1, NULL), ERR_OK);
	assert_int_equal(add(f, USER_A, "b@example.com", 3, 2, NULL), ERR_OK);
	assert_int_equal(
		store_credential_revoke(f->store, 2, REVOKED_KEY_COMPROMISE, &done, &f->e), ERR_OK);
	/* nor does the one before it, which it had replaced */
	assert_false(comes_back(f, "a@example.com", 3, NOW));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_nothing_but_the_event_before),
		TEST(a_device_has_one_user_at_a_time),
		TEST(a_shared_device_keeps_its_users),
		TEST(an_older_event_revives_no_device),
		TEST(a_refused_unenrollment_stops_nothing),
		TEST(keeps_a_change_of_address_open),
		TEST(finds_the_other_user_of_an_address),
		TEST(who_has_an_address_may_keep_it),
		TEST(an_address_that_comes_back_takes_up_its_certificate),
		TEST(a_revoked_certificate_never_comes_back),
	};

	return cmocka_run_group_tests_name("store_enrollment", tests, NULL, NULL);
}
