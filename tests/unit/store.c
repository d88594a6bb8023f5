/*
 * What the store remembers of events, devices, users, credentials and uploads, and what it answers.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* --- events, devices, users */

static void records_an_event(void **state)
{
	struct fixture *f = *state;
	const struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);
	struct blob payload;

	assert_int_equal(must_add_event(f, &event), id + 1);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM event WHERE state = 'pending' AND tries = 0"
			       " AND next_at = received_at + 60"),
		2);
	payload = sql_blob(f, "SELECT payload FROM event ORDER BY id LIMIT 1");
	assert_int_equal(payload.len, event.payload_len);
	assert_memory_equal(payload.data, event.payload, payload.len);
	blob_free(&payload);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM device WHERE state = 'enrolled'"), 1);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM \"user\" WHERE user_name = 'anna'"), 1);
	assert_intact(f);
}

static void keeps_an_event_of_another_process(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);

	must_add_event(f, &event);
	store_close(f->store);
	must_open(f);
	assert_int_equal(store_ping(f->store, &f->e), ERR_OK);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event"), 1);
}

static void takes_newer_names_but_no_empty_ones(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);

	must_add_event(f, &event);
	event.user_name = "anna.b";
	event.device_name = "Robert'); DROP TABLE device;--";
	must_add_event(f, &event);
	event.user_name = "";
	must_add_event(f, &event);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM \"user\" WHERE user_name = 'anna.b'"), 1);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM device WHERE device_name LIKE 'Robert%'"), 1);
}

static void finishes_an_event(void **state)
{
	static const struct {
		enum event_state state;
		const char *sql;
	} ends[] = {
		{EVENT_STATE_PENDING,
			"state = 'pending' AND next_at = 1600000600 AND cause = 'the cause'"},
		{EVENT_STATE_FAILED, "state = 'failed' AND next_at IS NULL"},
		{EVENT_STATE_DELIVERED, "state = 'delivered' AND next_at IS NULL"},
		{EVENT_STATE_RECORDED, "state = 'recorded' AND next_at IS NULL"},
	};
	struct fixture *f = *state;
	const struct store_event event = enrolled(DEVICE_1, USER_A);
	const struct store_end end = {.state = EVENT_STATE_FAILED};
	int64_t id = must_add_event(f, &event);
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		must_finish_event(f, id, ends[i].state);
		snprintf(text, sizeof(text), "SELECT count(*) FROM event WHERE tries = %zu AND %s",
			i + 1, ends[i].sql);
		assert_int_equal(sql_integer(f, text), 1);
	}
	assert_int_equal(store_event_finish(f->store, id + 1, &end, &f->e), ERR_NOT_FOUND);
}
const struct store_end end = {.state = EVENT_STATE_FAILED};

static void does_not_reopen_what_is_done(void **state)
{
	struct fixture *f = *state;
	const struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = must_add_event(f, &event);

	must_finish_event(f, id, EVENT_STATE_DELIVERED);
	must_finish_event(f, id, EVENT_STATE_PENDING);
	must_finish_event(f, id, EVENT_STATE_FAILED);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event WHERE state = 'delivered'"), 1);
}

static void delivers_earlier_events_of_the_same_device_and_user(void **state)
{
	struct fixture *f = *state;
	const struct store_event same = enrolled(DEVICE_1, USER_A),
				 other_device = enrolled(DEVICE_2, USER_A),
				 other_user = enrolled(DEVICE_1, USER_B),
				 gone = unenrolled(DEVICE_1);
	int64_t failed = must_add_event(f, &same), id;

	must_finish_event(f, failed, EVENT_STATE_FAILED);
	must_add_event(f, &same);
	must_add_event(f, &other_device);
	must_add_event(f, &other_user);
	must_add_event(f, &gone);
	id = must_add_event(f, &same);
	must_add_event(f, &same);
	must_finish_event(f, id, EVENT_STATE_DELIVERED);
	assert_string_equal(sql_texts(f, "SELECT state FROM event ORDER BY id"),
		"delivered delivered pending pending pending delivered pending");
	assert_intact(f);
}

static void unenrolls_a_device_and_enrolls_it_again(void **state)
{
	static const char enrolled_now[] =
		"SELECT device_uuid || user_uuid FROM device WHERE state = 'enrolled'"
		" ORDER BY device_uuid, user_uuid";
	struct fixture *f = *state;
	const struct store_event a = enrolled(DEVICE_1, USER_A), b = enrolled(DEVICE_1, USER_B),
				 two = enrolled(DEVICE_2, USER_A), gone = unenrolled(DEVICE_1);
	int64_t id;

	must_add_event(f, &a);
	must_add_event(f, &b);
	must_add_event(f, &two);
	id = must_add_event(f, &gone);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM device WHERE state = 'enrolled'"), 3);
	must_finish_event(f, id, EVENT_STATE_RECORDED);
	assert_string_equal(sql_texts(f, enrolled_now), DEVICE_2 USER_A);
	must_add_event(f, &b);
	assert_string_equal(sql_texts(f, enrolled_now), DEVICE_1 USER_B " " DEVICE_2 USER_A);
	/* The old event is finished again, late: a user who came back since stays enrolled. */
	must_finish_event(f, id, EVENT_STATE_RECORDED);
	assert_string_equal(sql_texts(f, enrolled_now), DEVICE_1 USER_B " " DEVICE_2 USER_A);
}

static void records_the_unenrollment_of_an_unknown_device(void **state)
{
	struct fixture *f = *state;
	const struct store_event event = unenrolled(DEVICE_2);
	int64_t id = must_add_event(f, &event);

	must_finish_event(f, id, EVENT_STATE_RECORDED);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event WHERE state = 'recorded'"), 1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM device"), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM \"user\""), 0);
}

static void refuses_a_kind_that_it_does_not_know(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = 7;

	event.kind = "borrowed";
	assert_int_equal(store_event_add(f->store, &event, 60, &id, &f->e), ERR_INTERNAL);
	assert_int_equal(id, 7);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event"), 0);
}

/* --- credentials */

static struct credential must_find(
	struct fixture *f, enum usage usage, const char *user_uuid, const char *device_uuid)
{
	const struct credential_owner owner = {usage, user_uuid, device_uuid};
	struct credential c = {.id = 0};

	if (store_credential_current(f->store, &owner, &c, &f->e))
		fail_msg("store_credential_current: %s", f->e.text);
	return c;
}

static void gives_back_what_it_was_given(void **state)
{
	struct fixture *f = *state;
	struct credential_text text;
	struct credential in = credential(&text, USAGE_SIGNING, USER_A, DEVICE_1, 1), out;

	assert_true(must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0));
	out = must_find(f, USAGE_SIGNING, USER_A, DEVICE_1);
	assert_true(out.id > 0);
	assert_int_equal(out.usage, USAGE_SIGNING);
	assert_int_equal(out.state, CREDENTIAL_ACTIVE);
	assert_string_equal(out.user_uuid, USER_A);
	assert_string_equal(out.device_uuid, DEVICE_1);
	assert_string_equal(out.mail, in.mail);
	assert_string_equal(out.subject, in.subject);
	assert_string_equal(out.issuer, in.issuer);
	assert_int_equal(out.not_before, in.not_before);
	assert_int_equal(out.not_after, in.not_after);
	assert_true(blob_equal(&out.chain, &in.chain));
	assert_key(&out, 1);
	credential_fini(&out);
	assert_null(out.key.data);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM \"user\" WHERE mail = 'anna@example.com'"), 1);
	assert_intact(f);
}

static void finds_only_the_owners(void **state)
{
	static const struct credential_owner others[] = {
		{USAGE_ENCRYPTION, USER_A, ""},
		{USAGE_SIGNING, USER_A, ""},
		{USAGE_SIGNING, USER_A, DEVICE_2},
		{USAGE_SIGNING, USER_B, DEVICE_1},
	};
	struct fixture *f = *state;
	struct credential c = {.id = 42};

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_add(f, USAGE_ENCRYPTION, USER_B, "", 2, 0);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_equal(
			store_credential_current(f->store, &others[i], &c, &f->e), ERR_NOT_FOUND);
		assert_int_equal(c.id, 42);
	}
}

static void lets_the_first_win(void **state)
{
	struct fixture *f = *state;
	struct credential c;

	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0));
	assert_false(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 0));
	c = must_find(f, USAGE_ENCRYPTION, USER_A, "");
	assert_key(&c, 1);
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, c.id));
	assert_false(must_add(f, USAGE_ENCRYPTION, USER_A, "", 4, c.id));
	credential_fini(&c);
	c = must_find(f, USAGE_ENCRYPTION, USER_A, "");
	assert_key(&c, 3);
	credential_fini(&c);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM credential"), 2);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM credential WHERE state = 'archived'"), 1);
}

static void replaces_what_was_revoked_meanwhile(void **state)
{
	struct fixture *f = *state;

	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	sql_signed(f, "UPDATE credential SET state = 'revoked'");
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1));
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM credential WHERE state = 'revoked'"), 1);
}

static void changes_nothing_when_it_cannot_store(void **state)
{
	struct fixture *f = *state;
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, USER_A, "", 1);
	const struct store_place first = {.replaces = 1}, none = {.replaces = 0};
	bool won = true;

	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	snprintf(text.mail, sizeof(text.mail), "other@example.com");
	/* The same serial number again. */
	assert_int_equal(store_credential_add(f->store, &c, &first, &won, &f->e), ERR_INTERNAL);
	assert_true(won);
	assert_non_null(strstr(f->e.text, text.serial));
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM credential"
					" JOIN \"user\" AS u USING (user_uuid)"
					" WHERE state = 'active' AND u.mail = 'anna@example.com'"),
		1);
	/* An encryption key is the user's, never a device's. */
	c = credential(&text, USAGE_ENCRYPTION, USER_B, DEVICE_1, 2);
	assert_int_equal(store_credential_add(f->store, &c, &none, &won, &f->e), ERR_INTERNAL);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM \"user\""), 1);
	assert_intact(f);
}

/* Gives the serials of an array, "3 2 1", and frees it. Each must have its own key. */
static const char *serials_of(struct credential *c, size_t count)
{
	static char serials[128];

	serials[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		unsigned serial = (unsigned)strtoul(c[i].serial, NULL, 16);
		size_t len = strlen(serials);

		assert_key(&c[i], serial);
		snprintf(serials + len, sizeof(serials) - len, "%s%u", i ? " " : "", serial);
	}
	credentials_free(c, count);
	return serials;
}

/* What is archived for a user on a device, newest first. */
static const char *archived(
	struct fixture *f, const char *user_uuid, const char *device_uuid, size_t max)
{
	const struct store_earlier earlier = {
		.user_uuid = user_uuid, .device_uuid = device_uuid, .encrypts = true, .max = max};
	struct credential *c = NULL;
	size_t count = 99, left_out = 99;

	assert_int_equal(
		store_credential_archived(f->store, &earlier, &c, &count, &left_out, &f->e),
		ERR_OK);
	return serials_of(c, count);
}

static void archives_for_user_and_device(void **state)
{
	struct fixture *f = *state;

	must_add(f, USAGE_SIGNING, USER_A, "", 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 2, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 3, 0);
	must_add(f, USAGE_SIGNING, USER_B, DEVICE_1, 4, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 5, 0);
	must_add(f, USAGE_ENCRYPTION, USER_B, "", 6, 0);
	assert_string_equal(archived(f, USER_A, DEVICE_1, 20), "");
	sql_signed(f, "UPDATE credential SET state ="
		      " CASE WHEN id % 2 = 1 THEN 'archived' ELSE 'revoked' END");
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 7, 0);

	assert_string_equal(archived(f, USER_A, DEVICE_1, 20), "5 2 1");
	assert_string_equal(archived(f, USER_A, DEVICE_2, 20), "5 3 1");
	assert_string_equal(archived(f, USER_A, "", 20), "5 1");
	assert_string_equal(archived(f, USER_B, DEVICE_1, 20), "6 4");
	assert_string_equal(archived(f, USER_B, DEVICE_2, 20), "6");
	assert_string_equal(archived(f, USER_A, DEVICE_1, 2), "5 2");
	assert_string_equal(archived(f, USER_A, DEVICE_1, 0), "");
	assert_string_equal(archived(f, USER_A, DEVICE_1, SIZE_MAX), "5 2 1");
}

/* As under a configuration without encryption certificates. */
static void archives_the_active_one_that_is_not_current(void **state)
{
	const struct store_earlier earlier = {
		.user_uuid = USER_A, .device_uuid = DEVICE_1, .max = 20};
	struct fixture *f = *state;
	struct credential *c = NULL;
	size_t count = 0, left_out = 0;

	must_add(f, USAGE_SIGNING, USER_A, "", 1, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 2, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, 0);
	assert_string_equal(archived(f, USER_A, DEVICE_1, 20), "");
	assert_int_equal(
		store_credential_archived(f->store, &earlier, &c, &count, &left_out, &f->e),
		ERR_OK);
	assert_string_equal(serials_of(c, count), "3");
}

/* The user's credentials that can be recovered, newest first. */
static const char *history(struct fixture *f, const char *user_uuid, const char *serial)
{
	struct credential *c = NULL;
	size_t count = 99;

	assert_int_equal(
		store_credential_history(f->store, user_uuid, serial, &c, &count, &f->e), ERR_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(c[i].usage, USAGE_ENCRYPTION);
	return serials_of(c, count);
}

#define ZEROS "000000000000000000000000000000000000000"

static void recovers_encryption_keys_alone(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(history(f, USER_A, ""), "");
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 3, 2);
	must_add(f, USAGE_SIGNING, USER_A, "", 4, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 5, 0);
	must_add(f, USAGE_ENCRYPTION, USER_B, "", 6, 0);
	sql_signed(f, "UPDATE credential SET state = 'revoked' WHERE id = 2");
	assert_string_equal(history(f, USER_A, ""), "3 2 1");
	sql_signed(f, "UPDATE credential SET state = 'revoked' WHERE state = 'active'");
	assert_string_equal(history(f, USER_A, ""), "3 2 1");
	assert_string_equal(history(f, USER_B, ""), "6");
	assert_string_equal(history(f, DEVICE_1, ""), "");

	assert_string_equal(history(f, USER_A, ZEROS "2"), "2");
	assert_string_equal(history(f, USER_A, ZEROS "4"), "");
	assert_string_equal(history(f, USER_A, ZEROS "5"), "");
	assert_string_equal(history(f, USER_A, ZEROS "6"), "");
}

/* A signing key whose row says encryption does not open: the usage is part of the seal. */
static void recovers_no_signing_key_in_disguise(void **state)
{
	struct fixture *f = *state;
	struct credential *list = NULL;
	size_t count = 42;

	must_add(f, USAGE_SIGNING, USER_A, "", 1, 0);
	sql_signed(f, "UPDATE credential SET usage = 'encryption'");
	assert_int_equal(
		store_credential_history(f->store, USER_A, "", &list, &count, &f->e), ERR_CONFIG);
	assert_null(list);
	assert_int_equal(count, 42);
}

static int64_t newest(struct fixture *f, const char *user_uuid, const char *device_uuid)
{
	int64_t id = -1;

	if (store_credential_newest(f->store, user_uuid, device_uuid, &id, &f->e))
		fail_msg("store_credential_newest: %s", f->e.text);
	return id;
}

static void tells_the_newest_of_a_device(void **state)
{
	struct fixture *f = *state;

	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 0);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_2, 3, 0);
	assert_int_equal(newest(f, USER_A, DEVICE_1), 2);
	assert_int_equal(newest(f, USER_A, DEVICE_2), 3);
	assert_int_equal(newest(f, USER_B, DEVICE_1), 0);
}

/* --- keys at rest */

static void assert_sealed_against(struct fixture *f, const char *change)
{
	const struct credential_owner owner = {USAGE_SIGNING, USER_A, DEVICE_1};
	const struct store_earlier earlier = {
		.user_uuid = USER_A, .device_uuid = DEVICE_1, .encrypts = true, .max = 20};
	struct credential c = {.id = 42}, *list = NULL;
	size_t count = 42, left_out = 42;

	sql_signed(f, change);
	assert_int_equal(store_credential_current(f->store, &owner, &c, &f->e), ERR_CONFIG);
	assert_int_equal(c.id, 42);
	assert_non_null(strstr(f->e.text, "0000000000000001"));
	sql_signed(f, "UPDATE credential SET state = 'archived'");
	assert_int_equal(
		store_credential_archived(f->store, &earlier, &list, &count, &left_out, &f->e),
		ERR_CONFIG);
	assert_null(list);
	assert_int_equal(count, 42);
}

static void refuses_keys_of_another_row(void **state)
{
	must_add(*state, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	must_add(*state, USAGE_SIGNING, USER_A, DEVICE_2, 2, 0);
	assert_sealed_against(*state,
		"UPDATE credential SET key = (SELECT key FROM credential AS other"
		" WHERE other.id = 3 - credential.id)");
}

static void refuses_an_altered_key(void **state)
{
	must_add(*state, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	assert_sealed_against(*state, "UPDATE credential SET key = $1 WHERE id = 1");
}

/* A row given to another device, user or address does not open: they are part of the seal. */
static void refuses_a_row_that_changed_hands(void **state)
{
	must_add(*state, USAGE_SIGNING, USER_A, DEVICE_2, 1, 0);
	assert_sealed_against(*state, "UPDATE credential SET device_uuid = '" DEVICE_1 "'");
	sql_signed(*state, "INSERT INTO \"user\" VALUES ('" USER_B "', '', '', 0, 0, 0);"
			   "UPDATE credential SET state = 'active', device_uuid = '" DEVICE_2
			   "', user_uuid = '" USER_B "'");
	sql_signed(*state, "UPDATE credential SET user_uuid = '" USER_A "'");
	assert_sealed_against(*state,
		"UPDATE credential SET state = 'active', device_uuid = '" DEVICE_1
		"', mail = 'mallory@example.com'");
}

static void refuses_a_usage_that_was_changed(void **state)
{
	must_add(*state, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	assert_sealed_against(
		*state, "UPDATE credential SET usage = 'signing', device_uuid = '" DEVICE_1 "'");
}

/* Another certificate for the same key, or a certificate made to look valid for longer. */
static void refuses_a_certificate_that_was_changed(void **state)
{
	static const char *const changes[] = {
		"UPDATE credential SET chain = $1",
		"UPDATE credential SET chain = substr(chain, 1, 0)",
		"UPDATE credential SET not_before = not_before - 1",
		"UPDATE credential SET not_after = not_after + 1",
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		store_teardown(state);
		store_setup(state);
		must_add(*state, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
		assert_sealed_against(*state, changes[i]);
	}
}

/* --- uploads */

static void records_uploads(void **state)
{
	struct fixture *f = *state;
	const struct store_event event = enrolled(DEVICE_1, USER_A);
	struct store_upload upload = {.device_uuid = DEVICE_1,
		.user_uuid = USER_A,
		.gateway = GATEWAY,
		.contents = "signing:1",
		.state = UPLOAD_FAILED,
		.cause = "refused"};

	/* The device must be known. */
	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_INTERNAL);
	must_add_event(f, &event);
	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_OK);
	assert_int_equal(
		sql_integer(f, "SELECT count(*) FROM upload WHERE state = 'failed' AND tries = 1"
			       " AND cause = 'refused' AND delivered_at IS NULL"),
		1);
	upload.state = UPLOAD_DELIVERED;
	upload.cause = "";
	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_OK);
	upload.state = UPLOAD_PENDING;
	upload.cause = "unreachable";
	upload.contents = "signing:2";
	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_OK);
	assert_int_equal(
		sql_integer(f,
			"SELECT count(*) FROM upload WHERE state = 'pending' AND tries = 1"
			" AND contents = 'signing:2' AND delivered_at BETWEEN 1 AND updated_at"),
		1);
	upload.gateway = "https://other.example.com";
	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_OK);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM upload"), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(records_an_event),
		TEST(keeps_an_event_of_another_process),
		TEST(takes_newer_names_but_no_empty_ones),
		TEST(finishes_an_event),
		TEST(does_not_reopen_what_is_done),
		TEST(delivers_earlier_events_of_the_same_device_and_user),
		TEST(unenrolls_a_device_and_enrolls_it_again),
		TEST(records_the_unenrollment_of_an_unknown_device),
		TEST(refuses_a_kind_that_it_does_not_know),
		TEST(gives_back_what_it_was_given),
		TEST(finds_only_the_owners),
		TEST(lets_the_first_win),
		TEST(replaces_what_was_revoked_meanwhile),
		TEST(changes_nothing_when_it_cannot_store),
		TEST(archives_for_user_and_device),
		TEST(archives_the_active_one_that_is_not_current),
		TEST(tells_the_newest_of_a_device),
		TEST(recovers_encryption_keys_alone),
		TEST(recovers_no_signing_key_in_disguise),
		TEST(refuses_keys_of_another_row),
		TEST(refuses_an_altered_key),
		TEST(refuses_a_row_that_changed_hands),
		TEST(refuses_a_usage_that_was_changed),
		TEST(refuses_a_certificate_that_was_changed),
		TEST(records_uploads),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
