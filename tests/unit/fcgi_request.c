/* A request's parameters, its id, length, type and body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi/request.h"
#include "tests/unit/fake_server.h"

static struct request start(struct fake_server *fake)
{
	struct request request;

	request_init(&request, &fake->transport);
	return request;
}

static void maps_the_empty_path_to_events(void **state)
{
	static const char *const paths[][2] = {{"", "/events"}, {"/", "/events"},
		{"/events", "/events"}, {"/events/", "/events/"}, {"//", "//"},
		{"/healthz", "/healthz"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct fake_server fake;
		struct request request;

		fake_server_init(&fake, "GET", paths[i][0], NULL);
		request = start(&fake);
		assert_string_equal(request.path, paths[i][1]);
		request_fini(&request);
		fake_server_fini(&fake);
	}
}

static void does_without_any_parameter(void **state)
{
	struct transport nothing = {.params = NULL};
	struct request request;

	(void)state;
	request_init(&request, &nothing);
	assert_string_equal(request.method, "");
	assert_string_equal(request.path, "/events");
	assert_string_equal(request.remote, "unknown");
	assert_int_equal(strlen(request.id), 32);
}

static void finds_parameters_by_their_whole_name(void **state)
{
	struct fake_server fake;
	struct request request;

	(void)state;
	fake_server_init(&fake, "GET", "", NULL);
	fake_server_param(&fake, "REQUEST_ID_X", "wrong");
	fake_server_param(&fake, "X", "a=b");
	request = start(&fake);
	assert_string_equal(request_param(&request, "X"), "a=b");
	assert_string_equal(request_param(&request, "REQUEST"), "");
	fake_server_fini(&fake);
}

#define ID64 "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789-_xyzZ"

static void takes_only_harmless_request_ids(void **state)
{
	static const struct {
		const char *server, *client, *expected; /* NULL: one of our own */
	} cases[] = {
		{"abcdef0123456789", "client-12345", "abcdef0123456789"},
		{"", "client-12345", "client-12345"},
		{"short", "client-12345", "client-12345"},
		{"12345678", "", "12345678"},
		{ID64, "", ID64},
		{ID64 "x", "", NULL},
		{"1234567", "", NULL},
		{"1234567\r\nX-Evil: 1", "", NULL},
		{"12345678 9", "12345678\xc3\xa9", NULL},
		{"", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_server fake;
		struct request request;

		fake_server_init(&fake, "GET", "", NULL);
		fake_server_param(&fake, "REQUEST_ID", cases[i].server);
		fake_server_param(&fake, "HTTP_X_REQUEST_ID", cases[i].client);
		request = start(&fake);
		if (cases[i].expected) {
			assert_string_equal(request.id, cases[i].expected);
		} else {
			assert_int_equal(strlen(request.id), 32);
			assert_int_equal(strspn(request.id, "0123456789abcdef"), 32);
			assert_string_not_equal(request.id, "00000000000000000000000000000000");
		}
		fake_server_fini(&fake);
	}
}

static void checks_the_length_before_reading(void **state)
{
	static const struct {
		const char *length;
		enum err err;
		size_t expected;
	} cases[] = {
		{"", ERR_MALFORMED, 0},
		{"-1", ERR_MALFORMED, 0},
		{"+1", ERR_MALFORMED, 0},
		{" 1", ERR_MALFORMED, 0},
		{"0x10", ERR_MALFORMED, 0},
		{"1,1", ERR_MALFORMED, 0},
		{"0", ERR_OK, 0},
		{"1024", ERR_OK, 1024},
		{"1025", ERR_TOO_LARGE, 0},
		{"18446744073709551617", ERR_TOO_LARGE, 0},
		{"99999999999999999999999999", ERR_TOO_LARGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_server fake;
		struct request request;
		struct error e;

		fake_server_init(&fake, "POST", "", "body");
		fake_server_param(&fake, "CONTENT_LENGTH", cases[i].length);
		request = start(&fake);
		assert_int_equal(request_check_length(&request, 1024, &e), cases[i].err);
		assert_int_equal(request.length, cases[i].expected);
		assert_int_equal(fake.body_read, 0);
		fake_server_fini(&fake);
	}
}

static void takes_any_media_type_that_may_be_json(void **state)
{
	static const struct {
		const char *type;
		enum err err;
	} cases[] = {
		{"", ERR_OK},
		{"application/json", ERR_OK},
		{"Application/JSON; charset=utf-8", ERR_OK},
		{"text/json", ERR_OK},
		{"text/plain", ERR_OK},
		{"application/octet-stream", ERR_OK},
		{"application/cloudevents+json", ERR_OK},
		{"application/x-www-form-urlencoded", ERR_OK},
		{"nonsense", ERR_OK},
		{"application/json; profile=\"text/xml\"", ERR_OK},
		{"application/xml", ERR_OK},
		{"text/xml;charset=utf-8", ERR_OK},
		{" TEXT/XML", ERR_OK},
		{"application/soap+xml", ERR_UNSUPPORTED},
		{"text/html", ERR_UNSUPPORTED},
		{"multipart/form-data; boundary=x", ERR_UNSUPPORTED},
		{"image/png", ERR_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_server fake;
		struct request request;
		struct error e;

		fake_server_init(&fake, "POST", "", "body");
		fake_server_param(&fake, "CONTENT_TYPE", cases[i].type);
		request = start(&fake);
		if (request_check_type(&request, &e) != cases[i].err)
			fail_msg("%s", cases[i].type);
		fake_server_fini(&fake);
	}
}

static void reads_the_whole_body(void **state)
{
	static const size_t lengths[] = {0, 1, 8191, 8192, 8193, 65536};
	static char body[65537];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct fake_server fake;
		struct request request;
		struct error e;

		memset(body, 'x', sizeof(body));
		body[lengths[i]] = '\0';
		fake_server_init(&fake, "POST", "", body);
		request = start(&fake);
		assert_int_equal(request_check_length(&request, 65536, &e), ERR_OK);
		assert_int_equal(request_read_body(&request, &e), ERR_OK);
		assert_int_equal(request.body.len, lengths[i]);
		if (lengths[i])
			assert_memory_equal(request.body.data, body, lengths[i]);
		request_fini(&request);
		fake_server_fini(&fake);
	}
}

static void reads_no_more_than_was_announced(void **state)
{
	struct fake_server fake;
	struct request request;
	struct error e;

	(void)state;
	fake_server_init(&fake, "POST", "", "four and more");
	fake_server_param(&fake, "CONTENT_LENGTH", "4");
	request = start(&fake);
	assert_int_equal(request_check_length(&request, 1024, &e), ERR_OK);
	assert_int_equal(request_read_body(&request, &e), ERR_OK);
	assert_string_equal(request.body.data, "four");
	assert_int_equal(fake.body_read, 4);
	request_fini(&request);
	fake_server_fini(&fake);
}

static void refuses_a_body_that_ends_early(void **state)
{
	struct fake_server fake;
	struct request request;
	struct error e;

	(void)state;
	fake_server_init(&fake, "POST", "", "four");
	fake_server_param(&fake, "CONTENT_LENGTH", "9000");
	request = start(&fake);
	assert_int_equal(request_check_length(&request, 65536, &e), ERR_OK);
	assert_int_equal(request_read_body(&request, &e), ERR_MALFORMED);
	assert_string_equal(e.text, "The body ends after 4 of 9000 bytes.");
	request_fini(&request);
	fake_server_fini(&fake);
}

static void reads_a_chunked_body_to_its_end(void **state)
{
	static const struct {
		size_t length;
		enum err err;
	} cases[] = {{0, ERR_OK}, {1, ERR_OK}, {8192, ERR_OK}, {16384, ERR_OK},
		{16385, ERR_TOO_LARGE}, {65536, ERR_TOO_LARGE}};
	static char body[65537];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_server fake;
		struct request request;
		struct error e;

		memset(body, 'x', sizeof(body));
		body[cases[i].length] = '\0';
		fake_server_init(&fake, "POST", "", body);
		fake_server_param(&fake, "CONTENT_LENGTH", "");
		fake_server_param(&fake, "HTTP_TRANSFER_ENCODING", "chunked");
		request = start(&fake);
		assert_int_equal(request_check_length(&request, 16384, &e), ERR_OK);
		assert_int_equal(fake.body_read, 0);
		assert_int_equal(request_read_body(&request, &e), cases[i].err);
		assert_in_range(fake.body_read, 0, 16385);
		if (!cases[i].err)
			assert_int_equal(request.body.len, cases[i].length);
		request_fini(&request);
		fake_server_fini(&fake);
	}
}

static void a_length_that_is_told_holds_for_a_chunked_body_too(void **state)
{
	struct fake_server fake;
	struct request request;
	struct error e;

	(void)state;
	fake_server_init(&fake, "POST", "", "four and more");
	fake_server_param(&fake, "CONTENT_LENGTH", "4");
	fake_server_param(&fake, "HTTP_TRANSFER_ENCODING", "chunked");
	request = start(&fake);
	assert_int_equal(request_check_length(&request, 1024, &e), ERR_OK);
	assert_int_equal(request_read_body(&request, &e), ERR_OK);
	assert_string_equal(request.body.data, "four");
	request_fini(&request);
	fake_server_fini(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_the_empty_path_to_events),
		cmocka_unit_test(does_without_any_parameter),
		cmocka_unit_test(finds_parameters_by_their_whole_name),
		cmocka_unit_test(takes_only_harmless_request_ids),
		cmocka_unit_test(checks_the_length_before_reading),
		cmocka_unit_test(takes_any_media_type_that_may_be_json),
		cmocka_unit_test(reads_the_whole_body),
		cmocka_unit_test(reads_no_more_than_was_announced),
		cmocka_unit_test(refuses_a_body_that_ends_early),
		cmocka_unit_test(reads_a_chunked_body_to_its_end),
		cmocka_unit_test(a_length_that_is_told_holds_for_a_chunked_body_too),
	};

	return cmocka_run_group_tests_name("fcgi_request", tests, NULL, NULL);
}
