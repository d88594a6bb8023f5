/* Revoked certificates, what an unenrollment leaves, and the data of revocation lists. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NOW 1600001000
#define ISSUER "CN=Test CA"
#define DEVICE_3 "33333333-0000-4000-8000-000000000003"

static int64_t now = NOW;

static int64_t test_clock(void)
{
	return now;
}

/* Serials as "3 2 1"; their keys must not have come along. */
static const char *serials(struct credential *found, size_t count)
{
	static char text[128];

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);

		assert_int_equal(found[i].key.len, 0);
		snprintf(text + len, sizeof(text) - len, "%s%lu", i ? " " : "",
			strtoul(found[i].serial, NULL, 16));
	}
	credentials_free(found, count);
	return text;
}

static const char *find(struct fixture *f, const char *serial, const char *user_uuid,
	const char *device_uuid, bool active)
{
	const struct store_selection selection = {serial, user_uuid, device_uuid, active};
	struct credential *found = NULL;
	size_t count = 99;

	if (store_credential_find(f->store, &selection, &found, &count, &f->e))
		fail_msg("store_credential_find: %s", f->e.text);
	return serials(found, count);
}

static const char *unenrolled_by(struct fixture *f, int64_t event_id, bool encryption)
{
	struct credential *found = NULL;
	size_t count = 99;

	if (store_credential_unenrolled(f->store, event_id, encryption, &found, &count, &f->e))
		fail_msg("store_credential_unenrolled: %s", f->e.text);
	return serials(found, count);
}

static bool must_revoke(struct fixture *f, int64_t id, enum revocation_reason reason)
{
	bool done = false;

	if (store_credential_revoke(f->store, id, reason, &done, &f->e))
		fail_msg("store_credential_revoke: %s", f->e.text);
	return done;
}

static void must_enroll(struct fixture *f, const char *device_uuid, const char *user_uuid)
{
	const struct store_event event = enrolled(device_uuid, user_uuid);

	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
}

static int64_t must_unenroll(struct fixture *f, const char *device_uuid)
{
	const struct store_event event = unenrolled(device_uuid);

	return must_add_event(f, &event);
}

/* --- one */

static void finds_by_serial_user_or_device(void **state)
{
	struct fixture *f = *state;

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 2, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 4, 3);
	must_add(f, USAGE_SIGNING, USER_B, DEVICE_1, 5, 0);
	assert_string_equal(
		find(f, "0000000000000000000000000000000000000003", "", "", false), "3");
	assert_string_equal(find(f, "0000000000000000000000000000000000000003", "", "", true), "");
	assert_string_equal(find(f, "03", "", "", false), "");
	assert_string_equal(find(f, "", USER_A, "", true), "4 2 1");
	assert_string_equal(find(f, "", USER_A, "", false), "4 3 2 1");
	assert_string_equal(find(f, "", "", DEVICE_1, true), "5 1");
	assert_string_equal(find(f, "", "", DEVICE_3, false), "");
}

static void what_is_revoked_is_no_longer_current(void **state)
{
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	struct fixture *f = *state;
	const struct store_earlier earlier = {
		.user_uuid = USER_A, .device_uuid = DEVICE_1, .encrypts = true, .max = 20};
	struct credential c = {.id = 0}, *archived = NULL;
	size_t count = 0, left_out = 0;

	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	assert_true(must_revoke(f, 1, REVOKED_KEY_COMPROMISE));
	assert_int_equal(store_credential_current(f->store, &owner, &c, &f->e), ERR_NOT_FOUND);
	/* A new one takes its place; old mail stays readable. */
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 0));
	assert_int_equal(
		store_credential_archived(f->store, &earlier, &archived, &count, &left_out, &f->e),
		ERR_OK);
	assert_int_equal(count, 1);
	assert_key(&archived[0], 1);
	credentials_free(archived, count);
	assert_intact(f);
}

static void revokes_once(void **state)
{
	struct fixture *f = *state;
	bool done = true;

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	assert_true(must_revoke(f, 1, REVOKED_SUPERSEDED));
	now += 60;
	assert_false(must_revoke(f, 1, REVOKED_KEY_COMPROMISE));
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM revocation WHERE credential_id = 1"
					" AND reason = 'superseded' AND revoked_at = 1600001000"),
		1);
	assert_int_equal(store_credential_revoke(f->store, 2, REVOKED_SUPERSEDED, &done, &f->e),
		ERR_NOT_FOUND);
	assert_true(done);
}

/* --- by an unenrollment */

static void an_unenrollment_leaves_the_devices_own(void **state)
{
	struct fixture *f = *state;
	int64_t event;

	must_enroll(f, DEVICE_1, USER_A);
	must_enroll(f, DEVICE_2, USER_A);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 2, 0);
	must_add(f, USAGE_SIGNING, USER_A, "", 3, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 4, 0);
	must_add(f, USAGE_SIGNING, USER_B, DEVICE_3, 5, 0);
	event = must_unenroll(f, DEVICE_1);
	assert_string_equal(unenrolled_by(f, event, false), "1");
	assert_string_equal(unenrolled_by(f, event, true), "1"); /* the user has another device */
	must_finish_event(f, event, EVENT_STATE_RECORDED);
	event = must_unenroll(f, DEVICE_2);
	assert_string_equal(unenrolled_by(f, event, false), "3 2");
	assert_string_equal(unenrolled_by(f, event, true), "4 3 2");
	assert_string_equal(unenrolled_by(f, event - 2, true), ""); /* an enrollment's id */
}

/* Of two events that are processed at the same time, neither may leave it to the other. */
static void two_at_once_see_each_other(void **state)
{
	struct fixture *f = *state;
	int64_t first, second;

	must_enroll(f, DEVICE_1, USER_A);
	must_enroll(f, DEVICE_2, USER_A);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	first = must_unenroll(f, DEVICE_1);
	assert_string_equal(unenrolled_by(f, first, true), "");
	second = must_unenroll(f, DEVICE_2);
	assert_string_equal(unenrolled_by(f, second, true), "1");
}

static void who_came_back_keeps_his(void **state)
{
	struct fixture *f = *state;
	int64_t event;

	must_enroll(f, DEVICE_1, USER_A);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	event = must_unenroll(f, DEVICE_1);
	must_enroll(f, DEVICE_1, USER_A);
	assert_string_equal(unenrolled_by(f, event, true), "");
}

/* --- lists */

struct begun {
	int64_t number, covers;
	char serials[128]; /* "1:reason …" */
};

static struct begun begin(struct fixture *f, const char *issuer)
{
	struct store_revoked *revoked = NULL;
	struct begun b = {.number = 0};
	size_t count = 0;

	if (store_crl_begin(f->store, issuer, &b.number, &b.covers, &revoked, &count, &f->e))
		fail_msg("store_crl_begin: %s", f->e.text);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(b.serials);

		snprintf(b.serials + len, sizeof(b.serials) - len, "%s%lu:%s", i ? " " : "",
			strtoul(revoked[i].serial, NULL, 16),
			revocation_reason_names[revoked[i].reason]);
	}
	free(revoked);
	return b;
}

static void publish(struct fixture *f, const struct begun *begun, const char *text)
{
	unsigned char list[16];
	struct store_crl crl = {
		.number = begun->number,
		.authority = "abcd",
		.covers = begun->covers,
		.this_update = now,
		.next_update = now + 100,
		.list = {list, strlen(text)},
	};

	memcpy(list, text, strlen(text));
	if (store_crl_publish(f->store, ISSUER, &crl, &f->e))
		fail_msg("store_crl_publish: %s", f->e.text);
}

static void assert_current(struct fixture *f, int64_t number, const char *text, int64_t revoked)
{
	struct store_crl crl = {.number = 0};
	int64_t count = -1;

	if (store_crl_current(f->store, ISSUER, &crl, &count, &f->e))
		fail_msg("store_crl_current: %s", f->e.text);
	assert_int_equal(crl.number, number);
	assert_string_equal(crl.authority, "abcd");
	assert_int_equal(crl.list.len, strlen(text));
	assert_memory_equal(crl.list.data, text, strlen(text));
	assert_int_equal(crl.next_update, crl.this_update + 100);
	assert_int_equal(count, revoked);
	blob_free(&crl.list);
	count = -1;
	assert_int_equal(store_crl_head(f->store, ISSUER, &crl, &count, &f->e), ERR_OK);
	assert_int_equal(crl.number, number);
	assert_string_equal(crl.authority, "abcd");
	assert_int_equal(crl.size, strlen(text));
	assert_null(crl.list.data);
	assert_int_equal(count, revoked);
}

static void a_list_has_what_its_issuer_revoked(void **state)
{
	struct fixture *f = *state;
	struct store_crl crl = {.number = 0};
	struct begun b;
	int64_t count = 0;

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 2, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, 0);
	sql_signed(f, "UPDATE credential SET issuer = 'CN=Old CA' WHERE id = 2");
	assert_true(must_revoke(f, 1, REVOKED_UNSPECIFIED));
	assert_true(must_revoke(f, 2, REVOKED_UNSPECIFIED));
	assert_int_equal(store_crl_current(f->store, ISSUER, &crl, &count, &f->e), ERR_NOT_FOUND);
	b = begin(f, ISSUER);
	assert_int_equal(b.number, 1);
	assert_int_equal(b.covers, 1);
	assert_string_equal(b.serials, "1:unspecified");
	/* A number that was taken is no list yet. */
	assert_int_equal(store_crl_current(f->store, ISSUER, &crl, &count, &f->e), ERR_NOT_FOUND);
	publish(f, &b, "one");
	assert_current(f, 1, "one", 1);
	assert_true(must_revoke(f, 3, REVOKED_AFFILIATION_CHANGED));
	assert_current(f, 1, "one", 2);
	b = begin(f, ISSUER);
	assert_int_equal(b.number, 2);
	assert_string_equal(b.serials, "1:unspecified 3:affiliationChanged");
	assert_int_equal(begin(f, "CN=Old CA").number, 1);
}

static void the_highest_number_is_the_one_that_is_out(void **state)
{
	struct fixture *f = *state;
	struct begun slow = begin(f, ISSUER), quick = begin(f, ISSUER);

	assert_int_equal(slow.number, 1);
	assert_int_equal(quick.number, 2);
	publish(f, &quick, "quick");
	publish(f, &slow, "slow");
	assert_current(f, 2, "quick", 0);
	store_close(f->store);
	f->store = NULL;
	must_open(f);
	assert_int_equal(begin(f, ISSUER).number, 3);
}

/* RFC 5280, 3.3: after its end a certificate is on one more list. */
static void the_expired_are_on_one_more_list(void **state)
{
	struct fixture *f = *state;
	struct begun b;

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_revoke(f, 1, REVOKED_SUPERSEDED);
	b = begin(f, ISSUER);
	publish(f, &b, "1");
	now = 1631536001 + 10; /* it ended ten seconds ago */
	b = begin(f, ISSUER);
	assert_string_equal(b.serials, "1:superseded");
	publish(f, &b, "2");
	now += 10;
	b = begin(f, ISSUER);
	assert_string_equal(b.serials, "");
	assert_int_equal(b.covers, 1); /* all that were ever revoked, so that nothing looks new */
}

/* A certificate has not ended because a clock was a year ahead. */
static void a_list_from_the_future_drops_nobody(void **state)
{
	struct fixture *f = *state;
	struct begun b;

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_revoke(f, 1, REVOKED_KEY_COMPROMISE);
	now = 1631536001 + 10;
	b = begin(f, ISSUER);
	publish(f, &b, "from the future");
	now = 1631536001 - 10;
	b = begin(f, ISSUER);
	assert_string_equal(b.serials, "1:keyCompromise");
}

static int setup(void **state)
{
	now = NOW;
	return store_setup(state);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds_by_serial_user_or_device),
		TEST(what_is_revoked_is_no_longer_current),
		TEST(revokes_once),
		TEST(an_unenrollment_leaves_the_devices_own),
		TEST(two_at_once_see_each_other),
		TEST(who_came_back_keeps_his),
		TEST(a_list_has_what_its_issuer_revoked),
		TEST(the_highest_number_is_the_one_that_is_out),
		TEST(the_expired_are_on_one_more_list),
		TEST(a_list_from_the_future_drops_nobody),
	};

	clock_replace(test_clock);
	return cmocka_run_group_tests_name("store_revocation", tests, NULL, NULL);
}
