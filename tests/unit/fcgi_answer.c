/* Answers to whole requests: status, headers and body, who has access, what is logged. */
#include "answer_fixture.h"

static void delivered_is_202_with_the_certificates(void **state)
{
	struct fixture *f = *state;

	prepare(f, "POST", "/events", "deliver");
	run(f, 202);
	assert_string_equal(fake_server_header(&f->fake, "Content-Type"), "application/json");
	assert_string_equal(fake_server_header(&f->fake, "Cache-Control"), "no-store");
	assert_string_equal(fake_server_body(&f->fake),
		"{\"status\":\"delivered\",\"device_uuid\":\"11111111-2222-3333-4444-"
		"555555555555\","
		"\"user_uuid\":\"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\",\"certificates\":["
		"{\"usage\":\"signing\",\"serial\":\"00ab\",\"not_after\":\"2020-02-24T16:52:25Z\"}"
		","
		"{\"usage\":\"encryption\",\"serial\":\"01ab\",\"not_after\":\"2020-02-24T16:52:"
		"25Z\"},"
		"{\"usage\":\"archived\",\"serial\":\"02ab\",\"not_after\":\"2020-02-24T16:52:"
		"25Z\"}]}");
}

static void other_outcomes_are_200(void **state)
{
	struct fixture *f = *state;

	prepare(f, "POST", "", "record");
	run(f, 200);
	assert_string_equal(fake_server_body(&f->fake), "{\"status\":\"recorded\"}");
	prepare(f, "POST", "/", "ignore \"Asset\" Number");
	run(f, 200);
	assert_string_equal(member(f, "status"), "ignored");
	assert_string_equal(member(f, "event_type"), "\"Asset\" Number");
}

static void each_error_has_its_answer(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body;
		int status;
		const char *label, *retry_after;
		bool is_public;
	} cases[] = {
		{"fail malformed 0 Said \"so\".", 400, "malformed", NULL, true},
		{"fail unsupported 0 Said \"so\".", 415, "unsupported", NULL, true},
		{"fail unprocessable 0 Said \"so\".", 422, "unprocessable", NULL, true},
		{"fail forbidden 0 Said \"so\".", 403, "forbidden", NULL, false},
		{"fail refused 0 Said \"so\".", 502, "refused", NULL, false},
		{"fail unavailable 0 Said \"so\".", 503, "unavailable", "60", false},
		{"fail unavailable 17 Said \"so\".", 503, "unavailable", "17", false},
		{"fail unavailable 99999 Said \"so\".", 503, "unavailable", "3600", false},
		{"fail config 0 Said \"so\".", 503, "config", "60", false},
		{"fail internal 0 Said \"so\".", 500, "internal", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *retry_after;

		prepare(f, "POST", "/events", cases[i].body);
		run(f, cases[i].status);
		assert_problem(f, cases[i].status, cases[i].label);
		retry_after = fake_server_header(&f->fake, "Retry-After");
		assert_int_equal(!retry_after, !cases[i].retry_after);
		if (retry_after)
			assert_string_equal(retry_after, cases[i].retry_after);
		assert_int_equal(
			strcmp(member(f, "detail"), "Said \"so\".") == 0, cases[i].is_public);
		assert_string_equal(
			member(f, "field"), cases[i].is_public ? "EnrollmentUserName" : "");
		assert_int_equal(!!strstr(fake_server_body(&f->fake), "Said"), cases[i].is_public);
	}
}

static void a_detail_is_always_valid_json(void **state)
{
	struct fixture *f = *state;

	prepare(f, "POST", "/events", "fail malformed 0 cut \xc3");
	run(f, 400);
	assert_problem(f, 400, "malformed");
	assert_string_equal(member(f, "detail"), member(f, "title"));
}

static void test_connection_is_200_ok(void **state)
{
	struct fixture *f = *state;

	prepare(f, "GET", "/events", NULL);
	run(f, 200);
	assert_string_equal(fake_server_body(&f->fake), "OK");
	assert_string_equal(fake_server_header(&f->fake, "Content-Type"), "text/plain");
	prepare(f, "HEAD", "", NULL);
	run(f, 200);
	assert_string_equal(fake_server_body(&f->fake), "");
	assert_string_equal(fake_server_header(&f->fake, "Content-Length"), "2");
}

static void wrong_credentials_are_401(void **state)
{
	struct fixture *f = *state;
	static const char *const methods[] = {"GET", "HEAD", "POST"};
	static const char *const given[] = {"", WRONG, "Bearer x"};

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		for (size_t j = 0; j < ARRAY_LEN(given); j++) {
			prepare(f, methods[i], "/events", i == 2 ? "deliver" : NULL);
			fake_server_param(&f->fake, "HTTP_AUTHORIZATION", given[j]);
			run(f, 401);
			assert_string_equal(fake_server_header(&f->fake, "WWW-Authenticate"),
				"Basic realm=\"certprov\", charset=\"UTF-8\"");
			assert_int_equal(f->fake.body_read, 0);
			assert_null(strstr(fake_server_body(&f->fake), "uem"));
			if (i != 1)
				assert_problem(f, 401, "unauthenticated");
		}
	}
}

static void apache_passes_credentials_under_another_name(void **state)
{
	struct fixture *f = *state;

	prepare(f, "GET", "/events", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", "");
	fake_server_param(&f->fake, "REDIRECT_HTTP_AUTHORIZATION", RIGHT);
	run(f, 200);
}

static void reopen(struct fixture *f, enum authenticate authenticate)
{
	struct error e;

	service_close(&f->service);
	f->config.events.authenticate = authenticate;
	f->config.events.users_file = NULL;
	assert_int_equal(service_open(&f->config, &f->service, &e), ERR_OK);
}

static void the_web_server_may_authenticate(void **state)
{
	struct fixture *f = *state;

	reopen(f, AUTHENTICATE_WEB_SERVER);
	prepare(f, "POST", "/events", "deliver");
	run(f, 401);
	assert_null(fake_server_header(&f->fake, "WWW-Authenticate"));
	fake_server_param(&f->fake, "REMOTE_USER", "");
	run_again(f, 401);
	assert_int_equal(f->fake.body_read, 0);
	fake_server_param(&f->fake, "REMOTE_USER", "uem");
	run_again(f, 401); /* nobody says that it was verified */
	fake_server_param(&f->fake, AUTHENTICATED_PARAM, AUTHENTICATED_VALUE);
	run_again(f, 202);
}

static void nobody_may_authenticate(void **state)
{
	struct fixture *f = *state;

	reopen(f, AUTHENTICATE_NONE);
	prepare(f, "POST", "/events", "deliver");
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", "");
	run(f, 202);
}

static void open_for_admins(struct fixture *f, struct handler_counters *counters)
{
	struct error e;

	service_close(&f->service);
	f->config.admin.users_file = f->admins;
	assert_int_equal(service_open(&f->config, &f->service, &e), ERR_OK);
	service_use(&f->service, counters, NULL);
}

static void without_admin_there_are_no_metrics(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		prepare(f, methods[i], "/metrics", NULL);
		fake_server_param(&f->fake, "HTTP_AUTHORIZATION", BOSS);
		run(f, 404);
		assert_null(fake_server_header(&f->fake, "Allow"));
		assert_null(fake_server_header(&f->fake, "WWW-Authenticate"));
	}
}

static void metrics_are_for_admins_alone(void **state)
{
	static const char *const others[] = {"", RIGHT, WRONG, "Bearer x"};
	struct fixture *f = *state;
	struct handler_counters *counters = NULL;
	struct error e;

	assert_int_equal(handler_counters_new(&counters, &e), ERR_OK);
	open_for_admins(f, counters);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		prepare(f, "GET", "/metrics", NULL);
		fake_server_param(&f->fake, "HTTP_AUTHORIZATION", others[i]);
		run(f, 401);
		assert_string_equal(fake_server_header(&f->fake, "WWW-Authenticate"),
			"Basic realm=\"certprov admin\", charset=\"UTF-8\"");
		assert_null(strstr(f->fake.answer.data, "certprov_"));
	}
	prepare(f, "GET", "/events", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", BOSS);
	run(f, 401);
	prepare(f, "GET", "/metrics", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", BOSS);
	run(f, 200);
	assert_string_equal(fake_server_header(&f->fake, "Cache-Control"), "no-store");
	assert_non_null(strstr(fake_server_body(&f->fake),
		"\ncertprov_requests_total{route=\"/metrics\",status=\"401\"} 4\n"));
	assert_int_equal(atomic_load(&counters->refused[AUTH_MISSING]), 1);
	assert_int_equal(atomic_load(&counters->refused[AUTH_MALFORMED]), 1);
	assert_int_equal(atomic_load(&counters->refused[AUTH_UNKNOWN_USER]), 3);
	prepare(f, "POST", "/metrics", "x");
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", BOSS);
	run(f, 405);
	service_close(&f->service);
	handler_counters_free(counters);
}

static void unknown_paths_are_404(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = {"/events/", "/Events", "/event", "/metrics", "/status",
		"/ca.crt", "/../events", "/events?x", "//"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		prepare(f, "POST", paths[i], "deliver");
		run(f, 404);
		assert_problem(f, 404, "not-found");
		assert_int_equal(f->fake.body_read, 0);
	}
}

static void unknown_methods_are_405_with_allow(void **state)
{
	struct fixture *f = *state;
	static const char *const cases[][3] = {{"PUT", "/events", "GET, HEAD, POST"},
		{"post", "/events", "GET, HEAD, POST"}, {"", "/events", "GET, HEAD, POST"},
		{"OPTIONS", "/events", "GET, HEAD, POST"}, {"POST", "/healthz", "GET, HEAD"},
		{"DELETE", "/ca.cer", "GET, HEAD"}, {"POST", "/ca.crl", "GET, HEAD"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		prepare(f, cases[i][0], cases[i][1], "deliver");
		run(f, 405);
		assert_problem(f, 405, "method");
		assert_string_equal(fake_server_header(&f->fake, "Allow"), cases[i][2]);
		assert_int_equal(f->fake.body_read, 0);
	}
}

static void bodies_are_checked_before_they_are_read(void **state)
{
	struct fixture *f = *state;

	prepare(f, "POST", "/events", "deliver");
	fake_server_param(&f->fake, "CONTENT_LENGTH", "1025");
	run(f, 413);
	assert_problem(f, 413, "too-large");
	assert_string_equal(member(f, "detail"), "At most 1024 bytes are taken.");
	assert_int_equal(f->fake.body_read, 0);
	prepare(f, "POST", "/events", "deliver");
	fake_server_param(&f->fake, "CONTENT_LENGTH", "");
	run(f, 400);
	assert_int_equal(f->fake.body_read, 0);
	prepare(f, "POST", "/events", "deliver");
	fake_server_param(&f->fake, "CONTENT_TYPE", "text/html");
	run(f, 415);
	assert_int_equal(f->fake.body_read, 0);
	prepare(f, "POST", "/events", "deliver");
	fake_server_param(&f->fake, "CONTENT_LENGTH", "100");
	run(f, 400);
	assert_non_null(strstr(member(f, "detail"), "ends after 7 of 100"));
	prepare(f, "POST", "/events", "");
	run(f, 400);
	assert_string_equal(member(f, "field"), "EventId");
}

static void health_needs_the_store(void **state)
{
	struct fixture *f = *state;

	prepare(f, "GET", "/healthz", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", "");
	run(f, 200);
	assert_int_equal(unlink(f->store), 0);
	run_again(f, 503);
	assert_problem(f, 503, "unavailable");
	assert_null(strstr(fake_server_body(&f->fake), "away"));
}

static void the_work_is_done_though_nobody_waits(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	prepare(f, "POST", "/events", "deliver");
	f->fake.gone = true;
	answer_request(&f->service, &f->fake.transport);
	deadline_stop();
	assert_int_equal(stat(f->store, &st), 0);
	assert_int_equal(st.st_size, strlen("deliver\n"));
}

static void a_service_that_is_not_open_says_why(void **state)
{
	struct fixture *f = *state;
	struct error e;

	(void)error_set(&e, ERR_CONFIG, "/secret/path:1: wrong");
	prepare(f, "POST", "/events", "deliver");
	answer_refuse(&f->fake.transport, &e);
	deadline_stop();
	assert_int_equal(fake_server_status(&f->fake), 503);
	assert_null(strstr(f->fake.answer.data, "/secret/path"));
}

static void what_cannot_be_opened_is_told(void **state)
{
	struct fixture *f = *state;
	struct service service;
	struct error e;

	write_file(f->users, "uem:plain\n");
	assert_int_equal(service_open(&f->config, &service, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "users:1:"));
	write_file(f->users, USERS);
	f->config.admin.users_file = f->admins;
	write_file(f->admins, "boss:plain\n");
	assert_int_equal(service_open(&f->config, &service, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "admins:1:"));
	write_file(f->admins, ADMINS);
	unlink(f->ca);
	assert_int_equal(service_open(&f->config, &service, &e), ERR_CONFIG);
}

int main(void)
{
#define OPENED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OPENED(delivered_is_202_with_the_certificates),
		OPENED(other_outcomes_are_200),
		OPENED(each_error_has_its_answer),
		OPENED(a_detail_is_always_valid_json),
		OPENED(test_connection_is_200_ok),
		OPENED(wrong_credentials_are_401),
		OPENED(apache_passes_credentials_under_another_name),
		OPENED(the_web_server_may_authenticate),
		OPENED(nobody_may_authenticate),
		OPENED(without_admin_there_are_no_metrics),
		OPENED(metrics_are_for_admins_alone),
		OPENED(unknown_paths_are_404),
		OPENED(unknown_methods_are_405_with_allow),
		OPENED(bodies_are_checked_before_they_are_read),
		OPENED(health_needs_the_store),
		OPENED(the_work_is_done_though_nobody_waits),
		OPENED(a_service_that_is_not_open_says_why),
		OPENED(what_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests_name("fcgi_answer", tests, start_deadlines, NULL);
}
