#include "event_tools.h"

#include "base/buf.h"
#include "base/file.h"
#include "uem/event_kind.h"

static void assert_kind(const char *json, enum event_kind kind)
{
	struct event *event = good(json);

	if (event->kind != kind)
		fail_msg("%s: %s", json, event_kinds[event->kind].name);
	event_free(event);
}

static void assert_refused(const char *json, enum err code, const char *field)
{
	struct event *event = NULL;
	struct error e;

	if (parse(json, &event, &e) != code || e.code != code)
		fail_msg("%s: %s", json, event ? "taken" : e.text);
	assert_null(event);
	assert_true(*e.text);
	if (strcmp(e.field, field) != 0)
		fail_msg("%s: field \"%s\", not \"%s\"", json, e.field, field);
}

static struct event *good_file(const char *name)
{
	struct blob content = load(name);
	struct event *event = good((const char *)content.data);

	blob_free(&content);
	return event;
}

static void assert_file_refused(const char *name, enum err code, const char *field)
{
	struct blob content = load(name);

	assert_refused((const char *)content.data, code, field);
	blob_free(&content);
}

static void test_sample(void **state)
{
	static const char *const expected[EVENT_FIELD_COUNT] = {
		[EVENT_TYPE] = "MDM Enrollment Complete",
		[EVENT_DEVICE_FRIENDLY_NAME] = "zenny iPod Touch Apple 12.4.5 GGK6",
		[EVENT_ENROLLMENT_EMAIL_ADDRESS] = "",
		[EVENT_ENROLLMENT_USER_NAME] = "zenny",
		[EVENT_TIME] = "2020-02-24T16:52:25.9231303Z",
		[EVENT_ENROLLMENT_STATUS] = "Enrolled",
		[EVENT_PHONE_NUMBER] = "",
		[EVENT_UDID] = "902dca357c02dbc1306ff99ffbf4b9c80218f3a3",
		[EVENT_SERIAL_NUMBER] = "CCQQ44BMGGK6",
		[EVENT_DEVICE_IMEI] = "",
		[EVENT_ASSET_NUMBER] = "902dca357c02dbc1306ff99ffbf4b9c80218f3a3",
		[EVENT_PLATFORM] = "Apple",
		[EVENT_OPERATING_SYSTEM] = "12.4.5",
		[EVENT_OWNERSHIP] = "CorporateDedicated",
		[EVENT_ORGANIZATION_GROUP_NAME] = "CEG",
	};
	struct event *event = good_file("enrollment-event.json");

	(void)state;
	assert_int_equal(event->kind, EVENT_ENROLLED);
	assert_int_equal(event->event_id, 148);
	assert_string_equal(event->device_uuid, DEVICE);
	assert_string_equal(event->user_uuid, USER);
	assert_int_equal(event->time, 1582563145);
	for (int i = 0; i < EVENT_FIELD_COUNT; i++)
		assert_string_equal(event->field[i], expected[i]);
	event_free(event);
}

static void test_files(void **state)
{
	struct event *event = good_file("events/android.json");

	(void)state;
	assert_int_equal(event->kind, EVENT_ENROLLED);
	assert_string_equal(event->field[EVENT_ORGANIZATION_GROUP_NAME], "CEG");
	assert_string_equal(event->field[EVENT_UDID], "System.Byte[]");
	event_free(event);

	event = good_file("events/break-mdm.json");
	assert_int_equal(event->kind, EVENT_UNENROLLED);
	assert_string_equal(event->device_uuid, DEVICE);
	assert_string_equal(event->user_uuid, "");
	assert_int_equal(event->time, 1391182403);
	event_free(event);

	event = good_file("events/emoji.json");
	assert_string_equal(event->field[EVENT_DEVICE_FRIENDLY_NAME],
		"Zo\xc3\xab\xe2\x80\x99s iPhone \xf0\x9f\x9a\x80 O'Brien \xf0\x9f\x9a\x80");
	assert_string_equal(event->field[EVENT_ENROLLMENT_USER_NAME], "zo\xc3\xab");
	assert_string_equal(event->field[EVENT_ENROLLMENT_EMAIL_ADDRESS], "zoe@example.com");
	event_free(event);

	event = good_file("events/newer-uem.json");
	assert_int_equal(event->kind, EVENT_ENROLLED);
	assert_string_equal(event->device_uuid, DEVICE);
	event_free(event);

	event = good_file("events/compromised.json");
	assert_int_equal(event->kind, EVENT_OTHER);
	assert_string_equal(event->device_uuid, "");
	assert_string_equal(event->user_uuid, USER);
	event_free(event);
}

static void test_files_unenrolled(void **state)
{
	static const char *const names[] = {
		"events/enterprise-wipe.json", "events/device-wipe.json", "events/delete.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct event *event = good_file(names[i]);

		assert_int_equal(event->kind, EVENT_UNENROLLED);
		event_free(event);
	}
}

static void test_files_refused(void **state)
{
	(void)state;
	assert_file_refused("events/older-uem.json", ERR_MALFORMED, "DeviceUUID");
	assert_file_refused("events/zero-user.json", ERR_MALFORMED, "EnrollmentUserUUID");
	assert_file_refused("events/twice.json", ERR_MALFORMED, "EnrollmentUserUUID");
}

static void test_kinds(void **state)
{
	(void)state;
	assert_kind("{\"EventId\":148," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":170," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":148.0," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":\"148\"," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":\" 148\\u0000\"," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":148,\"EventType\":148," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":148,\"EventType\":{}," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventType\":\"mdmenrollmentCOMPLETE\"," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventType\":\"  Enrollment  Complete \"," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":null,\"EventType\":\"Enrollment Complete\"," UUIDS "}",
		EVENT_ENROLLED);
	assert_kind("{\"EventId\":\"\",\"EventType\":\"Enrollment Complete\"," UUIDS "}",
		EVENT_ENROLLED);
	assert_kind("{\"EventId\":170,\"EventType\":\"MDM Enrollment Complete\"," UUIDS "}",
		EVENT_ENROLLED);
	assert_kind("{\"EventId\":148,\"EventType\":\"Einschreibung\"," UUIDS "}", EVENT_ENROLLED);
	assert_kind("{\"EventId\":9999,\"EventType\":\"Enrollment Complete\"," UUIDS "}",
		EVENT_ENROLLED);
	assert_kind("{\"EventId\":39," UUIDS "}", EVENT_UNENROLLED);
	assert_kind("{\"EventType\":\"devicewipe\"," UUIDS "}", EVENT_UNENROLLED);
	assert_kind("{\"EventId\":25,\"DeviceUUID\":\"" DEVICE "\"}", EVENT_UNENROLLED);
	assert_kind(
		"{\"EventType\":\"User Email Address Changed\"," UUIDS "}", EVENT_ADDRESS_CHANGED);
	assert_kind("{\"EventId\":9999,\"EventType\":\" UserEmailAddressChange\"," UUIDS "}",
		EVENT_ADDRESS_CHANGED);
	assert_kind("{\"EventType\":\"useremail address CHANGED\",\"EnrollmentUserUUID\":\"\"}",
		EVENT_ADDRESS_CHANGED);
	assert_kind("{\"EventId\":178}", EVENT_OTHER);
	assert_kind("{\"EventId\":641}", EVENT_OTHER);
	assert_kind("{\"EventId\":1}", EVENT_OTHER);
	assert_kind("{\"EventType\":\"Compromised Status Changed\"}", EVENT_OTHER);
	assert_kind("{\"EventType\":\"CompromisedStatusChanged\"}", EVENT_OTHER);
	assert_kind("{\"EventType\":\"Enrollment\"}", EVENT_OTHER);
	assert_kind("{\"EventType\":\"Enrollment Completed\"}", EVENT_OTHER);
	assert_kind("{\"EventType\":\"Not Enrollment Complete\"}", EVENT_OTHER);
}

static void test_kind_refused(void **state)
{
	(void)state;
	assert_refused("{}", ERR_MALFORMED, "EventType");
	assert_refused("{" UUIDS "}", ERR_MALFORMED, "EventType");
	assert_refused(
		"{\"eventid\":148,\"EVENTTYPE\":\"x\"," UUIDS "}", ERR_MALFORMED, "EventType");
	assert_refused("{\"EventId\":0," UUIDS "}", ERR_MALFORMED, "EventType");
	assert_refused("{\"EventType\":\" \"," UUIDS "}", ERR_MALFORMED, "EventType");
	assert_refused("{\"EventType\":[\"Delete\"]," UUIDS "}", ERR_MALFORMED, "EventType");
	assert_refused("{\"EventId\":\"148x\"," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":\"148\\u00001\"," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":\"-148\"," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":true," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":-148," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":148.5," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":1e300," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":9007199254740994," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":1e999," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":148,\"EventType\":\"Break MDM Confirmed\"," UUIDS "}",
		ERR_MALFORMED, "EventType");
	assert_refused("{\"EventId\":178,\"EventType\":\"Enrollment Complete\"," UUIDS "}",
		ERR_MALFORMED, "EventType");
}

static void test_uuids(void **state)
{
	static const char upper[] =
		"{\"EventId\":148,"
		"\"DeviceUUID\":\"  F90F1ABD-B914-4895-9B59-82E8AECF0E66\\u0020\","
		"\"EnrollmentUserUUID\":\"Fe13E814-7415-4fce-9f47-de5a55bfe57A\"}";
	struct event *event = good(upper);

	(void)state;
	assert_string_equal(event->device_uuid, DEVICE);
	assert_string_equal(event->user_uuid, USER);
	event_free(event);

	event = good("{\"EventId\":39,\"DeviceUUID\":\"" DEVICE "\",\"EnrollmentUserUUID\":"
		     "\"00000000-0000-0000-0000-000000000000\"}");
	assert_string_equal(event->user_uuid, "");
	event_free(event);
}

static void test_uuid_refused(void **state)
{
	static const char *const bad[] = {"\"x\"", "\"{" DEVICE "}\"", "\"" DEVICE "0\"",
		"\"f90f1abdb91448959b5982e8aecf0e66\"", "\"f90f1abd-b914-4895-9b59-82e8aecf0e6g\"",
		"\"\"", "null", "\" \"", "\"00000000-0000-0000-0000-000000000000\"", "15", "{}",
		"[\"" DEVICE "\"]"};
	char json[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(json, sizeof(json),
			"{\"EventId\":148,\"DeviceUUID\":%s,\"EnrollmentUserUUID\":\"" USER "\"}",
			bad[i]);
		assert_refused(json, ERR_MALFORMED, "DeviceUUID");
		snprintf(json, sizeof(json),
			"{\"EventId\":170,\"EnrollmentUserUUID\":%s,\"DeviceUUID\":\"" DEVICE "\"}",
			bad[i]);
		assert_refused(json, ERR_MALFORMED, "EnrollmentUserUUID");
		snprintf(json, sizeof(json), "{\"EventId\":39,\"DeviceUUID\":%s}", bad[i]);
		assert_refused(json, ERR_MALFORMED, "DeviceUUID");
		snprintf(json, sizeof(json), "{\"EventId\":178,\"DeviceUUID\":%s}", bad[i]);
		assert_kind(json, EVENT_OTHER);
	}
	assert_refused("{\"EventId\":148,\"EnrollmentUserUUID\":\"" USER "\"}", ERR_MALFORMED,
		"DeviceUUID");
	assert_refused("{\"EventId\":148,\"DeviceUUID\":\"" DEVICE "\"}", ERR_MALFORMED,
		"EnrollmentUserUUID");
	assert_refused("{\"EventId\":148}", ERR_MALFORMED, "DeviceUUID");
}

static void test_missing_uuid_says_why(void **state)
{
	struct event *event = NULL;
	struct error e;

	(void)state;
	assert_int_equal(parse("{\"EventId\":148}", &event, &e), ERR_MALFORMED);
	assert_non_null(strstr(e.text, "older versions of UEM"));
}

static void test_text_fields(void **state)
{
	struct event *event = good("{" ENROLLED ",\"Platform\":null,\"Udid\":\"\","
				   "\"EnrollmentUserName\":\" \\t x,O=Evil \\t \","
				   "\"PhoneNumber\":\"   \",\"Ownership\":\"a\\\\\\\"b\"}");

	(void)state;
	assert_string_equal(event->field[EVENT_PLATFORM], "");
	assert_string_equal(event->field[EVENT_UDID], "");
	assert_string_equal(event->field[EVENT_SERIAL_NUMBER], "");
	assert_string_equal(event->field[EVENT_PHONE_NUMBER], "");
	assert_string_equal(event->field[EVENT_ENROLLMENT_USER_NAME], "x,O=Evil");
	assert_string_equal(event->field[EVENT_OWNERSHIP], "a\\\"b");
	event_free(event);
}

/* An event is never lost for its time. */
static void test_odd_times(void **state)
{
	static const char *const odd[] = {"\"yesterday\"", "12", "null", "\"\"", "{}", "\"\\n\""};
	char json[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct event *event;

		snprintf(json, sizeof(json), "{" ENROLLED ",\"EventTime\":%s}", odd[i]);
		event = good(json);
		assert_int_equal(event->time, 0);
		event_free(event);
	}
}

static void test_json_taken(void **state)
{
	(void)state;
	assert_kind(" \r\n\t{ \"EventId\" : 1 }\r\n\t ", EVENT_OTHER);
	assert_kind("\xef\xbb\xbf{\"EventId\":1}", EVENT_OTHER);
	assert_kind("{\"EventId\":1,\"x\":\"\\\\u0000\"}", EVENT_OTHER);
	assert_kind("{\"EventId\":1,\"x\":{\"EventId\":2},\"X\":1}", EVENT_OTHER);
	assert_kind("{\"EventId\":1,\"x\":\"\\u0001\\\"\"}", EVENT_OTHER);
}

static void test_json_refused(void **state)
{
	static const char *const bad[] = {"", " \n", "\xef\xbb\xbf", "{", "}", "[]", "\"x\"", "1",
		"null", "{\"EventId\":148", "{\"EventId\":148,", "{\"EventId\":148,}",
		"{\"EventId\":148}x", "{\"EventId\":148}{}", "{\"EventId\":148} }",
		"{\"EventId\" 148}", "{EventId:148}", "{'EventId':148}", "{\"EventId\":1,\"",
		"{\"EventId\":1,\"x\":\"\\", "{\"EventId\":1,\"x\":\"\\u00", "{\"EventId\":0x94}",
		"{\"EventId\":1,\"x\":\"\\q\"}", "{\"EventId\":1,\"x\":tru}",
		/* what cJSON takes */
		"{\"EventId\":1,\x01\"x\":1}", "{\"EventId\":01}", "{\"EventId\":1.}",
		"{\"EventId\":1,\"x\":2.e3}", "{\"EventId\":1,\"x\":-01}",
		"{\"EventId\":1,\"x\":\"\\u00g0\"}", "{\"EventId\":1,\"x\":\"\xe2\x82",
		"\xff\xfe{"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(bad[i], ERR_MALFORMED, "");
	assert_refused("{\"EventId\\u0000x\":148}", ERR_MALFORMED, "EventType");
	assert_refused("{\"EventId\\u0000\":148}", ERR_MALFORMED, "EventType");
}

static void test_nul_byte(void **state)
{
	static const char json[] = "{\"EventId\":1}\0";
	struct event *event = NULL;
	struct error e;

	(void)state;
	assert_int_equal(event_parse(json, sizeof(json) - 1, &event, &e), ERR_MALFORMED);
	assert_int_equal(event_parse("\0", 1, &event, &e), ERR_MALFORMED);
	assert_null(event);
}

static void test_duplicates(void **state)
{
	(void)state;
	assert_refused("{\"EventId\":148,\"EventId\":148," UUIDS "}", ERR_MALFORMED, "EventId");
	assert_refused("{\"EventId\":1,\"x\":1,\"y\":2,\"x\":1}", ERR_MALFORMED, "x");
	assert_refused("{\"EventId\":1,\"\":1,\"\":2}", ERR_MALFORMED, "");
	assert_refused(
		"{\"EventId\":148,\"Event\\u0049d\":25," UUIDS "}", ERR_MALFORMED, "EventId");
}

static void test_many_keys(void **state)
{
	struct buf json = BUF_INIT(65536);

	(void)state;
	buf_puts(&json, "{\"EventId\":1");
	for (int i = 0; i < 255; i++)
		buf_printf(&json, ",\"k%d\":%d", i, i);
	buf_puts(&json, "}");
	assert_kind(json.data, EVENT_OTHER);
	json.data[json.len - 1] = ',';
	buf_puts(&json, "\"more\":1}");
	assert_refused(json.data, ERR_MALFORMED, "");
	buf_free(&json);
}

static void test_deep_nesting(void **state)
{
	struct buf json = BUF_INIT(65536);

	(void)state;
	buf_puts(&json, "{\"EventId\":1,\"x\":");
	for (int i = 0; i < 30000; i++)
		buf_putc(&json, '[');
	for (int i = 0; i < 30000; i++)
		buf_putc(&json, ']');
	buf_putc(&json, '}');
	assert_refused(json.data, ERR_MALFORMED, "");
	buf_free(&json);
}

static void test_field_names(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
		const char *name = event_field_name((enum event_field)i);

		assert_non_null(name);
		assert_int_equal(event_field_find(name, strlen(name)), i);
	}
	assert_int_equal(event_field_find("EnrollmentUserName}", 18), EVENT_ENROLLMENT_USER_NAME);
	assert_int_equal(event_field_find("EnrollmentUserName", 17), -1);
	assert_int_equal(event_field_find("enrollmentusername", 18), -1);
	assert_int_equal(event_field_find("DeviceUUID", 10), -1);
	assert_int_equal(event_field_find("", 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_files_unenrolled),
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_kind_refused),
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_uuid_refused),
		cmocka_unit_test(test_missing_uuid_says_why),
		cmocka_unit_test(test_text_fields),
		cmocka_unit_test(test_odd_times),
		cmocka_unit_test(test_json_taken),
		cmocka_unit_test(test_json_refused),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_field_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
