/* The audit trail: what it contains, and that no change of it goes unnoticed. */
#include "store_fixture.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

static int64_t verified(struct fixture *f)
{
	int64_t count = -1;

	if (store_audit_verify(f->store, &count, &f->e))
		fail_msg("store_audit_verify: %s", f->e.text);
	return count;
}

static void assert_entry(struct fixture *f, int id, const char *where)
{
	char text[512];

	snprintf(
		text, sizeof(text), "SELECT count(*) FROM audit WHERE id = %d AND (%s)", id, where);
	if (sql_integer(f, text) != 1)
		fail_msg("entry %d is not: %s", id, where);
}

static void tells_what_was_done(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	const struct store_upload upload = {.device_uuid = DEVICE_1,
		.user_uuid = USER_A,
		.gateway = GATEWAY,
		.contents = "signing:1",
		.left_out = 2,
		.state = UPLOAD_DELIVERED};
	const struct store_end delivered = {
		.state = EVENT_STATE_DELIVERED, .upload = &upload, .upload_count = 1};
	int64_t id;

	log_set_request("request-1");
	id = must_add_event(f, &event);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 1, 0);
	assert_int_equal(store_event_finish(f->store, id, &delivered, &f->e), ERR_OK);
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_FAILED);
	event = unenrolled(DEVICE_1);
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_RECORDED);
	log_set_request(NULL);

	assert_entry(f, 1,
		"action = 'received' AND device_uuid = '" DEVICE_1 "'"
		" AND user_uuid = '" USER_A "' AND request_id = 'request-1'"
		" AND actor LIKE '% by %'");
	assert_entry(f, 2,
		"action = 'issued' AND serial LIKE '%1'"
		" AND detail = 'signing certificate for anna@example.com'");
	assert_entry(f, 3,
		"action = 'uploaded' AND detail = '" GATEWAY
		" signing:1; archive-max left out 2 earlier'");
	assert_entry(f, 4, "action = 'received'");
	assert_entry(f, 5, "action = 'refused' AND detail = 'the cause'");
	assert_entry(f, 6, "action = 'received'");
	assert_entry(f, 7, "action = 'unenrolled' AND device_uuid = '" DEVICE_1 "'");
	assert_int_equal(verified(f), 7);
}

static void says_nothing_of_what_was_rolled_back(void **state)
{
	struct fixture *f = *state;
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, USER_A, "", 1);
	const struct store_place place = {.replaces = 1, .action = AUDIT_RENEWED};
	bool won = false;

	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_INTERNAL);
	assert_int_equal(verified(f), 1);
}

static void add_three(struct fixture *f)
{
	const struct store_audit entry = {.action = AUDIT_RECOVERED, .detail = "why"};

	for (int i = 0; i < 3; i++)
		assert_int_equal(store_audit_add(f->store, &entry, &f->e), ERR_OK);
	assert_int_equal(verified(f), 3);
}

static enum err count_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	(void)columns;
	(void)count;
	(void)e;
	++*(size_t *)ctx;
	return ERR_OK;
}

static size_t listed(struct fixture *f, const char *user, const char *device, const char *action)
{
	const struct store_filter filter = {.user = user, .device = device, .state = action};
	size_t rows = 0;

	if (store_list(f->store, STORE_AUDIT, &filter, count_row, &rows, &f->e))
		fail_msg("store_list: %s", f->e.text);
	return rows;
}

static void is_listed_by_user_device_and_action(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);

	event.device_name = "Phone";
	event.user_name = "anna";
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_FAILED);
	must_add(f, USAGE_ENCRYPTION, USER_B, "", 1, 0);
	assert_int_equal(listed(f, "", "", ""), 3);
	assert_int_equal(listed(f, "ANNA", "", ""), 2);
	assert_int_equal(listed(f, USER_B, "", ""), 1);
	assert_int_equal(listed(f, "", "phone", ""), 2);
	assert_int_equal(listed(f, "", DEVICE_1, "refused"), 1);
	assert_int_equal(listed(f, "", DEVICE_2, ""), 0);
}

/* Changes by somebody who knows SQL, but does not have the master key. */
static void notices_every_change(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET detail = 'another' WHERE id = 2",
		"UPDATE audit SET at = at + 1 WHERE id = 1",
		"UPDATE audit SET actor = 'nobody' WHERE id = 3",
		"UPDATE audit SET serial = 'why', detail = '' WHERE id = 3",
		"UPDATE audit SET mac = $1 WHERE id = 3",
		"UPDATE audit SET mac = substr(mac, 1, 1) WHERE id = 1",
		"DELETE FROM audit WHERE id = 1",
		"DELETE FROM audit WHERE id = 2",
		"DELETE FROM audit WHERE id = 3",
		"DELETE FROM audit",
		"DELETE FROM audit WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3",
		"UPDATE audit SET id = 9 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3;"
		"UPDATE audit SET id = 3 WHERE id = 9",
		"INSERT INTO audit SELECT 4, at, action, request_id, actor, device_uuid,"
		" user_uuid, serial, detail, mac FROM audit WHERE id = 3",
		"DELETE FROM meta WHERE name = 'audit-head'",
		"UPDATE meta SET value = $1 WHERE name = 'audit-head'",
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct fixture *f = *state;
		int64_t count = 42;

		add_three(f);
		sql_open_audit(f);
		sql(f, changes[i]);
		if (store_audit_verify(f->store, &count, &f->e) != ERR_ALTERED)
			fail_msg("not noticed: %s", changes[i]);
		assert_int_equal(count, 42);
		store_teardown(state);
		store_setup(state);
	}
}

static void does_not_begin_again_without_its_key(void **state)
{
	struct fixture *f = *state;

	add_three(f);
	sql(f, "DELETE FROM meta WHERE name = 'audit-key'");
	store_close(f->store);
	f->store = NULL;
	must_fail_open(f, ERR_CONFIG, "audit trail");
}

static int64_t noon(void)
{
	return 1700000000;
}

static void counts_conflicts(void **state)
{
	struct fixture *f = *state;
	struct store_conflicts conflicts = {.count = 42};
	struct store_audit entry = {
		.action = AUDIT_CONFLICT, .user_uuid = USER_A, .detail = "a@example.com is B's"};

	add_three(f);
	assert_int_equal(store_audit_conflicts(f->store, &conflicts, &f->e), ERR_OK);
	assert_int_equal(conflicts.count, 0);
	assert_int_equal(conflicts.at, 0);
	assert_int_equal(store_audit_add(f->store, &entry, &f->e), ERR_OK);
	entry.user_uuid = USER_B;
	entry.detail = "b@example.com is A's";
	clock_replace(noon);
	assert_int_equal(store_audit_add(f->store, &entry, &f->e), ERR_OK);
	clock_replace(NULL);
	assert_int_equal(store_audit_conflicts(f->store, &conflicts, &f->e), ERR_OK);
	assert_int_equal(conflicts.count, 2);
	assert_string_equal(conflicts.user_uuid, USER_A);
	assert_string_equal(conflicts.detail, "a@example.com is B's");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(tells_what_was_done),
		TEST(says_nothing_of_what_was_rolled_back),
		TEST(is_listed_by_user_device_and_action),
		TEST(counts_conflicts),
		TEST(notices_every_change),
		TEST(does_not_begin_again_without_its_key),
	};

	return cmocka_run_group_tests_name("store_audit", tests, NULL, NULL);
}
