/* The schema of a SQLite database: made, brought up to date, and what guards it. */

#include "tests/unit/store_fixture.h"

#include <sqlite3.h>
#include <string.h>

static void makes_the_schema_from_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	assert_int_equal(sql_integer(f, "PRAGMA user_version"), 15);
	assert_int_equal(sql_integer(f, "PRAGMA application_id"), 0x43505256);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name"
			       " IN ('meta', 'user', 'device', 'event', 'credential', 'upload',"
			       "	'lease', 'revocation', 'crl', 'request')"),
		10);
	assert_int_equal(sql_integer(f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_intact(f);
}

static void refuses_a_newer_store(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	sql(f, "PRAGMA user_version = 99");
	must_fail_open(f, ERR_CONFIG, "newer version (schema 99)");
	assert_int_equal(sql_integer(f, "PRAGMA user_version"), 99);
	sql(f, "PRAGMA user_version = 15");
	must_open(f);
}

/* A store of the first release, with an event in it. */
static void brings_an_older_store_up_to_date(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	sql(f, "DROP INDEX upload_undone; DROP INDEX upload_left_out;"
	       "DROP INDEX credential_renewal; DROP TABLE audit;"
	       "DELETE FROM meta WHERE name LIKE 'audit%';"
	       "ALTER TABLE event DROP COLUMN time;"
	       "ALTER TABLE event DROP COLUMN inputs; ALTER TABLE upload DROP COLUMN next_at;"
	       "ALTER TABLE upload DROP COLUMN inputs; ALTER TABLE upload DROP COLUMN wanted;"
	       "ALTER TABLE upload DROP COLUMN left_out;"
	       "ALTER TABLE user DROP COLUMN mail_time;"
	       "INSERT INTO event (id, state, tries, next_at, received_at, updated_at, request_id,"
	       "	kind, event_type, device_uuid, user_uuid, user_name, device_name, platform,"
	       "	cause, payload)"
	       " VALUES (1, 'pending', 3, 1600000000, 0, 0, '', 'enrolled', '', '', '', '', '', '',"
	       "	'the cause',"
	       " CAST('the body' AS BLOB));"
	       "DROP TABLE lease; DROP INDEX event_undone;"
	       "DROP TABLE revocation; DROP TABLE crl; DROP INDEX credential_device;"
	       "DROP INDEX event_names; DROP INDEX credential_mail; DROP TABLE request;"
	       "DROP TABLE barred; DROP TABLE row_mac; DROP TABLE confirmation;"
	       "PRAGMA user_version = 1");
	must_open(f);
	assert_int_equal(sql_integer(f, "PRAGMA user_version"), 15);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event WHERE tries = 3"
					" AND CAST(payload AS TEXT) = 'the body'"),
		1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM lease"), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM revocation"), 0);
	assert_intact(f);
}

/*
 * Enrollments once wrote the device and the user's name before it was clear whose they were. What
 * refused ones have left is taken back, and a device that several users have is its latest one's.
 */
static void takes_back_what_refused_events_left(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	sql(f, "DROP INDEX audit_conflict; DROP TABLE row_mac; DROP TABLE confirmation;"
	       " DROP INDEX audit_revoked;"
	       " ALTER TABLE event DROP COLUMN time;"
	       "PRAGMA user_version = 10;"
	       "INSERT INTO \"user\" (user_uuid, user_name, mail, added_at, updated_at) VALUES"
	       " ('" USER_A "', 'mallory', '', 0, 0), ('" USER_B "', 'bert', '', 0, 0);"
	       "INSERT INTO event (id, state, received_at, updated_at, request_id, kind,"
	       "	event_type, device_uuid, user_uuid, user_name, device_name, platform,"
	       "	payload) VALUES"
	       " (1, 'delivered', 100, 0, '', 'enrolled', '', '" DEVICE_1 "', '" USER_A "',"
	       "	'anna', '', '', x''),"
	       " (2, 'failed', 200, 0, '', 'enrolled', '', '" DEVICE_2 "', '" USER_A "',"
	       "	'mallory', '', '', x''),"
	       " (3, 'delivered', 300, 0, '', 'enrolled', '', '" DEVICE_1 "', '" USER_B "',"
	       "	'bert', '', '', x'');"
	       "INSERT INTO device VALUES"
	       " ('" DEVICE_1 "', '" USER_A "', 'enrolled', '', '', 1, 0, 0),"
	       " ('" DEVICE_2 "', '" USER_A "', 'enrolled', '', '', 2, 0, 0),"
	       " ('" DEVICE_1 "', '" USER_B "', 'enrolled', '', '', 3, 0, 0);");
	must_open(f);
	assert_int_equal(sql_integer(f, "SELECT sum(event_id) FROM device"
					" WHERE state = 'enrolled'"),
		3);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM \"user\" WHERE user_name = 'anna'"), 1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event WHERE time = received_at"), 3);
	assert_intact(f);
}

static void the_audit_trail_is_append_only(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET detail = 'another'", "DELETE FROM audit"};
	struct fixture *f = *state;
	sqlite3 *db = NULL;
	const struct store_audit entry = {.action = AUDIT_RECOVERED, .user_uuid = USER_A};

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	must_open(f);
	assert_int_equal(store_audit_add(f->store, &entry, &f->e), ERR_OK);
	assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		assert_int_not_equal(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_OK);
		assert_non_null(strstr(sqlite3_errmsg(db), "append-only"));
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM audit WHERE detail = ''"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(makes_the_schema_from_nothing),
		TEST(refuses_a_newer_store),
		TEST(brings_an_older_store_up_to_date),
		TEST(takes_back_what_refused_events_left),
		TEST(the_audit_trail_is_append_only),
	};

	return cmocka_run_group_tests_name("sqlite_schema", tests, NULL, NULL);
}
