/* lib/net/http.h against a peer: answers, time, connections. */
#include "net/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/http_support.h"

/* --- answers */

static void test_whole_answers(void **state)
{
	static const struct {
		const char *path;
		int status, retry_min, retry_max;
		const char *body;
	} cases[] = {
		{"ok", 200, 0, 0, "{}"},
		{"created", 201, 0, 0, ""},
		{"no-content", 204, 0, 0, ""},
		{"chunked", 200, 0, 0, "Wikipedia"},
		{"interim", 200, 0, 0, "{}"},
		{"no-length", 200, 0, 0, "whole"},
		{"close-after", 200, 0, 0, "{}"},
		{"cut-after", 200, 0, 0, "{}"},
		{"redirect", 302, 0, 0, ""},
		{"status-403", 403, 0, 0, "{\"error\":\"scripted\"}"},
		{"status-500", 500, 0, 0, "{\"error\":\"scripted\"}"},
		{"retry-seconds", 429, 17, 17, ""},
		{"retry-date-90", 503, 80, 90, "{}"},
		{"retry-date--90", 503, 0, 0, "{}"},
		{"retry-date-99999999", 503, 86400, 86400, "{}"},
		{"retry-long", 503, 86400, 86400, ""},
		{"retry-junk", 503, 0, 0, ""},
	};
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_answer answer = {0};
		struct error e = {0};

		if (get(client, peer.url, cases[i].path, &answer, &e))
			fail_msg("%s: %s", cases[i].path, e.text);
		assert_int_equal(answer.status, cases[i].status);
		assert_in_range(answer.retry_after, cases[i].retry_min, cases[i].retry_max);
		assert_string_equal((char *)answer.body.data, cases[i].body);
		assert_int_equal(answer.body.len, strlen(cases[i].body));
		http_answer_free(&answer);
	}
	http_client_free(client);
	net_stop(&peer);
}

/* The server's clock, from the final answer only. */
static void test_date(void **state)
{
	static const struct {
		const char *path;
		int64_t date;
	} cases[] = {{"dated", 784111777}, {"dated-once", 0}, {"dated-junk", 0}, {"ok", 0}};
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_answer answer = {0};
		struct error e = {0};

		if (get(client, peer.url, cases[i].path, &answer, &e))
			fail_msg("%s: %s", cases[i].path, e.text);
		assert_int_equal(answer.date, cases[i].date);
		http_answer_free(&answer);
	}
	http_client_free(client);
	net_stop(&peer);
}

static void test_broken_answers(void **state)
{
	static const char *const cases[][2] = {
		{"cut-status", "broke before an answer (Empty reply"},
		{"cut-header", "its header does not end"},
		{"cut-header-line", "(status 200) is incomplete"},
		{"cut-header-hard", "(status 200) is incomplete"},
		{"cut-body", "(status 200) is incomplete"},
		{"cut-body-hard", "(status 200) is incomplete"},
		{"cut-chunk", "(status 200) is incomplete"},
		{"cut-chunk-end", "(status 200) is incomplete"},
		{"bad-chunk", "(status 200) is incomplete"},
		{"no-length-cut", "(status 200) is incomplete"},
		{"interim-only", "(status 103) is incomplete"},
		{"bad-header", "not well-formed HTTP"},
		{"bad-name", "a line of its header"},
		{"bad-length", "not well-formed HTTP"},
		{"bad-status", "not well-formed HTTP"},
		{"garbage", "not well-formed HTTP"},
		{"silent", "broke before an answer (Empty reply"},
		{"reset", "broke before an answer"},
		{"huge-body", "more than the 1000 bytes"},
		{"huge-header", "header is larger than is accepted"},
		{"huge-line", "not well-formed HTTP"},
	};
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		expect_failure(client, peer.url, cases[i][0], ERR_UNAVAILABLE, cases[i][1]);
		expect_body(client, peer.url, "ok", "{}"); /* the client still works */
	}
	http_client_free(client);
	net_stop(&peer);
}

static void test_body_limit(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);
	char url[256];
	struct http_request request = {
		.method = "GET",
		.url = url,
		.deadline = clock_monotonic_ms() + PLENTY,
		.answer_max = 2,
	};
	struct http_answer answer = {0};
	struct error e = {0};

	(void)state;
	snprintf(url, sizeof(url), "%s/ok", peer.url);
	assert_int_equal(http_send(client, &request, &answer, &e), ERR_OK);
	assert_int_equal(answer.body.len, 2);
	http_answer_free(&answer);
	request.answer_max = 1;
	assert_int_equal(http_send(client, &request, &answer, &e), ERR_UNAVAILABLE);
	expect_text(&e, "more than the 1 bytes");
	http_client_free(client);
	net_stop(&peer);
}

static void test_request_as_sent(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);
	struct http_answer answer = {0};
	struct error e = {0};
	char expected[512];
	const char *host = strstr(peer.url, "127");
	char url[256];
	const struct http_request put = {.method = "PUT",
		.url = url,
		.deadline = clock_monotonic_ms() + PLENTY,
		.answer_max = 1000};

	(void)state;
	assert_int_equal(post(client, peer.url, "echo", "{\"a\":1}\0x", 9, &answer, &e), ERR_OK);
	snprintf(expected, sizeof(expected),
		"POST /echo HTTP/1.1\r\nHost: %s\r\nUser-Agent: certprov/" PACKAGE_VERSION
		"\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
		"Content-Length: 9\r\n\r\n{\"a\":1}",
		host);
	assert_string_equal((char *)answer.body.data, expected);
	assert_int_equal(answer.body.len, strlen(expected) + 2);
	http_answer_free(&answer);

	/* An empty body has a length of 0 and no type. */
	snprintf(url, sizeof(url), "%s/echo", peer.url);
	assert_int_equal(http_send(client, &put, &answer, &e), ERR_OK);
	snprintf(expected, sizeof(expected),
		"PUT /echo HTTP/1.1\r\nHost: %s\r\nUser-Agent: certprov/" PACKAGE_VERSION
		"\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n",
		host);
	assert_string_equal((char *)answer.body.data, expected);
	http_answer_free(&answer);

	/* The next request inherits nothing. */
	assert_int_equal(get(client, peer.url, "echo", &answer, &e), ERR_OK);
	snprintf(expected, sizeof(expected),
		"GET /echo HTTP/1.1\r\nHost: %s\r\nUser-Agent: certprov/" PACKAGE_VERSION
		"\r\nAccept: */*\r\n\r\n",
		host);
	assert_string_equal((char *)answer.body.data, expected);
	http_answer_free(&answer);
	http_client_free(client);
	net_stop(&peer);
}

/* --- time */

#define PHASE_MS_MAX 60000

/* A busy machine may need longer to reach that phase, so the time is extended. */
static void expect_deadline(struct http_client *client, const char *base, const char *path,
	int64_t ms, int64_t least, const char *phase)
{
	struct http_answer answer = {0};
	struct error e = {0};
	int64_t start, took;

	do {
		start = clock_monotonic_ms();
		assert_int_equal(get_within(client, base, path, ms, &answer, &e), ERR_UNAVAILABLE);
		took = clock_monotonic_ms() - start;
		assert_in_range(took, least, ms + 30000); /* the peers never end by themselves */
		ms *= 2;
		least *= 2;
	} while (!strstr(e.text, phase) && ms > 0 && ms < PHASE_MS_MAX);
	expect_text(&e, phase);
}

static void test_deadline(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct peer mute = START("-m");
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	/* On a connection that is there: half of the time is for a new one, and may pass in it. */
	expect_body(client, peer.url, "ok", "{}");
	expect_deadline(client, peer.url, "hang", 400, 390, "the request was not answered");
	expect_body(client, peer.url, "ok", "{}");
	expect_deadline(client, peer.url, "drip", 400, 390, "the answer's body did not end");
	expect_body(client, peer.url, "ok", "{}");
	expect_deadline(
		client, peer.url, "drip-header", 400, 390, "the answer's header did not end");
	expect_deadline(client, mute.url, "ok", 400, 190, "the TLS handshake did not end");
	expect_deadline(client, peer.url, "ok", 0, 0, "no time was left");
	expect_deadline(client, peer.url, "ok", -1000, 0, "no time was left");
	http_client_free(client);
	net_stop(&mute);
	net_stop(&peer);
}

/* --- connections */

static void test_connection_is_kept(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	expect_body(client, peer.url, "ok", "{}");
	expect_body(client, peer.url, "chunked", "Wikipedia");
	expect_body(client, peer.url, "counters", "connections=1 requests=3");
	http_client_free(client);
	net_stop(&peer);
}

/* The server closed after its answer, with or without a TLS alert. */
static void test_closed_connection_is_replaced(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	expect_body(client, peer.url, "close-after", "{}");
	expect_body(client, peer.url, "cut-after", "{}");
	expect_body(client, peer.url, "ok", "{}");
	expect_body(client, peer.url, "counters", "connections=3 requests=4");
	http_client_free(client);
	net_stop(&peer);
}

/* The server closes while we write the next request: sizes on both sides of libcurl's 64 KB. */
static void test_dying_connection_is_replaced(void **state)
{
	static const char *const paths[] = {"close-if-kept", "reset-if-kept"};
	static const size_t sizes[] = {10, 60000, 300000};
	static const char body[300000] = "";

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(sizes) * 8; i++) {
		struct peer peer = START(SERVER("server"));
		struct http_client *client = client_for("ca.pem", NULL);
		struct http_answer answer = {0};
		struct error e = {0};

		expect_body(client, peer.url, "ok", "{}");
		if (post(client, peer.url, paths[i % 2], body, sizes[i % 3], &answer, &e))
			fail_msg("%s, %zu bytes: %s", paths[i % 2], sizes[i % 3], e.text);
		assert_int_equal(answer.status, 200);
		http_answer_free(&answer);
		expect_body(client, peer.url, "counters", "connections=2 requests=4");
		http_client_free(client);
		net_stop(&peer);
	}
}

/* A request that must not come twice gets a new connection. */
static void test_once_is_on_a_new_connection(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);
	struct http_answer answer = {0};
	struct error e = {0};
	char url[256];
	const struct http_request request = {
		.method = "POST",
		.url = url,
		.once = true,
		.deadline = clock_monotonic_ms() + PLENTY,
		.answer_max = 1000,
	};

	(void)state;
	expect_body(client, peer.url, "ok", "{}");
	snprintf(url, sizeof(url), "%s/close-if-kept", peer.url);
	if (http_send(client, &request, &answer, &e))
		fail_msg("%s", e.text);
	http_answer_free(&answer);
	expect_body(client, peer.url, "counters", "connections=2 requests=3");
	http_client_free(client);
	net_stop(&peer);
}

/* With once, a new connection that fails is not tried again. */
static void test_new_connection_is_not_repeated(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	expect_failure(
		client, peer.url, "silent", ERR_UNAVAILABLE, "broke before an answer (Empty reply");
	expect_failure(client, peer.url, "reset", ERR_UNAVAILABLE, "broke before an answer");
	expect_body(client, peer.url, "counters", "connections=3 requests=3");
	http_client_free(client);
	net_stop(&peer);
}

static void test_no_connection(void **state)
{
	struct peer peer = START("-t");
	struct http_client *client = client_for("ca.pem", NULL);
	struct http_answer answer = {0};
	struct error e = {0};
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "%s", peer.url);
	expect_failure(client, url, "ok", ERR_UNAVAILABLE, "no TLS connection");
	net_stop(&peer);
	expect_failure(client, url, "ok", ERR_UNAVAILABLE, "Connection refused");
	expect_failure(client, "https://certprov.invalid", "ok", ERR_UNAVAILABLE,
		"its name could not be resolved");
	assert_int_equal(get(client, "http://127.0.0.1:1", "ok", &answer, &e), ERR_CONFIG);
	expect_text(&e, "must begin with https://");
	assert_int_equal(get(client, "https://[::1", "ok", &answer, &e), ERR_CONFIG);
	expect_text(&e, "not a URL that can be used");
	assert_int_equal(get(client, "https://", "ok", &answer, &e), ERR_CONFIG);
	expect_text(&e, "must have a host name");
	assert_int_equal(
		get(client, "https://user:secret@127.0.0.1:1", "ok", &answer, &e), ERR_CONFIG);
	assert_null(strstr(e.text, "secret"));
	http_client_free(client);
}

static void test_proxy_of_environment_is_ignored(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	expect_body(client, peer.url, "ok", "{}");
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	http_client_free(client);
	net_stop(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_answers),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_broken_answers),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_request_as_sent),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_connection_is_kept),
		cmocka_unit_test(test_closed_connection_is_replaced),
		cmocka_unit_test(test_dying_connection_is_replaced),
		cmocka_unit_test(test_once_is_on_a_new_connection),
		cmocka_unit_test(test_new_connection_is_not_repeated),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_proxy_of_environment_is_ignored),
	};

	return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
