/* Mail addresses: whose address it is, and which devices have an older one. */
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW "anna.b@example.com"

static const char *found(struct fixture *f, const char *device_uuid, const char *user_uuid)
{
	static char uuid[UUID_SIZE];
	const struct store_pair pair = store_pair_of(device_uuid, user_uuid);
	enum err err = store_device_find(f->store, &pair, uuid, &f->e);

	if (err && err != ERR_NOT_FOUND)
		fail_msg("store_device_find: %s", f->e.text);
	return err ? "none" : uuid;
}

/* The first digit of each device whose signing certificate has another address. */
static const char *outdated(struct fixture *f, const char *user_uuid, const char *mail)
{
	static char digits[8];
	char at[UUID_SIZE] = "";
	size_t n = 0;
	enum err err;

	while ((err = store_device_outdated(f->store, user_uuid, mail, at, &f->e)) == ERR_OK &&
		n < sizeof(digits) - 1)
		digits[n++] = at[0];
	assert_int_equal(err, ERR_NOT_FOUND);
	digits[n] = '\0';
	return digits;
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

static void add(struct fixture *f, unsigned serial, const char *mail, int64_t time)
{
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, USER_A, "", serial);
	const struct store_place place = {.replaces = serial - 1, .address_time = time};
	bool won = false;

	snprintf(text.mail, sizeof(text.mail), "%s", mail);
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_OK);
	assert_true(won);
}

static void assert_address(struct fixture *f, const char *mail, int64_t time)
{
	char *is = NULL;
	int64_t since = -1;

	assert_int_equal(store_user_address(f->store, USER_A, &is, &since, &f->e), ERR_OK);
	assert_string_equal(is, mail);
	assert_int_equal(since, time);
	free(is);
}

static void finds_an_enrolled_device(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found(f, DEVICE_1, USER_A), "none");
	assert_string_equal(found(f, "", USER_A), "none");
	enroll(f, DEVICE_2, USER_A);
	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_2, USER_B);
	assert_string_equal(found(f, DEVICE_1, USER_A), DEVICE_1);
	assert_string_equal(found(f, DEVICE_2, USER_A), DEVICE_2);
	assert_string_equal(found(f, DEVICE_1, USER_B), "none");
	assert_string_equal(found(f, "", USER_A), DEVICE_1);
	assert_string_equal(found(f, DEVICE_1, ""), "none");
	assert_string_equal(found(f, "", ""), "none");
	unenroll(f, DEVICE_1);
	assert_string_equal(found(f, DEVICE_1, USER_A), "none");
	assert_string_equal(found(f, "", USER_A), DEVICE_2);
}

static void finds_what_signs_for_another_address(void **state)
{
	struct fixture *f = *state;

	enroll(f, DEVICE_1, USER_A);
	enroll(f, DEVICE_2, USER_A);
	enroll(f, DEVICE_1, USER_B);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 2, 0);
	must_add(f, USAGE_SIGNING, USER_B, DEVICE_1, 3, 0);
	must_add(f, USAGE_SIGNING, USER_A, "", 4, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 5, 0);
	assert_string_equal(outdated(f, USER_A, "anna@example.com"), "");
	assert_string_equal(outdated(f, USER_A, NEW), "12");
	assert_string_equal(outdated(f, USER_B, NEW), "1");
	sql(f, "UPDATE credential SET state = 'revoked' WHERE id = 2");
	assert_string_equal(outdated(f, USER_A, NEW), "2");
	sql(f, "UPDATE credential SET state = 'active' WHERE id = 2");
	unenroll(f, DEVICE_2);
	assert_string_equal(outdated(f, USER_A, NEW), "1");
}

static void remembers_the_address_and_since_when(void **state)
{
	struct fixture *f = *state;
	char *mail = NULL;
	int64_t since = 0;

	assert_int_equal(store_user_address(f->store, USER_A, &mail, &since, &f->e), ERR_NOT_FOUND);
	enroll(f, DEVICE_1, USER_A);
	assert_int_equal(store_user_address(f->store, USER_A, &mail, &since, &f->e), ERR_NOT_FOUND);
	add(f, 1, "anna@example.com", 1000);
	assert_address(f, "anna@example.com", 1000);
	add(f, 2, "anna@example.com", 0); /* a renewal comes of no event */
	assert_address(f, "anna@example.com", 1000);
	add(f, 3, "anna@example.com", 900);
	assert_address(f, "anna@example.com", 1000);
	add(f, 4, "anna@example.com", 1100);
	assert_address(f, "anna@example.com", 1100);
	add(f, 5, NEW, 0);
	assert_address(f, NEW, 0);
}

/* An unenrollment that is finished after such an event was received is still the newer one. */
static void leaves_a_known_device_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct store_event change = enrolled(DEVICE_1, USER_A), gone = unenrolled(DEVICE_1);
	int64_t unenrollment;

	enroll(f, DEVICE_1, USER_A);
	unenrollment = must_add_event(f, &gone);
	change.device_name = "another name";
	must_record_event(f, &change);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM device WHERE device_name ="
					" 'another name' OR event_id != 1"),
		0);
	must_finish_event(f, unenrollment, EVENT_STATE_RECORDED);
	assert_string_equal(found(f, DEVICE_1, USER_A), "none");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds_an_enrolled_device),
		TEST(finds_what_signs_for_another_address),
		TEST(remembers_the_address_and_since_when),
		TEST(leaves_a_known_device_as_it_is),
	};

	return cmocka_run_group_tests_name("store_address", tests, NULL, NULL);
}
