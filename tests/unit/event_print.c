#include "event_tools.h"

#include <glob.h>

#include "base/buf.h"
#include "base/file.h"
#include "uem/event_print.h"

/* What is stored of an event makes an equal event again. */

static void assert_equal(const struct event *a, const struct event *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->event_id, b->event_id);
	assert_int_equal(a->device_id, b->device_id);
	assert_int_equal(a->user_id, b->user_id);
	assert_string_equal(a->device_uuid, b->device_uuid);
	assert_string_equal(a->user_uuid, b->user_uuid);
	assert_int_equal(a->time, b->time);
	assert_int_equal(a->unmatched, b->unmatched);
	for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
		assert_string_equal(a->field[i], b->field[i]);
		if (a->damage[i] != b->damage[i])
			fail_msg("%s \"%s\": damage %d, then %d",
				event_field_name((enum event_field)i), a->field[i], a->damage[i],
				b->damage[i]);
	}
}

/* Returns how long it is. */
static size_t round_trip(const struct event *event)
{
	struct buf printed = BUF_INIT(64 * 1024), again = BUF_INIT(64 * 1024);
	struct event *back;
	size_t len;

	event_print(event, &printed);
	assert_false(printed.failed);
	back = good(printed.data);
	assert_equal(event, back);
	event_print(back, &again);
	assert_string_equal(again.data, printed.data);
	len = printed.len;
	event_free(back);
	buf_free(&printed);
	buf_free(&again);
	return len;
}

static void test_files(void **state)
{
	const char *srcdir = getenv("srcdir");
	char pattern[4096];
	unsigned good_ones = 0;
	glob_t files;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/tests/data/events/*", srcdir ? srcdir : ".");
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct blob body = {NULL, 0};
		struct event *event = NULL;
		struct error e;

		assert_int_equal(file_read(files.gl_pathv[i], &body, &e), ERR_OK);
		if (event_parse((const char *)body.data, body.len, &event, &e) == ERR_OK) {
			round_trip(event);
			good_ones++;
		}
		event_free(event);
		blob_free(&body);
	}
	globfree(&files);
	assert_true(good_ones >= 8);
}

static void assert_round(const char *json)
{
	struct event *event = good(json);

	round_trip(event);
	event_free(event);
}

static void test_damage(void **state)
{
	static const char *const values[] = {"\"Zo\\ud83d\"", "\"Zo\xeb\"", "\"a\\u0000b\"",
		"\"Zo\tx\\u001f\\u0085\\\"\\\\\"", "7", "-0", "1.5", "[1]", "{\"a\":1}", "true",
		"null", "\"\"", "\" x \"", "1e300"};
	char json[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		snprintf(json, sizeof(json),
			"{" ENROLLED ",\"EnrollmentUserName\":%s,\"Platform\":%s}", values[i],
			values[i]);
		assert_round(json);
	}
}

/* Cut in the middle of characters of one to four bytes, behind spaces, and with a loss in it. */
static void test_cut(void **state)
{
	static const char *const parts[] = {"x", "\xc3\xab", "\xe2\x80\x99", "\xf0\x9f\x9a\x80",
		" \xe2\x80\x99", "x ", "\xef\xbf\xbd", "\xef\xbf\xbd ", "  \xef\xbf\xbd"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (int before = 0; before < 4; before++) {
			struct buf json = BUF_INIT(16384);

			buf_printf(&json, "{" ENROLLED ",\"Platform\":\"%.*s", before, "aaaa");
			for (int n = 0; n < 400; n++)
				buf_puts(&json, parts[i]);
			buf_puts(&json, "\"}");
			assert_round(json.data);
			buf_free(&json);
		}
	}
}

static void test_ids(void **state)
{
	struct event *event = good("{" ENROLLED ",\"DeviceId\":9007199254740992,"
				   "\"EnrollmentUserId\":\"17\",\"Other\":1}");
	struct buf printed = BUF_INIT(4096);

	(void)state;
	event_print(event, &printed);
	assert_string_equal(printed.data,
		"{\"EventId\":148,\"DeviceId\":9007199254740992,\"DeviceUUID\":\"" DEVICE
		"\",\"EnrollmentUserId\":17,\"EnrollmentUserUUID\":\"" USER "\"}");
	buf_free(&printed);
	event_free(event);
	assert_round("{" ENROLLED ",\"DeviceId\":\"x\",\"EnrollmentUserId\":-4}");
	assert_round("{\"EventId\":178,\"DeviceUUID\":\"none\"}");
	assert_round("{\"EventType\":\"Something\"}");
}

static void test_padding_is_left_out(void **state)
{
	struct buf json = BUF_INIT(128 * 1024);
	struct event *event;

	(void)state;
	buf_puts(&json, "{" ENROLLED ",\"Padding\":\"");
	for (int i = 0; i < 60000; i++)
		buf_putc(&json, 'x');
	buf_puts(&json, "\"}");
	event = good(json.data);
	assert_true(round_trip(event) < 200);
	event_free(event);
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_padding_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
