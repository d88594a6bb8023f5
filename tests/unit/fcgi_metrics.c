/* The metrics page, and the counters that processes share. */
#include "page_fixture.h"

#include <sys/wait.h>

#include "fcgi/pages/metrics_page.h"
#include "fcgi/pages/prometheus_text.h"

#define PROCESSES 4
#define ROUNDS 20000

static int set_up(void **state)
{
	return set_up_for(state, NULL);
}

static void render(struct fixture *f)
{
	const struct request request = {.path = "/metrics"};
	struct error e;

	assert_int_equal(make_page(f, metrics_page_get, &request, &e), ERR_OK);
	assert_page(f, "text/plain; version=0.0.4; charset=utf-8");
}

/* A whole line of it. */
static bool has(const struct fixture *f, const char *line)
{
	const char *at = f->page.body.data;
	size_t len = strlen(line);

	while ((at = strstr(at, line))) {
		if ((at == f->page.body.data || at[-1] == '\n') && at[len] == '\n')
			return true;
		at++;
	}
	return false;
}

#define assert_line(f, line)                                                      \
	do {                                                                      \
		if (!has(f, line))                                                \
			fail_msg("no line %s in\n%s", line, (f)->page.body.data); \
	} while (0)

/* --- the text format */

static void values_are_escaped(void **state)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
		{"", "m{a=\"\"} 1\n"},
		{"plain", "m{a=\"plain\"} 1\n"},
		{"\\", "m{a=\"\\\\\"} 1\n"},
		{"\"} 2\nm{a=\"", "m{a=\"\\\"} 2\\nm{a=\\\"\"} 1\n"},
		{"gr\xc3\xbc\xc3\x9f", "m{a=\"gr\xc3\xbc\xc3\x9f\"} 1\n"},
		{"cut\xc3", "m{a=\"cut?\"} 1\n"},
		{"\xff\xc3\xbc", "m{a=\"???\"} 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF_INIT(256);

		prometheus_text_number(&out, "m", LABELS({"a", cases[i].value}), 1);
		assert_string_equal(out.data, cases[i].text);
		buf_free(&out);
	}
}

static void samples_have_any_number_of_labels(void **state)
{
	struct buf out = BUF_INIT(512);

	(void)state;
	prometheus_text_family(&out, "m_total", "counter", "What it is.");
	prometheus_text_number(&out, "m_total", NO_LABELS, 18446744073709551615ULL);
	prometheus_text_number(&out, "m_total", LABELS({"a", "1"}, {"b", "2"}), 0);
	prometheus_text_seconds(&out, "m_seconds", LABELS({"a", "1"}), 1500000);
	assert_string_equal(out.data, "# HELP m_total What it is.\n"
				      "# TYPE m_total counter\n"
				      "m_total 18446744073709551615\n"
				      "m_total{a=\"1\",b=\"2\"} 0\n"
				      "m_seconds{a=\"1\"} 1.5\n");
	buf_free(&out);
}

static void seconds_are_exact(void **state)
{
	static const struct {
		unsigned long long us;
		const char *text;
	} cases[] = {{0, "0"}, {1, "0.000001"}, {500, "0.0005"}, {2500, "0.0025"}, {1000000, "1"},
		{10000000, "10"}, {60000000, "60"}, {1000001, "1.000001"},
		{18446744073709551615ULL, "18446744073709.551615"}};
	char text[PROMETHEUS_TEXT_SECONDS_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		prometheus_text_format_seconds(cases[i].us, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* --- workers */

static void assert_workers(const struct handler_counters *counters, unsigned total, unsigned busy)
{
	const struct handler_counters_workers workers = handler_counters_workers(counters);

	assert_int_equal(workers.total, total);
	assert_int_equal(workers.busy, busy);
}

static void a_dead_worker_is_not_busy(void **state)
{
	struct fixture *f = *state;
	unsigned first = handler_counters_worker_add(f->counters),
		 second = handler_counters_worker_add(f->counters);

	assert_int_not_equal(first, second);
	assert_workers(f->counters, 2, 0);
	handler_counters_worker_busy(f->counters, first);
	handler_counters_worker_busy(f->counters, second);
	assert_workers(f->counters, 2, 2);
	handler_counters_worker_remove(f->counters, first);
	assert_workers(f->counters, 1, 1);
	assert_int_equal(handler_counters_worker_add(f->counters), first);
	handler_counters_worker_answers(f->counters, first);
	assert_true(handler_counters_worker_served(f->counters, first));
	assert_false(handler_counters_worker_served(f->counters, second));
	handler_counters_worker_remove(f->counters, first);
	assert_int_equal(handler_counters_worker_add(f->counters), first);
	assert_false(handler_counters_worker_served(f->counters, first));
	assert_workers(f->counters, 2, 1);
	handler_counters_worker_idle(f->counters, second, clock_monotonic_us() - 2000000);
	assert_workers(f->counters, 2, 0);
	assert_in_range(atomic_load(&f->counters->busy_time), 2000000, 600000000);
}

static void more_workers_than_places_do_no_harm(void **state)
{
	struct fixture *f = *state;
	unsigned last = 0;

	for (unsigned i = 0; i < HANDLER_WORKERS + 2; i++)
		last = handler_counters_worker_add(f->counters);
	assert_int_equal(last, HANDLER_WORKERS);
	handler_counters_worker_busy(f->counters, last);
	assert_workers(f->counters, HANDLER_WORKERS, 0);
	handler_counters_worker_idle(f->counters, last, clock_monotonic_us());
	handler_counters_worker_remove(f->counters, last);
	assert_workers(f->counters, HANDLER_WORKERS, 0);
}

static void a_cgi_program_need_not_count(void **state)
{
	(void)state;
	handler_counters_request(NULL, PATH_EVENTS, 200);
	handler_counters_refused(NULL, AUTH_MISSING);
	handler_counters_worker_busy(NULL, 0);
	handler_counters_worker_idle(NULL, 0, 0);
	assert_workers(NULL, 0, 0);
	handler_counters_free(NULL);
}

/* Where few events come, this tells of a wrong password. */
static void posts_that_are_refused_count_until_one_is_let_in(void **state)
{
	struct fixture *f = *state;

	handler_counters_event_access(NULL, false);
	render(f);
	assert_line(f, "certprov_unauthenticated_events 0");
	handler_counters_event_access(f->counters, false);
	handler_counters_event_access(f->counters, false);
	render(f);
	assert_line(f, "certprov_unauthenticated_events 2");
	assert_true(atomic_load(&f->counters->unauthenticated_since) > 0);
	handler_counters_event_access(f->counters, true);
	render(f);
	assert_line(f, "certprov_unauthenticated_events 0");
}

static void processes_count_together(void **state)
{
	struct fixture *f = *state;
	int status;

	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int round = 0; round < ROUNDS; round++)
				handler_counters_request(f->counters, PATH_HEALTHZ, 503);
			_exit(0);
		}
		assert_true(pid > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	render(f);
	assert_line(f, "certprov_requests_total{route=\"/healthz\",status=\"503\"} 80000");
}

/* --- the page */

static void what_was_counted_is_shown(void **state)
{
	struct fixture *f = *state;
	char url[] = "https://eg.example.com/a";
	char *const urls[] = {url, NULL};

	handler_counters_request(f->counters, PATH_EVENTS, 202);
	handler_counters_request(f->counters, PATH_EVENTS, 202);
	handler_counters_request(f->counters, PATH_OTHER, 404);
	handler_counters_request(f->counters, PATH_OTHER, 999);
	handler_counters_refused(f->counters, AUTH_WRONG_PASSWORD);
	counters_name_gateways(&f->counters->provider, urls);
	counters_upload(&f->counters->provider, url, ERR_UNAVAILABLE);
	counters_issued(&f->counters->provider, 0, ERR_OK);
	handler_counters_worker_died(f->counters);
	counters_unmatched(&f->counters->provider);
	(void)handler_counters_worker_add(f->counters);
	render(f);
	assert_line(f, "certprov_build_info{version=\"" PACKAGE_VERSION "\"} 1");
	assert_line(f, "certprov_start_time_seconds 1700000000");
	assert_line(f, "certprov_requests_total{route=\"/events\",status=\"202\"} 2");
	assert_line(f, "certprov_requests_total{route=\"/events\",status=\"500\"} 0");
	assert_line(f, "certprov_requests_total{route=\"other\",status=\"404\"} 1");
	assert_line(f, "certprov_requests_total{route=\"other\",status=\"0\"} 1");
	assert_line(f, "certprov_authentication_failures_total{cause=\"wrong_password\"} 1");
	assert_line(f, "certprov_authentication_failures_total{cause=\"missing\"} 0");
	assert_line(f, "certprov_uploads_total{gateway=\"https://eg.example.com/a\","
		       "result=\"unavailable\"} 1");
	assert_line(f, "certprov_uploads_total{gateway=\"https://eg.example.com/a\","
		       "result=\"ok\"} 0");
	assert_line(f, "certprov_certificates_issued_total{ca=\"local\",result=\"ok\"} 1");
	assert_line(f, "certprov_unmatched_events_total 1");
	assert_line(f, "certprov_worker_deaths_total 1");
	assert_line(f, "certprov_workers 1");
	assert_line(f, "certprov_workers_busy 0");
}

static void times_are_shown_as_a_histogram(void **state)
{
	struct fixture *f = *state;
	struct counters *counters = &f->counters->provider;

	counters_step(counters, STEP_UPLOAD, 400);
	counters_step(counters, STEP_UPLOAD, 2500);
	counters_step(counters, STEP_UPLOAD, 2501);
	counters_step(counters, STEP_UPLOAD, 61000000);
	render(f);
	assert_line(f, "# TYPE certprov_step_seconds histogram");
	assert_line(f, "certprov_step_seconds_bucket{step=\"upload\",le=\"0.0005\"} 1");
	assert_line(f, "certprov_step_seconds_bucket{step=\"upload\",le=\"0.0025\"} 2");
	assert_line(f, "certprov_step_seconds_bucket{step=\"upload\",le=\"0.005\"} 3");
	assert_line(f, "certprov_step_seconds_bucket{step=\"upload\",le=\"60\"} 3");
	assert_line(f, "certprov_step_seconds_bucket{step=\"upload\",le=\"+Inf\"} 4");
	assert_line(f, "certprov_step_seconds_count{step=\"upload\"} 4");
	assert_line(f, "certprov_step_seconds_sum{step=\"upload\"} 61.005401");
	assert_line(f, "certprov_step_seconds_count{step=\"revoke\"} 0");
}

static void a_ca_that_judges_nothing_is_shown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	f->config.ca.section = "ca";
	f->config.ca.type = CA_EST;
	render(f);
	assert_line(f, "certprov_ca_barred{section=\"ca\"} 0");
	snprintf(path, sizeof(path), "%s.barred", f->ca);
	write_file(path, "it rejected our credentials");
	render(f);
	assert_line(f, "certprov_ca_barred{section=\"ca\"} 1");
	assert_int_equal(unlink(path), 0);
}

static void what_the_store_knows_is_shown(void **state)
{
	static const char *const lines[] = {
		"certprov_store_up 1",
		"certprov_devices{state=\"enrolled\"} 2",
		"certprov_devices{state=\"unenrolled\"} 1",
		"certprov_users 2",
		"certprov_certificates{usage=\"signing\",state=\"active\"} 4",
		"certprov_certificates{usage=\"encryption\",state=\"revoked\"} 9",
		"certprov_events{state=\"pending\"} 13",
		"certprov_events{state=\"failed\"} 16",
		"certprov_oldest_pending_event_age_seconds 17",
		"certprov_uploads_pending 10",
		"certprov_uploads_failed 12",
		"certprov_ca_requests_pending 18",
		"certprov_address_conflicts_total 2",
		"certprov_expiry_timestamp_seconds{object=\"client_certificate\"} 1800000000",
		"certprov_expiry_timestamp_seconds{object=\"certificates\"} 1893456000",
	};
	struct fixture *f = *state;

	render(f);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_line(f, lines[i]);
	assert_null(strstr(f->page.body.data, "object=\"crl\"")); /* there is none */
}

/* Nothing of it without [uem]. */
static void the_latest_reconciliation_is_shown(void **state)
{
	static char url[] = "https://uem.example.com";
	struct fixture *f = *state;

	render(f);
	assert_null(strstr(f->page.body.data, "certprov_uem_"));
	f->config.uem.url = url;
	render(f);
	assert_line(f, "certprov_uem_reconciled_timestamp_seconds 1582563145");
	assert_line(f, "certprov_uem_missed_events{kind=\"enrolled\"} 37");
	assert_line(f, "certprov_uem_missed_events{kind=\"unenrolled\"} 12");
	f->config.uem.url = NULL;
}

static void without_the_store_the_rest_is_shown(void **state)
{
	struct fixture *f = *state;

	unlink(f->store);
	handler_counters_request(f->counters, PATH_EVENTS, 503);
	render(f);
	assert_line(f, "certprov_store_up 0");
	assert_line(f, "certprov_requests_total{route=\"/events\",status=\"503\"} 1");
	assert_line(f, "certprov_expiry_timestamp_seconds{object=\"client_certificate\"} "
		       "1800000000");
	assert_null(strstr(f->page.body.data, "certprov_events"));
	assert_null(strstr(f->page.body.data, "object=\"certificates\""));
}

static void a_cgi_program_shows_what_the_store_knows(void **state)
{
	struct fixture *f = *state;
	struct handler_counters *counters = f->counters;

	f->counters = NULL;
	render(f);
	f->counters = counters;
	assert_non_null(strstr(f->page.body.data, "# A CGI program remembers nothing"));
	assert_line(f, "certprov_store_up 1");
	assert_line(f, "certprov_events{state=\"failed\"} 16");
	assert_null(strstr(f->page.body.data, "requests_total"));
	assert_null(strstr(f->page.body.data, "certprov_workers"));
}

static int quiet(void **state)
{
	(void)state;
	log_open("metrics", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	return 0;
}

int main(void)
{
#define OPENED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(samples_have_any_number_of_labels),
		cmocka_unit_test(seconds_are_exact),
		OPENED(a_dead_worker_is_not_busy),
		OPENED(more_workers_than_places_do_no_harm),
		cmocka_unit_test(a_cgi_program_need_not_count),
		OPENED(posts_that_are_refused_count_until_one_is_let_in),
		OPENED(processes_count_together),
		OPENED(what_was_counted_is_shown),
		OPENED(times_are_shown_as_a_histogram),
		OPENED(a_ca_that_judges_nothing_is_shown),
		OPENED(what_the_store_knows_is_shown),
		OPENED(the_latest_reconciliation_is_shown),
		OPENED(without_the_store_the_rest_is_shown),
		OPENED(a_cgi_program_shows_what_the_store_knows),
	};

	return cmocka_run_group_tests_name("fcgi_metrics", tests, quiet, NULL);
}
