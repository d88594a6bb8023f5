/* Lists and counts. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define NOW 1700000000

static int64_t fixed_clock(void)
{
	return NOW;
}

/* Rows as "name=value|…" lines; NULL is shown as "-". */
struct listing {
	char text[16384];
	size_t rows;
	size_t stop_after;
};

static enum err print_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct listing *l = ctx;

	l->rows++;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(l->text);

		snprintf(l->text + len, sizeof(l->text) - len, "%s%s=%s%s%s", i ? "|" : "",
			columns[i].name, columns[i].value ? columns[i].value : "-",
			columns[i].number ? "#" : "", i + 1 == count ? "\n" : "");
	}
	if (l->stop_after && l->rows == l->stop_after)
		return error_set(e, ERR_REFUSED, "enough");
	return ERR_OK;
}

static struct listing list(
	struct fixture *f, enum store_table table, const struct store_filter *filter)
{
	struct listing l = {.rows = 0};

	if (store_list(f->store, table, filter, print_row, &l, &f->e))
		fail_msg("store_list: %s", f->e.text);
	return l;
}

static size_t rows(struct fixture *f, enum store_table table, const char *user, const char *device,
	const char *state)
{
	const struct store_filter filter = {.user = user, .device = device, .state = state};

	return list(f, table, &filter).rows;
}

static void must_upload(
	struct fixture *f, const char *device_uuid, const char *user_uuid, enum upload_state state)
{
	const struct store_upload upload = {
		.device_uuid = device_uuid,
		.user_uuid = user_uuid,
		.gateway = GATEWAY,
		.contents = "signing:1",
		.newest = 4, /* as many as there are */
		.state = state,
		.cause = state == UPLOAD_DELIVERED ? "" : "no route",
	};

	assert_int_equal(store_upload_record(f->store, &upload, &f->e), ERR_OK);
}

/* Anna has two devices, one of them is gone; Bert has used the first one, too. */
static int filled_setup(void **state)
{
	struct fixture *f;
	struct store_event event;

	store_setup(state);
	clock_replace(fixed_clock);
	f = *state;
	event = enrolled(DEVICE_2, USER_A);
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_DELIVERED);
	event = enrolled(DEVICE_1, USER_A);
	event.received_at++;
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_FAILED);
	event = enrolled(DEVICE_1, USER_B);
	event.received_at += 2;
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_PENDING);
	event = unenrolled(DEVICE_2);
	event.received_at += 3;
	must_finish_event(f, must_add_event(f, &event), EVENT_STATE_RECORDED);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1);
	must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 3, 0);
	must_add(f, USAGE_SIGNING, USER_B, DEVICE_1, 4, 0);
	must_upload(f, DEVICE_1, USER_A, UPLOAD_PENDING);
	must_upload(f, DEVICE_2, USER_A, UPLOAD_DELIVERED);
	return 0;
}

static int filled_teardown(void **state)
{
	clock_replace(NULL);
	return store_teardown(state);
}

static void shows_every_column(void **state)
{
	static const char serial[] = "0000000000000000000000000000000000000001";
	static const struct store_filter gone = {.device = DEVICE_2}, anna = {.user = USER_A},
					 first = {.expires_before = 1631536002};
	struct fixture *f = *state;
	char expected[1024];

	assert_string_equal(list(f, STORE_DEVICES, &gone).text,
		"device_uuid=" DEVICE_2 "|user_uuid=" USER_A "|user_name=anna|state=unenrolled"
		"|device_name=Pixel|platform=Apple|enrolled_at=2020-09-13T12:26:40Z"
		"|updated_at=2023-11-14T22:13:20Z\n");
	assert_string_equal(list(f, STORE_USERS, &anna).text,
		"user_uuid=" USER_A "|user_name=anna|mail=anna@example.com|state=enrolled"
		"|devices=1#|added_at=2020-09-13T12:26:40Z|updated_at=2023-11-14T22:13:20Z\n");
	snprintf(expected, sizeof(expected),
		"id=1#|usage=encryption|state=archived|device_uuid=|user_uuid=" USER_A
		"|user_name=anna|mail=anna@example.com|serial=%s|not_before=2020-09-13T12:26:41Z"
		"|not_after=2021-09-13T12:26:41Z|subject=CN=anna|issuer=CN=Test CA"
		"|revoked_at=-|reason=-\n",
		serial);
	assert_string_equal(list(f, STORE_CERTIFICATES, &first).text, expected);
	assert_string_equal(list(f, STORE_UPLOADS, &gone).text,
		"device_uuid=" DEVICE_2 "|user_uuid=" USER_A "|user_name=anna|gateway=" GATEWAY
		"|state=delivered|tries=1#|updated_at=2023-11-14T22:13:20Z"
		"|delivered_at=2023-11-14T22:13:20Z|next_at=-|left_out=0#|contents=signing:1"
		"|cause=\n");
	assert_string_equal(list(f, STORE_EVENTS, &(struct store_filter){.user = "bert"}).text,
		"id=3#|received_at=2020-09-13T12:26:42Z|request_id=request-1|kind=enrolled"
		"|event_type=MDM Enrollment Complete|device_uuid=" DEVICE_1 "|user_uuid=" USER_B
		"|user_name=bert|device_name=Anna's iPad|state=pending|tries=1#"
		"|next_at=2020-09-13T12:36:40Z|updated_at=2023-11-14T22:13:20Z|cause=the cause\n");
}

static size_t rows_of_any(struct fixture *f, const char *any)
{
	return list(f, STORE_CERTIFICATES, &(struct store_filter){.any = any}).rows;
}

static void finds_certificates_by_whatever_they_have(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rows_of_any(f, USER_A), 3);
	assert_int_equal(rows_of_any(f, "ANNA"), 3);
	assert_int_equal(rows_of_any(f, DEVICE_1), 2);
	assert_int_equal(rows_of_any(f, "Anna's iPad"), 2);
	assert_int_equal(rows_of_any(f, "Anna@Example.com"), rows_of_any(f, "anna@example.com"));
	assert_true(rows_of_any(f, "anna@example.com") >= 3);
	assert_int_equal(rows_of_any(f, "0000000000000000000000000000000000000002"), 1);
	assert_int_equal(rows_of_any(f, "2"), 0);
	assert_int_equal(rows_of_any(f, "ann"), 0);
	assert_int_equal(rows_of_any(f, "%"), 0);
	assert_int_equal(rows_of_any(f, "' OR 1 --"), 0);
}

static void stops_at_the_limit(void **state)
{
	const struct store_filter two = {.limit = 2}, all = {.limit = 4}, more = {.limit = 5};
	struct fixture *f = *state;
	struct listing l = list(f, STORE_EVENTS, &two);

	assert_int_equal(l.rows, 2);
	assert_non_null(strstr(l.text, "id=4#"));
	assert_non_null(strstr(l.text, "id=3#"));
	assert_int_equal(list(f, STORE_EVENTS, &all).rows, 4);
	assert_int_equal(list(f, STORE_EVENTS, &more).rows, 4);
}

/* Device 2 is gone: its failed upload needs no attention any more. */
static void lists_uploads_of_enrolled_devices_alone(void **state)
{
	const struct store_filter all = {.state = "failed"},
				  enrolled = {.state = "failed", .enrolled = true};
	struct fixture *f = *state;

	must_upload(f, DEVICE_1, USER_A, UPLOAD_FAILED);
	must_upload(f, DEVICE_2, USER_A, UPLOAD_FAILED);
	assert_int_equal(list(f, STORE_UPLOADS, &all).rows, 2);
	assert_int_equal(list(f, STORE_UPLOADS, &enrolled).rows, 1);
}

static void counts_what_ends_in_a_span(void **state)
{
	static const char soonest[] =
		"SELECT min(not_after) FROM credential WHERE state = 'active'";
	struct fixture *f = *state;
	int64_t first = sql_integer(f, soonest), count = -1;

	assert_int_equal(store_count_ending(f->store, INT64_MIN, INT64_MAX, &count, &f->e), ERR_OK);
	assert_int_equal(count, 3);
	assert_int_equal(store_count_ending(f->store, INT64_MIN, first, &count, &f->e), ERR_OK);
	assert_int_equal(count, 0);
	assert_int_equal(store_count_ending(f->store, first, first + 1, &count, &f->e), ERR_OK);
	assert_true(count > 0);
}

static void knows_the_last_upload_of_a_gateway(void **state)
{
	struct fixture *f = *state;
	int64_t at = -1;

	assert_int_equal(
		store_upload_last(f->store, GATEWAY, UPLOAD_DELIVERED, &at, &f->e), ERR_OK);
	assert_int_equal(at, NOW);
	assert_int_equal(store_upload_last(f->store, GATEWAY, UPLOAD_FAILED, &at, &f->e), ERR_OK);
	assert_int_equal(at, 0);
	at = -1;
	assert_int_equal(
		store_upload_last(f->store, "https://other", UPLOAD_DELIVERED, &at, &f->e), ERR_OK);
	assert_int_equal(at, 0);
}

static void shows_the_newest_first(void **state)
{
	const struct store_filter all = {.user = ""};
	struct listing l = list(*state, STORE_EVENTS, &all);
	const char *last = strstr(l.text, "id=1#");

	assert_int_equal(l.rows, 4);
	assert_memory_equal(l.text, "id=4#", 5);
	assert_non_null(last);
	assert_true(last > strstr(l.text, "id=2#"));
	assert_non_null(strstr(l.text, "|next_at=-|"));
	assert_memory_equal(list(*state, STORE_CERTIFICATES, &all).text, "id=4#", 5);
	assert_memory_equal(list(*state, STORE_DEVICES, &all).text,
		"device_uuid=" DEVICE_1 "|user_uuid=" USER_B, 80);
}

static void filters(void **state)
{
	static const struct {
		const char *user, *device, *state;
		size_t devices, users, certificates, uploads, events;
	} cases[] = {
		{"", "", "", 3, 2, 4, 2, 4},
		{USER_A, "", "", 2, 1, 3, 2, 2},
		{"AAAAAAAA-0000-4000-8000-000000000001", "", "", 2, 1, 3, 2, 2},
		{"anna", "", "", 2, 1, 3, 2, 2},
		{"Anna", "", "", 2, 1, 3, 2, 2},
		{"ann", "", "", 0, 0, 0, 0, 0},
		{"%", "", "", 0, 0, 0, 0, 0},
		{"' OR '1' = '1", "", "", 0, 0, 0, 0, 0},
		{"", DEVICE_1, "", 2, 2, 2, 1, 2},
		{"", "Anna's iPad", "", 2, 2, 2, 1, 2},
		{"", "PIXEL", "", 1, 1, 0, 1, 1},
		{USER_B, DEVICE_1, "", 1, 1, 1, 0, 1},
		{USER_B, DEVICE_2, "", 0, 0, 0, 0, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *u = cases[i].user, *d = cases[i].device, *s = cases[i].state;

		assert_int_equal(rows(f, STORE_DEVICES, u, d, s), cases[i].devices);
		assert_int_equal(rows(f, STORE_USERS, u, d, s), cases[i].users);
		assert_int_equal(rows(f, STORE_CERTIFICATES, u, d, s), cases[i].certificates);
		assert_int_equal(rows(f, STORE_UPLOADS, u, d, s), cases[i].uploads);
		/* The event that unenrolled the second device bears its UUID alone. */
		assert_int_equal(rows(f, STORE_EVENTS, u, d, s), cases[i].events);
	}
	assert_int_equal(rows(f, STORE_EVENTS, "", DEVICE_2, ""), 2);
}

static void filters_by_state(void **state)
{
	struct fixture *f = *state;
	struct listing l = {.rows = 0};

	assert_int_equal(rows(f, STORE_DEVICES, "", "", "unenrolled"), 1);
	assert_int_equal(rows(f, STORE_USERS, "", "", "enrolled"), 2);
	assert_int_equal(rows(f, STORE_USERS, "", "", "unenrolled"), 0);
	assert_int_equal(rows(f, STORE_CERTIFICATES, "", "", "active"), 3);
	assert_int_equal(rows(f, STORE_CERTIFICATES, "", "", "revoked"), 0);
	assert_int_equal(rows(f, STORE_UPLOADS, "", "", "pending"), 1);
	assert_int_equal(rows(f, STORE_EVENTS, "", "", "failed"), 1);
	for (int table = 0; table < STORE_TABLE_COUNT; table++) {
		const struct store_filter filter = {.state = "lost"};

		assert_int_equal(store_list(f->store, (enum store_table)table, &filter, print_row,
					 &l, &f->e),
			ERR_USAGE);
		assert_non_null(strstr(f->e.text, store_table_names[table]));
	}
	assert_int_equal(l.rows, 0);
}

static void filters_by_expiry(void **state)
{
	struct store_filter filter = {.state = "active"};

	filter.expires_before = 1631536000 + 3;
	assert_int_equal(list(*state, STORE_CERTIFICATES, &filter).rows, 1);
	filter.expires_before = 1631536000 + 5;
	assert_int_equal(list(*state, STORE_CERTIFICATES, &filter).rows, 3);
}

/* Each combination of filters is a statement of its own. */
static void filters_together(void **state)
{
	static const struct {
		enum store_table table;
		struct store_filter filter;
		size_t rows;
	} cases[] = {
		{STORE_DEVICES, {USER_A, "", "enrolled", 0}, 1},
		{STORE_DEVICES, {USER_B, "Pixel", "", 0}, 0},
		{STORE_DEVICES, {"bert", DEVICE_1, "enrolled", 0}, 1},
		{STORE_USERS, {"anna", "PIXEL", "enrolled", 0}, 1},
		{STORE_USERS, {"anna", "", "unenrolled", 0}, 0},
		{STORE_CERTIFICATES, {USER_A, "", "active", 0}, 2},
		{STORE_CERTIFICATES, {USER_A, "", "archived", 0}, 1},
		{STORE_CERTIFICATES, {USER_A, "", "", 1631536000 + 3}, 2},
		{STORE_CERTIFICATES, {USER_A, "", "active", 1631536000 + 3}, 1},
		{STORE_CERTIFICATES, {"", DEVICE_1, "active", 0}, 2},
		{STORE_CERTIFICATES, {"", DEVICE_1, "", 1631536000 + 4}, 1},
		{STORE_CERTIFICATES, {"bert", "anna's ipad", "active", 1631536000 + 5}, 1},
		{STORE_CERTIFICATES, {"", "", "archived", 1631536000 + 5}, 1},
		{STORE_CERTIFICATES, {"", "", "", 1631536000 + 5}, 4},
		{STORE_UPLOADS, {USER_A, "", "pending", 0}, 1},
		{STORE_UPLOADS, {"anna", DEVICE_2, "delivered", 0}, 1},
		{STORE_UPLOADS, {"", DEVICE_2, "pending", 0}, 0},
		{STORE_EVENTS, {"bert", "", "pending", 0}, 1},
		{STORE_EVENTS, {USER_A, "", "pending", 0}, 0},
		{STORE_EVENTS, {"", DEVICE_2, "recorded", 0}, 1},
		{STORE_EVENTS, {USER_A, "Anna's iPad", "failed", 0}, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (list(*state, cases[i].table, &cases[i].filter).rows != cases[i].rows)
			fail_msg("case %zu", i);
}

static void keeps_the_order_under_filters(void **state)
{
	static const struct store_filter active = {.state = "active"},
					 ending = {.expires_before = 1631536000 + 5};
	struct fixture *f = *state;
	struct listing l = list(f, STORE_CERTIFICATES, &active);
	const char *second = strstr(l.text, "\nid=3#"), *third = strstr(l.text, "\nid=2#");

	assert_memory_equal(l.text, "id=4#", 5);
	assert_true(second && third && second < third);
	l = list(f, STORE_CERTIFICATES, &ending);
	assert_memory_equal(l.text, "id=4#", 5);
	assert_true(strstr(l.text, "\nid=2#") < strstr(l.text, "\nid=1#"));
	l = list(f, STORE_EVENTS, &(struct store_filter){.device = DEVICE_2});
	assert_memory_equal(l.text, "id=4#", 5);
	assert_non_null(strstr(l.text, "\nid=1#"));
}

static void stops_at_the_callers_error(void **state)
{
	struct fixture *f = *state;
	const struct store_filter all = {.user = ""};
	struct listing l = {.stop_after = 2};

	assert_int_equal(
		store_list(f->store, STORE_EVENTS, &all, print_row, &l, &f->e), ERR_REFUSED);
	assert_string_equal(f->e.text, "enough");
	assert_int_equal(l.rows, 2);
	assert_int_equal(list(f, STORE_EVENTS, &all).rows, 4);
}

static void shows_no_key(void **state)
{
	const struct store_filter all = {.user = ""};

	for (int table = 0; table < STORE_TABLE_COUNT; table++) {
		struct listing l = list(*state, (enum store_table)table, &all);

		assert_true(l.rows > 0);
		assert_null(strstr(l.text, "key="));
		assert_null(strstr(l.text, "chain="));
		assert_null(strstr(l.text, "payload="));
	}
}

static void counts(void **state)
{
	struct fixture *f = *state;
	struct store_counts c = {.devices = 99};

	assert_int_equal(store_count(f->store, 1631536000, &c, &f->e), ERR_OK);
	assert_int_equal(c.devices, 2);
	assert_int_equal(c.devices_unenrolled, 1);
	assert_int_equal(c.users, 2);
	assert_int_equal(c.certificates[USAGE_ENCRYPTION][CREDENTIAL_ACTIVE], 1);
	assert_int_equal(c.certificates[USAGE_ENCRYPTION][CREDENTIAL_ARCHIVED], 1);
	assert_int_equal(c.certificates[USAGE_ENCRYPTION][CREDENTIAL_REVOKED], 0);
	assert_int_equal(c.certificates[USAGE_SIGNING][CREDENTIAL_ACTIVE], 2);
	assert_int_equal(c.uploads[UPLOAD_PENDING], 1);
	assert_int_equal(c.uploads[UPLOAD_DELIVERED], 1);
	assert_int_equal(c.uploads[UPLOAD_FAILED], 0);
	for (int i = 0; i < EVENT_STATE_COUNT; i++)
		assert_int_equal(c.events[i], 1);
	assert_int_equal(c.oldest_pending, 1600000002);
	assert_int_equal(c.expired, 0);
	assert_int_equal(c.expiring_7d, 3);
	assert_int_equal(c.expiring_60d, 3);
	assert_int_equal(c.soonest_expiry, 1631536000 + 2);
}

static void counts_no_upload_to_who_is_gone(void **state)
{
	struct fixture *f = *state;
	struct store_counts c = {.devices = 99};

	sql(f, "UPDATE device SET state = 'unenrolled'");
	assert_int_equal(store_count(f->store, 1631536000, &c, &f->e), ERR_OK);
	assert_int_equal(c.uploads[UPLOAD_PENDING], 0);
	assert_int_equal(c.uploads[UPLOAD_DELIVERED], 1);
}

/* Active ones end at 1631536000 + 2, 3 and 4. */
static void counts_by_time_left(void **state)
{
	static const struct {
		int64_t now, expired, in_7d, in_30d, in_60d;
	} cases[] = {
		{1631536000 + 3, 1, 2, 2, 2},
		{1631536000 + 5, 3, 0, 0, 0},
		{1631536000 + 3 - 7 * 86400, 0, 2, 3, 3},
		{1631536000 + 2 - 30 * 86400, 0, 0, 1, 3},
		{1631536000 + 1 - 60 * 86400, 0, 0, 0, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_counts c;

		assert_int_equal(store_count(f->store, cases[i].now, &c, &f->e), ERR_OK);
		assert_int_equal(c.expired, cases[i].expired);
		assert_int_equal(c.expiring_7d, cases[i].in_7d);
		assert_int_equal(c.expiring_30d, cases[i].in_30d);
		assert_int_equal(c.expiring_60d, cases[i].in_60d);
		assert_int_equal(c.soonest_expiry, 1631536000 + 2); /* even if it has expired */
	}
}

static void counts_nothing_in_an_empty_store(void **state)
{
	static const struct store_counts none = {.devices = 0};
	struct fixture *f = *state;
	struct store_counts c = {.devices = 99, .oldest_pending = 99};

	assert_int_equal(store_count(f->store, NOW, &c, &f->e), ERR_OK);
	assert_memory_equal(&c, &none, sizeof(c));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, filled_setup, filled_teardown)
	const struct CMUnitTest tests[] = {
		TEST(shows_every_column),
		TEST(finds_certificates_by_whatever_they_have),
		TEST(stops_at_the_limit),
		TEST(lists_uploads_of_enrolled_devices_alone),
		TEST(counts_what_ends_in_a_span),
		TEST(knows_the_last_upload_of_a_gateway),
		TEST(shows_the_newest_first),
		TEST(filters),
		TEST(filters_by_state),
		TEST(filters_by_expiry),
		TEST(filters_together),
		TEST(keeps_the_order_under_filters),
		TEST(stops_at_the_callers_error),
		TEST(shows_no_key),
		TEST(counts),
		TEST(counts_no_upload_to_who_is_gone),
		TEST(counts_by_time_left),
		cmocka_unit_test_setup_teardown(
			counts_nothing_in_an_empty_store, store_setup, store_teardown),
	};

	return cmocka_run_group_tests_name("store_list", tests, NULL, NULL);
}
