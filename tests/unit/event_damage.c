#include "base/buf.h"
#include "event_tools.h"

/* A text that is a number, and a text that is none at all. */
static void test_wrong_types(void **state)
{
	struct event *event =
		good("{" ENROLLED ",\"PhoneNumber\":491701234567,\"Platform\":-0,\"Udid\":[1],"
		     "\"AssetNumber\":false,\"DeviceIMEI\":1.5,\"DeviceId\":\"x\","
		     "\"EnrollmentUserId\":{}}");

	(void)state;
	assert_string_equal(event->field[EVENT_PHONE_NUMBER], "491701234567");
	assert_string_equal(event->field[EVENT_PLATFORM], "0");
	assert_string_equal(event->field[EVENT_UDID], "");
	assert_string_equal(event->field[EVENT_ASSET_NUMBER], "");
	assert_string_equal(event->field[EVENT_DEVICE_IMEI], "");
	assert_int_equal(event->damage[EVENT_PHONE_NUMBER], EVENT_WHOLE);
	assert_int_equal(event->damage[EVENT_UDID], EVENT_LOST);
	assert_int_equal(event->damage[EVENT_ASSET_NUMBER], EVENT_LOST);
	assert_int_equal(event->damage[EVENT_DEVICE_IMEI], EVENT_LOST);
	assert_string_equal(event->repaired,
		"PhoneNumber (a number), Udid (not a string, left out), "
		"DeviceIMEI (not a string, left out), AssetNumber (not a string, left out), "
		"Platform (a number)");
	event_free(event);
	event_free(good("{\"EventId\":178,\"Platform\":5,\"DeviceId\":\"x\"}"));
}

static void test_nothing_repaired(void **state)
{
	struct event *event = good("{" ENROLLED ",\"Platform\":\"Apple\",\"Udid\":null}");

	(void)state;
	assert_string_equal(event->repaired, "");
	for (int i = 0; i < EVENT_FIELD_COUNT; i++)
		assert_int_equal(event->damage[i], EVENT_WHOLE);
	event_free(event);
}

/* What a field that is damaged on its way becomes. */
static void test_damage(void **state)
{
	static const struct {
		const char *json, *text;
		enum event_damage damage;
		const char *repaired;
	} rows[] = {
		{"Zo\\ud83d", "Zo\xef\xbf\xbd", EVENT_LOST, "halves of surrogate pairs, "},
		{"Zo\xeb", "Zo\xef\xbf\xbd", EVENT_LOST, "bytes that are not UTF-8, "},
		{"Z\xf0\x9f", "Z\xef\xbf\xbd\xef\xbf\xbd", EVENT_LOST,
			"bytes that are not UTF-8, "},
		{"Zo\\u0000x", "Zo\xef\xbf\xbdx", EVENT_LOST, "NUL characters, "},
		{"Zo\xef\xbf\xbd", "Zo\xef\xbf\xbd", EVENT_LOST, ""},
		{"Zo\\u0000\\u0000", "Zo", EVENT_WHOLE, "NUL characters"},
		{"Zo\tx", "Zo\tx", EVENT_WHOLE, "control characters that are not escaped"},
		{"Zo\r\n", "Zo", EVENT_WHOLE, "control characters that are not escaped"},
		{"\xc2\xa0Zo\\r\\n\xe2\x80\x8b", "Zo", EVENT_WHOLE, ""},
	};
	char json[512], repaired[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event *event;

		snprintf(json, sizeof(json), "{" ENROLLED ",\"DeviceFriendlyName\":\"%s\"}",
			rows[i].json);
		snprintf(repaired, sizeof(repaired), "%s%s", rows[i].repaired,
			rows[i].damage == EVENT_LOST ? "DeviceFriendlyName (characters lost)" : "");
		event = good(json);
		assert_string_equal(event->field[EVENT_DEVICE_FRIENDLY_NAME], rows[i].text);
		assert_int_equal(event->damage[EVENT_DEVICE_FRIENDLY_NAME], rows[i].damage);
		assert_string_equal(event->repaired, repaired);
		event_free(event);
	}
}

/* A longer text does not pass for a UUID. */
static void test_damaged_uuids(void **state)
{
	static const char *const bad[] = {
		"\\u0000x", ("\\u0000 " DEVICE), "\\ud83d", "\xff", "\\u200bx", "\\u00g0 other"};
	char json[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct event *event = NULL;
		struct error e;

		snprintf(json, sizeof(json),
			"{\"EventId\":148,\"DeviceUUID\":\"" DEVICE
			"%s\",\"EnrollmentUserUUID\":\"" USER "\"}",
			bad[i]);
		assert_int_equal(parse(json, &event, &e), ERR_MALFORMED);
		assert_null(event);
	}
	event_free(good("{\"EventId\":148,\"DeviceUUID\":\"" DEVICE "\\u0000\\u0000\","
			"\"EnrollmentUserUUID\":\"\xc2\xa0" USER "\\r\\n\"}"));
}

/* A refused event can be found again. */
static void test_refusal_names_the_device(void **state)
{
	static const char *const bad[] = {"{" ENROLLED ",\"EventType\":\"Break MDM Confirmed\"}",
		"{" ENROLLED ",}", "{" ENROLLED, "{" ENROLLED ",\"x\":1,\"x\":2}",
		"{\"EventId\":148,\"DeviceUUID\" : \n \"F90F1ABD-B914-4895-9B59-82E8AECF0E66\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct event *event = NULL;
		struct error e;

		assert_int_equal(parse(bad[i], &event, &e), ERR_MALFORMED);
		if (strncmp(e.text, "event of device " DEVICE ": ", 54) != 0)
			fail_msg("%s: %s", bad[i], e.text);
	}
}

static void test_text_length(void **state)
{
	static const size_t limits[] = {
		[EVENT_TYPE] = 256,
		[EVENT_DEVICE_FRIENDLY_NAME] = 1024,
		[EVENT_ENROLLMENT_EMAIL_ADDRESS] = 512,
		[EVENT_ENROLLMENT_USER_NAME] = 512,
		[EVENT_UDID] = 256,
		[EVENT_ORGANIZATION_GROUP_NAME] = 1024,
	};
	char long_text[1100], json[2048];

	(void)state;
	memset(long_text, 'a', sizeof(long_text));
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const char *name = event_field_name((enum event_field)i);

		for (size_t more = 0; limits[i] && more < 2; more++) {
			struct event *event;

			snprintf(json, sizeof(json), "{" ENROLLED ",\"%s\":\"  %.*s  \"}", name,
				(int)(limits[i] + more), long_text);
			event = good(json);
			assert_int_equal(strlen(event->field[i]), limits[i]);
			assert_int_equal(event->damage[i], more ? EVENT_CUT : EVENT_WHOLE);
			assert_int_equal(strcmp(event->repaired, "") == 0, !more);
			event_free(event);
		}
	}
}

/* Never within a character. */
static void test_cut_at_a_character(void **state)
{
	struct buf json = BUF_INIT(8192);
	struct event *event;

	(void)state;
	buf_puts(&json, "{" ENROLLED ",\"DeviceFriendlyName\":\"x");
	for (int i = 0; i < 300; i++)
		buf_puts(&json, "\xf0\x9f\x98\x80");
	buf_puts(&json, "\"}");
	event = good(json.data);
	assert_int_equal(strlen(event->field[EVENT_DEVICE_FRIENDLY_NAME]), 1021);
	assert_int_equal(event->damage[EVENT_DEVICE_FRIENDLY_NAME], EVENT_CUT);
	event_free(event);
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_nothing_repaired),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damaged_uuids),
		cmocka_unit_test(test_refusal_names_the_device),
		cmocka_unit_test(test_text_length),
		cmocka_unit_test(test_cut_at_a_character),
	};

	return cmocka_run_group_tests_name("event_damage", tests, NULL, NULL);
}
