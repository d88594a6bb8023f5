/* Finding users and devices by the names that people know. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>

#include "store/find.h"

#define USER_C "cccccccc-0000-4000-8000-000000000003"
#define DEVICE_3 "33333333-0000-4000-8000-000000000003"

static void add(struct fixture *f, const char *device, const char *user, const char *name,
	const char *device_name)
{
	struct store_event event = enrolled(device, user);

	event.user_name = name;
	event.device_name = device_name;
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
}

/* Two users called anna, a phone that both have had, and two tablets with the same name. */
static int setup(void **state)
{
	int failed = store_setup(state);
	struct fixture *f = *state;

	if (failed)
		return failed;
	add(f, DEVICE_1, USER_A, "anna", "phone");
	add(f, DEVICE_1, USER_B, "Anna", "phone");
	add(f, DEVICE_2, USER_C, "carl", "tablet");
	add(f, DEVICE_3, USER_B, "Anna", "Tablet");
	sql(f, "UPDATE \"user\" SET mail = 'anna.b@example.com' WHERE user_uuid = '" USER_B "';"
	       "UPDATE \"user\" SET mail = 'carl@example.com' WHERE user_uuid = '" USER_C "'");
	return 0;
}

typedef enum err finder(struct store *, const char *, char[UUID_SIZE], struct error *);

static void assert_found(struct fixture *f, finder *find, const char *text, const char *uuid)
{
	char found[UUID_SIZE] = "";

	if (find(f->store, text, found, &f->e))
		fail_msg("%s: %s", text, f->e.text);
	assert_string_equal(found, uuid);
}

static void assert_refused(
	struct fixture *f, finder *find, const char *text, enum err code, const char *why)
{
	char found[UUID_SIZE] = "as it was";

	assert_int_equal(find(f->store, text, found, &f->e), code);
	assert_string_equal(f->e.text, why);
	assert_string_equal(found, "as it was");
}

static void test_users(void **state)
{
	struct fixture *f = *state;

	assert_found(f, store_find_user, "CARL", USER_C);
	assert_found(f, store_find_user, "Carl@Example.com", USER_C);
	assert_found(f, store_find_user, "anna.b@example.com", USER_B);
	assert_found(f, store_find_user, "AAAAAAAA-0000-4000-8000-000000000001", USER_A);
	assert_found(f, store_find_user, "dddddddd-0000-4000-8000-000000000004",
		"dddddddd-0000-4000-8000-000000000004");
}

static void test_devices(void **state)
{
	struct fixture *f = *state;

	assert_found(f, store_find_device, "Phone", DEVICE_1);
	assert_found(f, store_find_device, DEVICE_3, DEVICE_3);
}

static void test_candidates(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		store_find_user(f->store, "anna", (char[UUID_SIZE]){""}, &f->e), ERR_USAGE);
	assert_non_null(strstr(f->e.text, "anna is not unique, give the UUID: "));
	assert_non_null(strstr(f->e.text, USER_A " (anna, "));
	assert_non_null(strstr(f->e.text, USER_B " (Anna, anna.b@example.com)"));
	assert_null(strstr(f->e.text, USER_C));
	assert_int_equal(
		store_find_device(f->store, "tablet", (char[UUID_SIZE]){""}, &f->e), ERR_USAGE);
	assert_non_null(strstr(f->e.text, DEVICE_2 " (tablet, carl)"));
	assert_non_null(strstr(f->e.text, DEVICE_3 " (Tablet, Anna)"));
}

static void test_nobody(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, store_find_user, "dora", ERR_NOT_FOUND,
		"no user has the name or mail address dora; see: certprov list users");
	assert_refused(f, store_find_device, "watch", ERR_NOT_FOUND,
		"no device has the name watch; see: certprov list devices");
	assert_refused(f, store_find_user, "", ERR_USAGE, "the name of a user is empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_users, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_candidates, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
