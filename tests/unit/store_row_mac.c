/*
 * Somebody alters the store without the master key. A row that decides where keys go or what is
 * revoked is refused when it is used, and found when all rows are checked.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/audit.h"
#include "store/credential.h"
#include "store/event.h"
#include "store/rekey.h"
#include "store/revocation.h"

#define ISSUER "CN=Test CA"
#define BY_ANOTHER "by somebody without the master key: see doc/security.md"
#define SAVE "CREATE TABLE saved AS SELECT * FROM "
/* Replaces the rows of a table by those of another. */
#define RESTORE(table, from) "DELETE FROM " table "; INSERT INTO " table " SELECT * FROM " from ";"

/* Anna has the first device, Bert the second; each has an encryption key. */
static int setup(void **state)
{
	struct store_event anna = enrolled(DEVICE_1, USER_A), bert = enrolled(DEVICE_2, USER_B);
	struct fixture *f;

	store_setup(state);
	f = *state;
	must_finish_event(f, must_add_event(f, &anna), EVENT_STATE_DELIVERED);
	must_finish_event(f, must_add_event(f, &bert), EVENT_STATE_DELIVERED);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 2, 0);
	must_add(f, USAGE_ENCRYPTION, USER_B, "", 3, 0);
	return 0;
}

static void must_verify(struct fixture *f)
{
	int64_t count = 0;

	if (store_rows_verify(f->store, &count, &f->e))
		fail_msg("store_rows_verify: %s", f->e.text);
	assert_true(count > 0);
}

static void refused(const struct fixture *f, enum err err, const char *row)
{
	assert_int_equal(err, ERR_ALTERED);
	if (!strstr(f->e.text, row) || !strstr(f->e.text, BY_ANOTHER))
		fail_msg("\"%s\" does not name %s", f->e.text, row);
}

static void verify_finds(struct fixture *f, const char *row)
{
	int64_t count = 42;

	refused(f, store_rows_verify(f->store, &count, &f->e), row);
	assert_int_equal(count, 42);
}

static enum err find_device(struct fixture *f, const char *device_uuid, const char *user_uuid)
{
	const struct store_pair pair = store_pair_of(device_uuid, user_uuid);
	char found[UUID_SIZE];

	return store_device_find(f->store, &pair, found, &f->e);
}

static enum err current(struct fixture *f, enum usage usage, const char *user_uuid)
{
	const struct credential_owner owner = {
		usage, user_uuid, usage == USAGE_SIGNING ? DEVICE_1 : ""};
	struct credential c = {.id = 0};
	enum err err = store_credential_current(f->store, &owner, &c, &f->e);

	credential_fini(&c);
	return err;
}

static enum err archived(struct fixture *f, const char *user_uuid)
{
	const struct store_earlier earlier = {
		.user_uuid = user_uuid, .device_uuid = DEVICE_1, .encrypts = true, .max = 20};
	struct credential *found = NULL;
	size_t count = 0, left_out = 0;
	enum err err =
		store_credential_archived(f->store, &earlier, &found, &count, &left_out, &f->e);

	credentials_free(found, count);
	return err;
}

static enum err try_revoke(struct fixture *f, int64_t id)
{
	bool done = false;

	return store_credential_revoke(f->store, id, REVOKED_KEY_COMPROMISE, &done, &f->e);
}

static enum err begin_crl(struct fixture *f)
{
	struct store_revoked *revoked = NULL;
	int64_t number = 0, covers = 0;
	size_t count = 0;
	enum err err = store_crl_begin(f->store, ISSUER, &number, &covers, &revoked, &count, &f->e);

	free(revoked);
	return err;
}

static enum err address(struct fixture *f, const char *user_uuid)
{
	char *mail = NULL;
	int64_t time = 0;
	enum err err = store_user_address(f->store, user_uuid, &mail, &time, &f->e);

	free(mail);
	return err;
}

static void enroll(struct fixture *f, const char *device_uuid, const char *user_uuid, bool shared)
{
	const struct store_event event = enrolled(device_uuid, user_uuid);
	int64_t id = must_record_event(f, &event);

	assert_true(must_accept(f, id, shared));
	must_finish_event(f, id, EVENT_STATE_DELIVERED);
}

static void unenroll(struct fixture *f, const char *device_uuid)
{
	const struct store_event event = unenrolled(device_uuid);

	must_finish_event(f, must_record_event(f, &event), EVENT_STATE_RECORDED);
}

/* --- what the product writes itself holds */

static void holds_whatever_happens(void **state)
{
	const struct store_event gone = unenrolled(DEVICE_1);
	struct fixture *f = *state;
	int64_t late;

	must_verify(f);
	enroll(f, DEVICE_1, USER_B, false); /* takes it over */
	must_verify(f);
	enroll(f, DEVICE_1, USER_A, false);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_OK);
	must_verify(f);
	enroll(f, DEVICE_1, USER_B, true);
	must_verify(f);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_OK);
	/* an unenrollment that is finished after the device came back */
	late = must_record_event(f, &gone);
	assert_true(must_accept(f, late, false));
	enroll(f, DEVICE_2, USER_A, true);
	must_finish_event(f, late, EVENT_STATE_RECORDED);
	must_verify(f);
	enroll(f, DEVICE_1, USER_A, false);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_OK);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 4, 1);
	assert_int_equal(try_revoke(f, 4), ERR_OK);
	assert_int_equal(begin_crl(f), ERR_OK);
	assert_int_equal(archived(f, USER_A), ERR_OK);
	must_verify(f);
	unenroll(f, DEVICE_1);
	must_verify(f);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_NOT_FOUND);
}

static void a_device_that_came_back_meanwhile_stays(void **state)
{
	const struct store_event gone = unenrolled(DEVICE_1);
	struct fixture *f = *state;
	int64_t late = must_record_event(f, &gone), back;
	const struct store_event again = enrolled(DEVICE_1, USER_A);

	back = must_record_event(f, &again);
	assert_true(must_accept(f, back, false));
	must_finish_event(f, late, EVENT_STATE_RECORDED);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_OK);
	must_verify(f);
}

static void a_new_master_key_changes_nothing(void **state)
{
	static const struct rekey_options options = {.report = NULL};
	struct fixture *f = *state;
	struct rekey_tally tally;

	assert_int_equal(store_rekey(&f->config, &options, &tally, &f->e), ERR_OK);
	must_verify(f);
	assert_int_equal(current(f, USAGE_ENCRYPTION, USER_A), ERR_OK);
	must_verify(f);
}

/* --- devices */

#define PUT_IN                                                                                     \
	"INSERT INTO device SELECT '" DEVICE_2 "', '" USER_A "', 'enrolled', '', '', event_id, 0," \
	" 0 FROM device WHERE user_uuid = '" USER_A "';"

static void a_device_that_was_put_in(void **state)
{
	struct fixture *f = *state;

	sql(f, PUT_IN "INSERT INTO upload (device_uuid, user_uuid, gateway, state, tries,"
		      "	updated_at, cause, contents) VALUES ('" DEVICE_2 "', '" USER_A "',"
		      "	'" GATEWAY "', 'delivered', 0, 0, '', '')");
	refused(f, find_device(f, DEVICE_2, USER_A), "device " DEVICE_2 ", user " USER_A);
	verify_finds(f, "device " DEVICE_2 ", user " USER_A);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_OK);
	assert_int_equal(find_device(f, DEVICE_2, USER_B), ERR_OK);
}

/* The MAC of another row is refused, and so are zeros. */
static void a_device_with_a_mac_that_was_put_in(void **state)
{
	struct fixture *f = *state;

	sql(f, PUT_IN "INSERT INTO row_mac SELECT kind, '" DEVICE_2 " " USER_A "', audit_id, mac"
		      "	FROM row_mac WHERE id = '" DEVICE_1 " " USER_A "'");
	refused(f, find_device(f, DEVICE_2, USER_A), "device " DEVICE_2 ", user " USER_A);
	sql(f, "UPDATE row_mac SET mac = $1 WHERE id = '" DEVICE_2 " " USER_A "'");
	refused(f, find_device(f, DEVICE_2, USER_A), "device " DEVICE_2 ", user " USER_A);
	sql(f, "UPDATE row_mac SET mac = substr(mac, 1, 0) WHERE id = '" DEVICE_2 " " USER_A "'");
	refused(f, find_device(f, DEVICE_2, USER_A), "device " DEVICE_2 ", user " USER_A);
}

static void a_device_that_was_given_away(void **state)
{
	struct fixture *f = *state;

	sql(f, "UPDATE device SET user_uuid = '" USER_A "' WHERE device_uuid = '" DEVICE_2 "'");
	refused(f, find_device(f, DEVICE_2, USER_A), "device " DEVICE_2 ", user " USER_A);
	verify_finds(f, "device " DEVICE_2);
}

static void a_state_that_was_put_back(void **state)
{
	struct fixture *f = *state;

	unenroll(f, DEVICE_1);
	must_verify(f);
	sql(f, "UPDATE device SET state = 'enrolled'");
	refused(f, find_device(f, DEVICE_1, USER_A), "device " DEVICE_1 ", user " USER_A);
	verify_finds(f, "device " DEVICE_1 ", user " USER_A);
}

/* An old row with its old MAC: both agree, but the audit trail has the end of it. */
static void a_device_out_of_a_copy(void **state)
{
	struct fixture *f = *state;

	sql(f, SAVE "device; CREATE TABLE saved_mac AS SELECT * FROM row_mac");
	unenroll(f, DEVICE_1);
	sql(f, RESTORE("device", "saved") RESTORE("row_mac", "saved_mac"));
	refused(f, find_device(f, DEVICE_1, USER_A), "device " DEVICE_1 ", user " USER_A);
	verify_finds(f, "device " DEVICE_1 ", user " USER_A);
	assert_int_equal(find_device(f, DEVICE_2, USER_B), ERR_OK);
}

static void a_device_out_of_a_copy_that_was_taken_over(void **state)
{
	struct fixture *f = *state;

	sql(f, SAVE "device; CREATE TABLE saved_mac AS SELECT * FROM row_mac");
	enroll(f, DEVICE_1, USER_B, false);
	sql(f, RESTORE("device", "saved") RESTORE("row_mac", "saved_mac"));
	refused(f, find_device(f, DEVICE_1, USER_A), "device " DEVICE_1 ", user " USER_A);
	verify_finds(f, "device " DEVICE_1 ", user " USER_A);
}

/* --- events, addresses */

static void an_event_that_was_put_in(void **state)
{
	struct fixture *f = *state;
	bool accepted = false;

	sql(f, "INSERT INTO event (id, state, next_at, received_at, updated_at, request_id, kind,"
	       "	event_type, device_uuid, user_uuid, user_name, device_name, platform, "
	       "payload,"
	       "	time) SELECT 9, 'pending', 0, received_at, 0, '', kind, event_type,"
	       "	'" DEVICE_2
	       "', user_uuid, '', '', '', payload, time FROM event WHERE id = 1");
	refused(f, store_event_check(f->store, 9, &f->e), "event of device " DEVICE_2);
	refused(f, store_event_accept(f->store, 9, false, &accepted, &f->e),
		"event of device " DEVICE_2);
	assert_int_equal(find_device(f, DEVICE_2, USER_A), ERR_NOT_FOUND);
	verify_finds(f, "event of device " DEVICE_2);
}

static void an_event_that_was_altered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_event_check(f->store, 1, &f->e), ERR_OK);
	sql(f, "UPDATE event SET payload = $1 WHERE id = 1");
	refused(f, store_event_check(f->store, 1, &f->e), "event of device " DEVICE_1);
	verify_finds(f, "event of device " DEVICE_1);
}

/* The event of the unenrollment is gone, but the audit trail has it. */
static void an_event_that_is_pending_again(void **state)
{
	struct fixture *f = *state;

	log_set_request("unenrollment");
	unenroll(f, DEVICE_1);
	log_set_request("");
	sql(f, "DELETE FROM event WHERE kind = 'unenrolled';"
	       "DELETE FROM row_mac WHERE kind = 'event' AND id = '3';"
	       "UPDATE event SET state = 'pending', next_at = 0 WHERE id = 1");
	assert_false(must_accept(f, 1, false));
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_NOT_FOUND);
}

static void an_address_that_was_altered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(address(f, USER_A), ERR_OK);
	sql(f, "UPDATE \"user\" SET mail = 'mallory@example.com' WHERE user_uuid = '" USER_A "'");
	refused(f, address(f, USER_A), "user " USER_A);
	verify_finds(f, "user " USER_A);
	assert_int_equal(address(f, USER_B), ERR_OK);
}

static void an_address_that_was_taken_away(void **state)
{
	struct fixture *f = *state;

	sql(f, "UPDATE \"user\" SET mail = '' WHERE user_uuid = '" USER_A "'");
	refused(f, address(f, USER_A), "user " USER_A);
	verify_finds(f, "user " USER_A);
}

/* --- certificates and their revocation */

static void a_certificate_of_another(void **state)
{
	struct fixture *f = *state;

	sql(f, "UPDATE credential SET state = 'archived', user_uuid = '" USER_B "' WHERE id = 1");
	refused(f, archived(f, USER_B), "certificate with serial");
	verify_finds(f, "user " USER_B);
	sql(f, "UPDATE credential SET state = 'active', user_uuid = '" USER_A "' WHERE id = 1");
	must_verify(f);
	sql(f, "UPDATE credential SET device_uuid = '" DEVICE_2 "' WHERE id = 2");
	verify_finds(f, "certificate with serial");
}

static void a_revoked_one_that_was_put_back(void **state)
{
	static const char *const changes[] = {
		"UPDATE credential SET state = 'active' WHERE id = 1",
		"UPDATE credential SET state = 'archived' WHERE id = 1",
		"UPDATE credential SET state = 'active' WHERE id = 1; DELETE FROM revocation",
		("UPDATE credential SET state = 'archived' WHERE id = 1; DELETE FROM revocation;"
		 "DELETE FROM row_mac WHERE kind = 'revocation'"),
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct fixture *f;

		if (i > 0)
			setup(state);
		f = *state;
		assert_int_equal(try_revoke(f, 1), ERR_OK);
		must_verify(f);
		sql(f, changes[i]);
		refused(f,
			strstr(changes[i], "active") ? current(f, USAGE_ENCRYPTION, USER_A)
						     : archived(f, USER_A),
			"certificate with serial");
		refused(f, begin_crl(f), "certificate with serial");
		verify_finds(f, "certificate with serial");
		if (i + 1 < ARRAY_LEN(changes))
			store_teardown(state);
	}
}

static void a_revocation_that_is_gone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(try_revoke(f, 1), ERR_OK);
	sql(f, "DELETE FROM revocation");
	refused(f, begin_crl(f), "0000000000000001");
	verify_finds(f, "0000000000000001");
	/* with the certificate, too */
	sql(f, "DELETE FROM credential WHERE id = 1; DELETE FROM row_mac WHERE id = '1'");
	refused(f, begin_crl(f), "0000000000000001");
	verify_finds(f, "0000000000000001");
}

static void a_revocation_that_was_altered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(try_revoke(f, 1), ERR_OK);
	sql(f, "UPDATE revocation SET not_after = 0");
	refused(f, begin_crl(f), "revocation of serial");
	verify_finds(f, "revocation of serial");
}

/* State, revocation and MACs are as before; the audit trail says otherwise. */
static void a_certificate_out_of_a_copy(void **state)
{
	struct fixture *f = *state;

	sql(f, SAVE "row_mac");
	assert_int_equal(try_revoke(f, 1), ERR_OK);
	sql(f, "DELETE FROM revocation; UPDATE credential SET state = 'active' WHERE id = "
	       "1;" RESTORE("row_mac", "saved"));
	refused(f, current(f, USAGE_ENCRYPTION, USER_A), "certificate with serial");
	refused(f, begin_crl(f), "certificate with serial");
	verify_finds(f, "certificate with serial");
	assert_int_equal(current(f, USAGE_ENCRYPTION, USER_B), ERR_OK);
}

/* --- stores of an earlier version */

static void an_earlier_store_gets_macs_once(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	f->store = NULL;
	forget_macs(f);
	sql(f, "DELETE FROM row_mac");
	must_open(f);
	must_verify(f);
	assert_int_equal(find_device(f, DEVICE_1, USER_A), ERR_OK);
	store_close(f->store);
	f->store = NULL;
	sql(f, "DELETE FROM row_mac");
	must_open(f);
	refused(f, find_device(f, DEVICE_1, USER_A), "device " DEVICE_1 ", user " USER_A);
	verify_finds(f, "user " USER_A);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(holds_whatever_happens),
		TEST(a_device_that_came_back_meanwhile_stays),
		TEST(a_new_master_key_changes_nothing),
		TEST(a_device_that_was_put_in),
		TEST(a_device_with_a_mac_that_was_put_in),
		TEST(a_device_that_was_given_away),
		TEST(a_state_that_was_put_back),
		TEST(a_device_out_of_a_copy),
		TEST(a_device_out_of_a_copy_that_was_taken_over),
		TEST(an_event_that_was_put_in),
		TEST(an_event_that_was_altered),
		TEST(an_event_that_is_pending_again),
		TEST(an_address_that_was_altered),
		TEST(an_address_that_was_taken_away),
		TEST(a_certificate_of_another),
		TEST(a_revoked_one_that_was_put_back),
		TEST(a_revocation_that_is_gone),
		TEST(a_revocation_that_was_altered),
		TEST(a_certificate_out_of_a_copy),
		TEST(an_earlier_store_gets_macs_once),
	};

	return cmocka_run_group_tests_name("store_row_mac", tests, NULL, NULL);
}
