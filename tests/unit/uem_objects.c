/* Devices and users in the shapes of UEM's REST API, by version and as seen at real customers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "uem/api_json.h"
#include "uem/device.h"
#include "uem/user.h"

#define DEVICE "2f0e6b1c-9a3d-4c58-8d11-0123456789ab"
#define USER "7b1f1a52-1d0e-4c3b-9b42-89abcdef0123"
#define NIL "00000000-0000-0000-0000-000000000000"

static enum err read_device(const char *text, struct uem_device *out)
{
	cJSON *json = cJSON_ParseWithLength(text, strlen(text));
	struct error e;
	enum err err;

	assert_non_null(json);
	err = uem_device_read(json, out, &e);
	cJSON_Delete(json);
	return err;
}

static void assert_device(const char *text, bool enrolled, const char *user)
{
	struct uem_device device;

	assert_int_equal(read_device(text, &device), ERR_OK);
	assert_string_equal(device.uuid, DEVICE);
	assert_string_equal(device.user_uuid, user);
	assert_int_equal(device.enrolled, enrolled);
}

static void test_device_versions(void **state)
{
	(void)state;
	/* 1: flat; the user is in UserId, EnrollmentUserUuid says nothing */
	assert_device("{\"EnrollmentStatus\":\"Enrolled\",\"EnrollmentUserUuid\":\"" NIL "\","
		      "\"UserId\":{\"Id\":{\"Value\":111},\"Uuid\":\"" USER "\"},"
		      "\"Id\":{\"Value\":5614},\"Uuid\":\"" DEVICE "\"}",
		true, USER);
	/* 2: camelCase, UUIDs in upper case */
	assert_device(
		"{\"friendlyName\":\"x\",\"enrollmentInfo\":{\"enrollmentStatus\":\"ENROLLED\","
		"\"enrollmentUserUuid\":\"7B1F1A52-1D0E-4C3B-9B42-89ABCDEF0123\"},"
		"\"id\":5614,\"uuid\":\"2F0E6B1C-9A3D-4C58-8D11-0123456789AB\"}",
		true, USER);
	/* 3: snake_case */
	assert_device("{\"enrollment_info\":{\"enrollment_status\":\"ENROLLED\","
		      "\"enrollment_user_uuid\":\"" USER "\"},\"uuid\":\"" DEVICE "\"}",
		true, USER);
	/* search, version 3: snake_case, but Id and Uuid */
	assert_device(
		"{\"enrollment_status\":\"EnterpriseWipePending\",\"enrollment_user_uuid\":\"" USER
		"\",\"Id\":{\"Value\":1},\"Uuid\":\"" DEVICE "\"}",
		false, USER);
	/* extensivesearch: no user */
	assert_device("{\"DeviceId\":7,\"DeviceUuid\":\"" DEVICE
		      "\",\"EnrollmentStatus\":\"Unenrolled\"}",
		false, "");
}

/* UserId comes first, where both are there and differ. */
static void test_device_user(void **state)
{
	(void)state;
	assert_device("{\"EnrollmentStatus\":\"Enrolled\",\"EnrollmentUserUuid\":\"" DEVICE "\","
		      "\"UserId\":{\"Uuid\":\"" USER "\"},\"Uuid\":\"" DEVICE "\"}",
		true, USER);
	assert_device("{\"EnrollmentStatus\":\"Enrolled\",\"EnrollmentUserUuid\":\"\","
		      "\"Uuid\":\"" DEVICE "\"}",
		true, "");
	/* a text that is no UUID is none */
	assert_device("{\"EnrollmentStatus\":\"Enrolled\",\"EnrollmentUserUuid\":\"" USER "x\","
		      "\"Uuid\":\"" DEVICE "\"}",
		true, "");
}

/* What does not say which device it is about, or how it is enrolled, says nothing. */
static void test_device_faults(void **state)
{
	struct uem_device device;

	(void)state;
	assert_int_equal(read_device("{\"EnrollmentStatus\":\"Enrolled\"}", &device), ERR_GARBLED);
	assert_int_equal(
		read_device("{\"uuid\":\"" NIL "\",\"EnrollmentStatus\":\"Enrolled\"}", &device),
		ERR_GARBLED);
	assert_int_equal(read_device("{\"uuid\":\"" DEVICE "\"}", &device), ERR_GARBLED);
	assert_int_equal(read_device("{\"uuid\":\"" DEVICE "\",\"EnrollmentStatus\":1}", &device),
		ERR_GARBLED);
	assert_int_equal(
		read_device("{\"uuid\":\"" DEVICE "\",\"EnrollmentStatus\":\"UNKNOWN\"}", &device),
		ERR_GARBLED);
	assert_int_equal(read_device("[]", &device), ERR_GARBLED);
	/* "enrolled" in a word is no "Enrolled" */
	assert_device("{\"uuid\":\"" DEVICE "\",\"EnrollmentStatus\":\"Unenrolled\"}", false, "");
}

static struct uem_user *read_user(const char *text)
{
	struct uem_user *user = NULL;
	cJSON *json = cJSON_ParseWithLength(text, strlen(text));
	struct error e;

	assert_non_null(json);
	if (uem_user_read(json, &user, &e))
		user = NULL;
	cJSON_Delete(json);
	return user;
}

static void test_user(void **state)
{
	struct uem_user *user =
		read_user("{\"uuid\":\"" USER
			  "\",\"userName\":\"alice\",\"emailAddress\":\" alice@example.com \","
			  "\"userPrincipalName\":\"alice@corp\",\"displayName\":null,"
			  "\"deviceStagingType\":\"StagingDisabled\"}");

	(void)state;
	assert_non_null(user);
	assert_string_equal(user->uuid, USER);
	assert_string_equal(user->field[UEM_EMAIL_ADDRESS], "alice@example.com");
	assert_string_equal(user->field[UEM_USER_PRINCIPAL_NAME], "alice@corp");
	assert_string_equal(user->field[UEM_DISPLAY_NAME], "");
	assert_false(user->staging);
	uem_user_free(user);
	/* version 1 */
	user = read_user(
		"{\"Uuid\":\"" USER "\",\"UserName\":\"alice\",\"Email\":\"a@example.com\","
		"\"Id\":{\"Value\":111},\"StagingMode\":0,\"DeviceStagingType\":0}");
	assert_non_null(user);
	assert_string_equal(user->field[UEM_EMAIL_ADDRESS], "a@example.com");
	assert_int_equal(user->id, 111);
	assert_false(user->staging);
	uem_user_free(user);
	assert_null(read_user("{\"userName\":\"alice\"}"));
}

static void test_staging(void **state)
{
	static const char *const staging[] = {"\"deviceStagingType\":\"SingleUser\"",
		"\"deviceStagingType\":\"StagingEnabled\"", "\"deviceStagingType\":1",
		"\"DeviceStagingEnabled\":true", "\"StagingMode\":\"2\""};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(staging) / sizeof(staging[0]); i++) {
		struct uem_user *user;

		snprintf(text, sizeof(text), "{\"uuid\":\"" USER "\",%s}", staging[i]);
		user = read_user(text);
		assert_non_null(user);
		assert_true(user->staging);
		uem_user_free(user);
	}
}

static void test_members(void **state)
{
	static const char text[] =
		"{\"Id\":{\"Value\":15},\"Total\":\"2\",\"page\":0,\"bad\":-1,"
		"\"half\":1.5,\"big\":1e300,\"since\":\"2021-06-28T04:35:20.150\","
		"\"never\":\"0001-01-01T00:00:00.000\",\"on\":\"4/2/2026 7:38:11 PM\","
		"\"day\":\"2026-04-02\",\"epoch\":1698754208,"
		"\"zone\":\"2024-09-11T13:23:29.9817843+02:00\"}";
	cJSON *json = cJSON_ParseWithLength(text, strlen(text));
	int64_t n = -7;

	(void)state;
	assert_true(uem_json_number(json, "id", &n) && n == 15);
	assert_true(uem_json_number(json, "total", &n) && n == 2);
	assert_true(uem_json_number(json, "Page", &n) && n == 0);
	assert_false(uem_json_number(json, "bad", &n));
	assert_false(uem_json_number(json, "half", &n));
	assert_false(uem_json_number(json, "big", &n));
	assert_true(uem_json_time(json, "since", &n) && n == 1624854920);
	assert_false(uem_json_time(json, "never", &n));
	assert_true(uem_json_time(json, "on", &n) && n == 1775158691);
	assert_true(uem_json_time(json, "day", &n) && n == 1775088000);
	assert_true(uem_json_time(json, "epoch", &n) && n == 1698754208);
	assert_true(uem_json_time(json, "zone", &n) && n == 1726053809);
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_versions),
		cmocka_unit_test(test_device_user),
		cmocka_unit_test(test_device_faults),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_staging),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
