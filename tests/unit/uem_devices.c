/* Lists of devices in UEM, page by page: their end, duplicates, and what cannot be read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "uem/devices.h"

struct seen {
	size_t count;
	struct uem_device last;
};

static enum err see(void *ctx, const struct uem_device *device, struct error *e)
{
	struct seen *seen = ctx;

	(void)e;
	seen->count++;
	seen->last = *device;
	return ERR_OK;
}

static enum err read_text(struct uem_devices *devices, const char *text)
{
	cJSON *json = text ? cJSON_ParseWithLength(text, strlen(text)) : NULL;
	struct error e;
	enum err err;

	assert_true(!text || json);
	err = uem_devices_read(devices, json, &e);
	cJSON_Delete(json);
	return err;
}

/* A page of devices first to end - 1. */
static enum err read_page(struct uem_devices *devices, int first, int end)
{
	struct buf text = BUF_INIT(1024 * 1024);
	enum err err;

	buf_puts(&text, "{\"Devices\":[");
	for (int i = first; i < end; i++)
		buf_printf(&text,
			"%s{\"EnrollmentStatus\":\"Enrolled\",\"Id\":{\"Value\":%d},"
			"\"LastEnrolledOn\":\"2021-06-28T04:35:20.150\","
			"\"Uuid\":\"2f0e6b1c-9a3d-4c58-8d11-%012x\"}",
			i > first ? "," : "", i, i);
	buf_puts(&text, "],\"Page\":0,\"PageSize\":500,\"Total\":1201}");
	assert_false(text.failed);
	err = read_text(devices, text.data);
	buf_free(&text);
	return err;
}

/* 1201 devices; one has moved to the next page meanwhile. */
static void test_pages(void **state)
{
	struct seen seen = {0};
	struct uem_devices devices = {.see = see, .ctx = &seen};

	(void)state;
	assert_int_equal(read_page(&devices, 1, 501), ERR_OK);
	assert_int_equal(seen.count, 500);
	assert_int_equal(seen.last.enrolled_at, 1624854920);
	assert_int_equal(read_page(&devices, 500, 1000), ERR_OK);
	assert_int_equal(read_page(&devices, 1000, 1202), ERR_OK);
	assert_true(devices.whole);
	assert_int_equal(devices.page, 3);
	assert_int_equal(seen.count, 1201);
	assert_true(uuid_set_has(&devices.known, "2f0e6b1c-9a3d-4c58-8d11-0000000004b1"));
	assert_false(uuid_set_has(&devices.known, "2f0e6b1c-9a3d-4c58-8d11-0000000004b2"));
	uem_devices_fini(&devices);
}

/* UEM may give fewer than it was asked for. */
static void test_short_pages(void **state)
{
	struct seen seen = {0};
	struct uem_devices devices = {.see = see, .ctx = &seen};

	(void)state;
	assert_int_equal(read_page(&devices, 1, 251), ERR_OK);
	assert_int_equal(read_page(&devices, 251, 501), ERR_OK);
	assert_false(devices.whole);
	assert_int_equal(read_text(&devices, NULL), ERR_OK);
	assert_true(devices.whole);
	assert_int_equal(seen.count, 500);
	uem_devices_fini(&devices);
}

static void test_ends(void **state)
{
	static const char *const ends[] = {NULL, "{\"Devices\":[],\"Total\":0}",
		"{\"devices\":[],\"total\":12}", "{\"Total\":0}"};
	struct seen seen = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct uem_devices devices = {.see = see, .ctx = &seen};

		assert_int_equal(read_text(&devices, ends[i]), ERR_OK);
		assert_true(devices.whole);
		uem_devices_fini(&devices);
	}
	assert_int_equal(seen.count, 0);
}

/* Only a whole list ends a listing: else devices would seem to be gone. */
static void test_faults(void **state)
{
	struct seen seen = {0};
	struct uem_devices devices = {.see = see, .ctx = &seen};

	(void)state;
	assert_int_equal(read_text(&devices, "{}"), ERR_UNAVAILABLE);
	assert_int_equal(read_text(&devices, "{\"Devices\":{}}"), ERR_UNAVAILABLE);
	assert_int_equal(read_text(&devices, "{\"Devices\":7,\"Total\":3}"), ERR_UNAVAILABLE);
	assert_false(devices.whole);
	assert_int_equal(read_text(&devices,
				 "{\"Devices\":[{\"EnrollmentStatus\":\"Enrolled\",\"Uuid\":\"\"},"
				 "7,{\"Uuid\":\"2f0e6b1c-9a3d-4c58-8d11-000000000001\"}]}"),
		ERR_OK);
	assert_int_equal(devices.unread, 3);
	assert_int_equal(seen.count, 0);
	uem_devices_fini(&devices);
}

static void test_same_page(void **state)
{
	struct seen seen = {0};
	struct uem_devices devices = {.see = see, .ctx = &seen};

	(void)state;
	assert_int_equal(read_page(&devices, 1, 501), ERR_OK);
	assert_int_equal(read_page(&devices, 1, 501), ERR_UNAVAILABLE);
	assert_int_equal(seen.count, 500);
	uem_devices_fini(&devices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_short_pages),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_same_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
