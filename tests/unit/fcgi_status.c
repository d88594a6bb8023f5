/* The status page: its words, what stays text, and what it shows without a store. */
#include "page_fixture.h"

#include "fcgi/pages/status_page.h"
#include "provider/step_times.h"
#include "store/list.h"

#define EVIL "\"><img src=x onerror=alert(1)><script>"
#define EVIL_HTML "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;"

static int set_up(void **state)
{
	static char url[] = "https://eg.example.com/" EVIL;

	return set_up_for(state, url);
}

static enum err ask(struct fixture *f, const char *query, struct error *e)
{
	char param[256];
	char *params[] = {param, NULL};
	const struct transport transport = {.params = params};
	const struct request request = {.path = "/status", .transport = &transport};

	snprintf(param, sizeof(param), "QUERY_STRING=%s", query);
	return make_page(f, status_page_get, &request, e);
}

static void render(struct fixture *f, const char *query)
{
	struct error e = {.code = ERR_OK};

	if (ask(f, query, &e))
		fail_msg("%s", e.text);
	assert_page(f, "text/html; charset=utf-8");
}

#define assert_has(f, text)                                                  \
	do {                                                                 \
		if (!strstr((f)->page.body.data, text))                      \
			fail_msg("no %s in\n%s", text, (f)->page.body.data); \
	} while (0)
#define assert_lacks(f, text) assert_null(strstr((f)->page.body.data, text))

static void only_the_style_sheet_is_let_in(void **state)
{
	struct fixture *f = *state;

	render(f, "");
	assert_non_null(strstr(f->page.headers.data, "\r\nReferrer-Policy: no-referrer\r\n"));
	assert_non_null(strstr(f->page.headers.data,
		"Content-Security-Policy: default-src 'none'; style-src 'sha256-"));
	assert_non_null(strstr(f->page.headers.data,
		"='; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"));
	assert_null(f->page.cache_control); /* no-store */
	assert_lacks(f, "<script");
	assert_lacks(f, " style=");
}

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;

	write_file(f->identity, "1700086400");
	render(f, "");
	assert_has(f, "<title>Needs attention");
	assert_has(f, "<li>16 events failed for good");
	assert_has(f, "<li>12 uploads failed for good");
	assert_has(f, "<li>our client certificate ends 2023-11-15T22:13:20Z");
	assert_lacks(f, "The oldest pending event has waited");
	assert_has(f, "2 events asked for the address of another user, the latest at <time ");
	assert_has(f, "<bdi>&lt;a@example.com&gt; is the address of user B</bdi>");
}

static void the_latest_reconciliation_is_shown(void **state)
{
	static char url[] = "https://uem.example.com";
	struct fixture *f = *state;

	render(f, "");
	assert_lacks(f, "reconciled");
	f->config.uem.url = url;
	render(f, "");
	assert_has(f, "<dt>Last reconciled with UEM</dt><dd><time ");
	assert_has(f, "<dt>Events missed until then</dt><dd>49</dd>");
	f->config.uem.url = NULL;
}

static void a_ca_that_judges_nothing_needs_a_person(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s.barred", f->ca);
	write_file(path, "it rejected <us>");
	render(f, "");
	assert_has(f, "<li>the CA of [ca] has processed no request since 2020-09-13T12:26:40Z");
	assert_has(f, ": it rejected &lt;us&gt;</li>");
	assert_int_equal(unlink(path), 0);
}

static void names_and_causes_stay_text(void **state)
{
	static const char fields[] =
		"id=7|device_name=" EVIL "|device_uuid=" EVIL "|user_name=" EVIL "|user_uuid=" EVIL
		"|event_type=" EVIL "|received_at=" EVIL "|updated_at=" EVIL "|next_at=" EVIL
		"|tries=" EVIL "|state=" EVIL "|gateway=" EVIL "|cause=" EVIL "\n";
	static const char certificate[] =
		"mail=" EVIL "|subject=" EVIL "|usage=" EVIL "|state=" EVIL "|user_name=" EVIL
		"|user_uuid=" EVIL "|device_uuid=" EVIL "|serial=" EVIL "|not_before=" EVIL
		"|not_after=" EVIL "|revoked_at=\n";
	struct fixture *f = *state;
	char rows[2048];

	snprintf(rows, sizeof(rows), "%d %s%d %s%d %s", STORE_EVENTS, fields, STORE_UPLOADS, fields,
		STORE_CERTIFICATES, certificate);
	write_file(f->rows, rows);
	render(f, "q=%22%3E%3Cimg+src=x+onerror=alert(1)%3E%3Cscript%3E");
	assert_has(f, "value=\"" EVIL_HTML "\"");
	assert_has(f, "https://<wbr>eg.<wbr>example.<wbr>com/<wbr>");
	assert_has(f, "Certificates found");
	assert_lacks(f, "<img");
	assert_lacks(f, "<script");
}

static void long_lists_are_cut(void **state)
{
	struct fixture *f = *state;
	struct buf rows = BUF_INIT(65536);
	size_t shown = 0;

	for (int i = 0; i < 60; i++)
		buf_printf(&rows, "%d device_name=d|cause=the-cause\n", STORE_EVENTS);
	write_file(f->rows, rows.data);
	buf_free(&rows);
	render(f, "");
	for (const char *at = f->page.body.data; (at = strstr(at, "the-cause")); at++)
		shown++;
	assert_int_equal(shown, 20 + 20 + 2); /* of each state, and a line for its cause */
	assert_has(f, "60 × <bdi>the-cause</bdi><small>since ");
	assert_lacks(
		f, "certprov list events --state"); /* the counts say that there are 15 and 16 */
}

static void times_of_steps_are_shown(void **state)
{
	struct fixture *f = *state;
	struct step_times steps = {
		.count = 2, .done = {{STEP_SIGNING, "made", 57100}, {STEP_UPLOAD, NULL, 9000}}};
	char rows[128];

	snprintf(rows, sizeof(rows), "%d id=7|device_name=iPad|state=delivered\n", STORE_EVENTS);
	write_file(f->rows, rows);
	step_times_count(&steps, &f->counters->provider, 7);
	render(f, "");
	assert_has(f, "66.1 ms<small class=\"steps\"><span>signing 57.1</span> "
		      "<span>upload 9.0</span> </small>");
}

/* Somebody has to approve it there: that is no failure of the CA's. */
static void a_ca_that_has_yet_to_decide_works(void **state)
{
	struct fixture *f = *state;
	struct counters *counters = &f->counters->provider;

	counters_issued(counters, CA_EST, ERR_REFUSED);
	atomic_store(&counters->asked[CA_EST].bad, 1);
	counters_issued(counters, CA_EST, ERR_PENDING);
	render(f, "");
	assert_has(f, "<bdi>est</bdi></div></th><td role=\"cell\" data-label=\"State\"><div>"
		      "<span class=\"state delivered\">works</span>");
	assert_has(f, "0 succeeded, 1 failed, 1 pending");
}

static void certificates_are_counted_by_month(void **state)
{
	struct fixture *f = *state;

	render(f, "");
	assert_has(f, "<bdi>expired</bdi>");
	assert_has(f, "<bdi>2023-11</bdi>");
	assert_has(f, "<bdi>2024-11</bdi>");
	assert_lacks(f, "<bdi>2024-12</bdi>");
	assert_has(f, "our client certificate ends 2027-01-15T08:00:00Z");
}

static void without_the_store_the_rest_is_shown(void **state)
{
	struct fixture *f = *state;

	unlink(f->store);
	render(f, "q=anna");
	assert_has(f, "The store does not answer");
	assert_has(f, "our client certificate ends 2027-01-15T08:00:00Z");
	assert_has(f, "</html>\n");
	assert_lacks(f, f->folder);
}

static void a_cgi_program_shows_what_the_store_knows(void **state)
{
	struct fixture *f = *state;
	struct handler_counters *counters = f->counters;

	f->counters = NULL;
	render(f, "");
	f->counters = counters;
	assert_has(f, "this request (CGI)");
	assert_has(f, "13 pending");
}

static void a_wrong_query_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error e;

	assert_int_equal(ask(f, "q=%ff", &e), ERR_MALFORMED);
	assert_int_equal(f->page.body.len, 0);
}

static int quiet(void **state)
{
	(void)state;
	log_open("status", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	return 0;
}

int main(void)
{
#define OPENED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OPENED(only_the_style_sheet_is_let_in),
		OPENED(what_is_wrong_is_said),
		OPENED(the_latest_reconciliation_is_shown),
		OPENED(a_ca_that_judges_nothing_needs_a_person),
		OPENED(names_and_causes_stay_text),
		OPENED(long_lists_are_cut),
		OPENED(times_of_steps_are_shown),
		OPENED(a_ca_that_has_yet_to_decide_works),
		OPENED(certificates_are_counted_by_month),
		OPENED(without_the_store_the_rest_is_shown),
		OPENED(a_cgi_program_shows_what_the_store_knows),
		OPENED(a_wrong_query_is_refused),
	};

	return cmocka_run_group_tests_name("fcgi_status", tests, quiet, NULL);
}
