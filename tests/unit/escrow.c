/* Uploads to the Escrow Gateways: the payload, and what answers mean. */

#include "escrow/escrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "escrow/payload.h"
#include "net/http.h"
#include "tests/unit/net_support.h"

#define DEVICE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define USER "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define PLENTY 60000

static const struct blob files[] = {
	{(unsigned char[]){"signing"}, 7},
	{(unsigned char[]){"\0\xff?"}, 3},
	{(unsigned char[]){"old 1"}, 5},
	{(unsigned char[]){"old 2"}, 5},
};

static struct buf payload_of(const struct escrow_upload *upload)
{
	struct buf out = BUF_INIT(0);
	struct error e = {0};

	if (escrow_payload(upload, &out, &e))
		fail_msg("%s", e.text);
	return out;
}

/* --- the payload */

static void test_payload_is_exact(void **state)
{
	const struct escrow_upload upload = {
		DEVICE, USER, &files[0], 1, &files[1], 1, &files[2], 2};
	struct buf payload = payload_of(&upload);

	(void)state;
	assert_string_equal(payload.data,
		"{\"device_uuid\":\"" DEVICE "\",\"user_uuid\":\"" USER "\","
		"\"smime_certificates\":{\"signing\":[\"c2lnbmluZw==\"],"
		"\"encryption\":[\"AP8/\"],\"archived\":[\"b2xkIDE=\",\"b2xkIDI=\"]}}");
	assert_int_equal(payload.len, strlen(payload.data));
	buf_free(&payload);
}

static void test_payload_leaves_out_what_is_empty(void **state)
{
	static const struct {
		struct escrow_upload upload;
		const char *certificates;
	} cases[] = {
		{{DEVICE, USER, files, 1, NULL, 0, NULL, 0}, "{\"signing\":[\"c2lnbmluZw==\"]}"},
		{{DEVICE, USER, NULL, 0, files, 1, NULL, 0}, "{\"encryption\":[\"c2lnbmluZw==\"]}"},
		{{DEVICE, USER, NULL, 0, NULL, 0, files, 1}, "{\"archived\":[\"c2lnbmluZw==\"]}"},
		{{DEVICE, USER, NULL, 0, files, 1, files, 1},
			"{\"encryption\":[\"c2lnbmluZw==\"],\"archived\":[\"c2lnbmluZw==\"]}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf payload = payload_of(&cases[i].upload);
		cJSON *json = cJSON_ParseWithLength(payload.data, payload.len);
		char *printed = cJSON_PrintUnformatted(
			cJSON_GetObjectItemCaseSensitive(json, "smime_certificates"));

		assert_string_equal(printed, cases[i].certificates);
		cJSON_free(printed);
		cJSON_Delete(json);
		buf_free(&payload);
	}
}

static void expect_no_payload(const struct escrow_upload *upload, const char *text)
{
	struct buf out = BUF_INIT(100);
	struct error e = {0};

	buf_puts(&out, "as before");
	assert_int_equal(escrow_payload(upload, &out, &e), ERR_INTERNAL);
	assert_non_null(strstr(e.text, text));
	assert_string_equal(out.data, "as before");
	buf_free(&out);
}

static void test_payload_that_must_not_be(void **state)
{
	struct blob large = {calloc(1, 7 * 1024 * 1024), 7 * 1024 * 1024};
	const struct blob two[] = {large, large};

	(void)state;
	expect_no_payload(&(struct escrow_upload){"x\"", USER, files, 1, NULL, 0, NULL, 0},
		"UUID of a device");
	expect_no_payload(
		&(struct escrow_upload){DEVICE, "", files, 1, NULL, 0, NULL, 0}, "UUID of a user");
	expect_no_payload(&(struct escrow_upload){DEVICE, USER, NULL, 0, NULL, 0, NULL, 0},
		"without certificates");
	expect_no_payload(&(struct escrow_upload){DEVICE, USER, NULL, 0, NULL, 0, two, 2},
		"lower archive-max");
	blob_free(&large);
}

/* --- gateways */

#define GATEWAYS_MAX 4

/* A configuration as config_load() would fill it. */
struct setup {
	struct config config;
	char urls[GATEWAYS_MAX][128];
	char *list[GATEWAYS_MAX + 1];
	char identity[256], password[256], ca[256];
};

static void set_up(
	struct setup *s, const char *identity, const char *base, const char *const paths[])
{
	*s = (struct setup){0};
	for (size_t i = 0; i < GATEWAYS_MAX && paths[i]; i++) {
		snprintf(s->urls[i], sizeof(s->urls[i]), "%s%s", base, paths[i]);
		s->list[i] = s->urls[i];
	}
	snprintf(s->identity, sizeof(s->identity), "%s", net_file(identity));
	snprintf(s->password, sizeof(s->password), "%s", net_file("password"));
	snprintf(s->ca, sizeof(s->ca), "%s", net_file("ca.pem"));
	s->config.escrow.urls = s->list;
	s->config.escrow.identity = s->identity;
	s->config.escrow.identity_password_file = s->password;
	s->config.escrow.ca_file = s->ca;
}

static struct escrow *open_escrow(const char *identity, const char *base, const char *path)
{
	const char *const paths[] = {path, NULL};
	struct escrow *escrow = NULL;
	struct error e = {0};
	struct setup setup;

	set_up(&setup, identity, base, paths);
	if (escrow_open(&setup.config, &escrow, &e))
		fail_msg("%s", e.text);
	return escrow;
}

static enum err send_to(struct escrow *escrow, size_t gateway, struct error *e)
{
	const struct escrow_upload upload = {DEVICE, USER, files, 1, NULL, 0, NULL, 0};
	struct buf payload = payload_of(&upload);
	enum err err = escrow_send(escrow, gateway, &payload, clock_monotonic_ms() + PLENTY, e);

	buf_free(&payload);
	return err;
}

static struct peer start_gateway(void)
{
	return net_start((const char *const[]){"-c", net_file("server.pem"), "-k",
		net_file("server.key"), "-a", net_file("ca.pem"), NULL});
}

static void expect_text(const struct error *e, const char *part)
{
	if (!strstr(e->text, part))
		fail_msg("\"%s\" lacks \"%s\"", e->text, part);
}

/* The thumbprint of client.pem by openssl, as our messages write it. */
static void thumbprint(const char *digest, char out[65])
{
	char command[512], line[256] = "";
	size_t n = 0;
	FILE *file;

	snprintf(command, sizeof(command), "openssl x509 -in %s -noout -fingerprint -%s >%s",
		net_file("client.pem"), digest, net_file("thumbprint"));
	assert_true(net_run((const char *const[]){"sh", "-c", command, NULL}));
	file = fopen(net_file("thumbprint"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	for (const char *p = strchr(line, '=') + 1; *p && *p != '\n'; p++)
		if (*p != ':')
			out[n++] = (char)(*p >= 'A' ? *p - 'A' + 'a' : *p);
	out[n] = '\0';
}

static void expect_registration(const struct error *e)
{
	char sha1[65], sha256[65];

	thumbprint("sha1", sha1);
	thumbprint("sha256", sha256);
	expect_text(e, "register our client certificate");
	expect_text(e, sha1);
	expect_text(e, sha256);
}

static void test_meaning_of_answers(void **state)
{
	static const struct {
		const char *path;
		enum err err;
		int retry_after;
		const char *text;
	} cases[] = {
		{"/ok", ERR_OK, 0, ""},
		{"/created", ERR_OK, 0, ""},
		{"/no-content", ERR_OK, 0, ""},
		{"/status-202", ERR_OK, 0, ""},
		{"/redirect", ERR_REFUSED, 0, "redirects (status 302)"},
		{"/status-400", ERR_REFUSED, 0, "refuses our request (status 400)"},
		{"/status-404", ERR_REFUSED, 0, "check [escrow] url"},
		{"/status-413", ERR_REFUSED, 0, "lower [certificates] archive-max"},
		{"/status-422", ERR_REFUSED, 0, "it says: {\"error\":\"scripted\"}"},
		{"/status-408", ERR_UNAVAILABLE, 0, "status 408"},
		{"/status-500", ERR_UNAVAILABLE, 0, "status 500"},
		{"/status-599", ERR_UNAVAILABLE, 0, "it says: {\"error\":\"scripted\"}"},
		{"/retry-seconds", ERR_UNAVAILABLE, 17, "status 429"},
		{"/retry-long", ERR_UNAVAILABLE, 86400, "status 503"},
		{"/cut-header", ERR_UNAVAILABLE, 0, "is incomplete"},
		{"/cut-body", ERR_UNAVAILABLE, 0, "is incomplete"},
		{"/garbage", ERR_UNAVAILABLE, 0, "not well-formed"},
		{"/huge-body", ERR_UNAVAILABLE, 0, "more than"},
	};
	struct peer peer = start_gateway();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct escrow *escrow = open_escrow("client.p12", peer.url, cases[i].path);
		struct error e = {0};
		enum err err = send_to(escrow, 0, &e);

		if (err != cases[i].err)
			fail_msg("%s: %s: %s", cases[i].path, error_meaning(err)->label, e.text);
		expect_text(&e, cases[i].text);
		if (err)
			expect_text(&e, "Escrow Gateway");
		assert_int_equal(e.retry_after, cases[i].retry_after);
		escrow_close(escrow);
	}
	net_stop(&peer);
}

static void test_unregistered_certificate(void **state)
{
	static const char *const paths[] = {"/status-401", "/status-403", "/nginx-400"};
	struct peer peer = start_gateway();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct escrow *escrow = open_escrow("client.p12", peer.url, paths[i]);
		struct error e = {0};
		struct escrow_answer answer = {-1, -1};

		assert_int_equal(send_to(escrow, 0, &e), ERR_REFUSED);
		expect_text(&e, "does not accept our client certificate");
		expect_registration(&e);
		assert_int_equal(
			escrow_probe(escrow, 0, clock_monotonic_ms() + PLENTY, &answer, &e),
			ERR_REFUSED);
		expect_registration(&e);
		escrow_close(escrow);
	}
	net_stop(&peer);
}

/* A proxy that judges dates itself answers with a page: the cause is still named. */
static void test_expired_certificate(void **state)
{
	struct peer peer = net_start((const char *const[]){
		"-c", net_file("server.pem"), "-k", net_file("server.key"), NULL});
	struct escrow *escrow = open_escrow("client-expired.p12", peer.url, "/nginx-400");
	struct error e = {0};

	(void)state;
	assert_int_equal(send_to(escrow, 0, &e), ERR_REFUSED);
	expect_text(&e, "our client certificate, which expired on 2021-01-01T00:00:00Z: renew it");
	escrow_close(escrow);
	net_stop(&peer);
}

static void test_certificate_refused_by_tls(void **state)
{
	struct peer peer = net_start((const char *const[]){"-c", net_file("server.pem"), "-k",
		net_file("server.key"), "-a", net_file("other-ca.pem"), NULL});
	struct escrow *escrow = open_escrow("client.p12", peer.url, "");
	struct error e = {0};

	(void)state;
	assert_int_equal(send_to(escrow, 0, &e), ERR_REFUSED);
	expect_text(&e, "rejected our client certificate (TLS alert");
	expect_registration(&e);
	escrow_close(escrow);
	net_stop(&peer);
}

/* --- a certificate that is asked for after the handshake */

static struct peer start_late_gateway(const char *priority)
{
	return net_start((const char *const[]){"-c", net_file("server.pem"), "-k",
		net_file("server.key"), "-a", net_file("ca.pem"), "-l", "-p", priority, NULL});
}

static unsigned long requests_at(const struct peer *peer)
{
	const struct http_options options = {
		.tls_max = HTTP_TLS_1_2,
		.identity = net_file("client.p12"),
		.identity_password_file = net_file("password"),
		.ca_file = net_file("ca.pem"),
	};
	struct http_client *client = NULL;
	struct http_answer answer = {0};
	struct error e = {0};
	unsigned long requests = 0;
	char url[256];
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.deadline = clock_monotonic_ms() + PLENTY,
		.answer_max = 1000,
	};

	snprintf(url, sizeof(url), "%s/counters", peer->url);
	assert_int_equal(http_client_new(&options, &client, &e), ERR_OK);
	assert_int_equal(http_send(client, &request, &answer, &e), ERR_OK);
	requests = strtoul(strstr((char *)answer.body.data, "requests=") + 9, NULL, 10);
	http_answer_free(&answer);
	http_client_free(client);
	return requests;
}

/* One refusal, then TLS 1.2 for as long as the gateways are open. */
static void test_late_certificate(void **state)
{
	struct peer peer = start_late_gateway("NORMAL");
	struct escrow *escrow = open_escrow("client.p12", peer.url, "/ok");
	struct escrow_answer answer = {0};
	struct error e = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		if (send_to(escrow, 0, &e))
			fail_msg("%s", e.text);
	assert_int_equal(requests_at(&peer), 1 + 3 + 1);
	assert_int_equal(
		escrow_probe(escrow, 0, clock_monotonic_ms() + PLENTY, &answer, &e), ERR_OK);
	assert_true(answer.late);
	escrow_close(escrow);
	net_stop(&peer);
}

static void test_late_certificate_with_tls_max(void **state)
{
	static const char *const paths[] = {"/ok", NULL};
	struct peer peer = start_late_gateway("NORMAL");
	struct escrow_answer answer = {0};
	struct escrow *escrow = NULL;
	struct error e = {0};
	struct setup setup;

	(void)state;
	set_up(&setup, "client.p12", peer.url, paths);
	setup.config.escrow.tls_max = TLS_MAX_1_2;
	assert_int_equal(escrow_open(&setup.config, &escrow, &e), ERR_OK);
	if (send_to(escrow, 0, &e))
		fail_msg("%s", e.text);
	assert_int_equal(requests_at(&peer), 1 + 1);
	assert_int_equal(
		escrow_probe(escrow, 0, clock_monotonic_ms() + PLENTY, &answer, &e), ERR_OK);
	assert_false(answer.late);
	escrow_close(escrow);
	net_stop(&peer);
}

/* A gateway that asks late and allows only TLS 1.3 must change its settings. */
static void test_late_certificate_over_tls13_alone(void **state)
{
	struct peer peer = start_late_gateway("NORMAL:-VERS-ALL:+VERS-TLS1.3");
	struct escrow *escrow = open_escrow("client.p12", peer.url, "/ok");
	struct error e = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send_to(escrow, 0, &e), ERR_CONFIG);
		expect_text(&e, "did not get our certificate over TLS 1.3 (status 403); "
				"then over TLS 1.2: ");
	}
	escrow_close(escrow);
	net_stop(&peer);
}

/* Registering does not help if the gateway never sees our certificate. */
static void test_certificate_never_asked_for(void **state)
{
	static const char *const paths[] = {"/status-401", "/status-403"};
	struct peer peer = net_start((const char *const[]){
		"-c", net_file("server.pem"), "-k", net_file("server.key"), NULL});

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct escrow *escrow = open_escrow("client.p12", peer.url, paths[i]);
		struct escrow_answer answer = {0};
		struct error e = {0};

		assert_int_equal(send_to(escrow, 0, &e), ERR_REFUSED);
		expect_text(&e, "never asked for our client certificate");
		assert_null(strstr(e.text, "register"));
		assert_int_equal(
			escrow_probe(escrow, 0, clock_monotonic_ms() + PLENTY, &answer, &e),
			ERR_REFUSED);
		expect_text(&e, "never asked for our client certificate");
		escrow_close(escrow);
	}
	net_stop(&peer);
}

/* A gateway's words are shown, in plain ASCII, but no part of what we sent. */
static void test_words_of_a_gateway(void **state)
{
	struct peer peer = start_gateway();
	struct escrow *escrow = open_escrow("client.p12", peer.url, "/secret-400");
	struct error e = {0};

	(void)state;
	assert_int_equal(send_to(escrow, 0, &e), ERR_REFUSED);
	expect_text(&e, "it says: cannot read \"[...]\" [31m at line 1");
	assert_null(strstr(e.text, "TUlJSzJB"));
	escrow_close(escrow);

	escrow = open_escrow("client.p12", peer.url, "/long-400");
	assert_int_equal(send_to(escrow, 0, &e), ERR_REFUSED);
	assert_in_range(strlen(strstr(e.text, "it says: ")), 180, 9 + 200);
	escrow_close(escrow);
	net_stop(&peer);
}

static void test_request_to_a_gateway(void **state)
{
	struct peer peer = start_gateway();
	struct escrow *escrow = open_escrow("client.p12", peer.url, "/strict");
	struct error e = {0};

	(void)state;
	if (send_to(escrow, 0, &e))
		fail_msg("%s", e.text);
	escrow_close(escrow);
	net_stop(&peer);
}

static void test_several_gateways(void **state)
{
	static const char *const paths[] = {"/ok", "/status-500", NULL};
	struct peer peer = start_gateway();
	struct escrow *escrow = NULL;
	struct error e = {0};
	struct setup setup;
	char url[128];

	(void)state;
	set_up(&setup, "client.p12", peer.url, paths);
	assert_int_equal(escrow_open(&setup.config, &escrow, &e), ERR_OK);
	setup = (struct setup){0}; /* no longer needed */
	assert_int_equal(escrow_count(escrow), 2);
	snprintf(url, sizeof(url), "%s/status-500", peer.url);
	assert_string_equal(escrow_url(escrow, 1), url);
	assert_int_equal(send_to(escrow, 0, &e), ERR_OK);
	assert_int_equal(send_to(escrow, 1, &e), ERR_UNAVAILABLE);
	assert_int_equal(send_to(escrow, 0, &e), ERR_OK);
	escrow_close(escrow);
	net_stop(&peer);
}

static void test_probe(void **state)
{
	static const struct {
		const char *path;
		enum err err;
		int64_t date; /* -1: not touched */
	} cases[] = {
		{"/ok", ERR_OK, 0},
		{"/dated", ERR_OK, 784111777},
		{"/status-404", ERR_OK, 0},
		{"/status-405", ERR_OK, 0},
		{"/status-400", ERR_OK, 0},
		{"/status-500", ERR_OK, 0},
		{"/status-401", ERR_REFUSED, -1},
		{"/redirect", ERR_REFUSED, -1},
		{"/status-429", ERR_UNAVAILABLE, -1},
		{"/status-502", ERR_UNAVAILABLE, -1},
		{"/retry-junk", ERR_UNAVAILABLE, -1},
		{"/cut-header", ERR_UNAVAILABLE, -1},
	};
	struct peer peer = start_gateway();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct escrow *escrow = open_escrow("client.p12", peer.url, cases[i].path);
		struct error e = {0};
		struct escrow_answer answer = {-1, -1};

		assert_int_equal(
			escrow_probe(escrow, 0, clock_monotonic_ms() + PLENTY, &answer, &e),
			cases[i].err);
		assert_int_equal(answer.date, cases[i].date);
		escrow_close(escrow);
	}
	net_stop(&peer);
}

static void test_open(void **state)
{
	static const char *const paths[] = {"", NULL};
	struct escrow *escrow = NULL;
	struct blob der = {NULL, 0};
	struct error e = {0};
	struct setup setup;

	(void)state;
	set_up(&setup, "none.p12", "https://127.0.0.1:1", paths);
	assert_int_equal(escrow_open(&setup.config, &escrow, &e), ERR_CONFIG);
	assert_null(escrow);
	expect_text(&e, "[escrow]: ");
	expect_text(&e, "none.p12: No such file");
	escrow_close(NULL);

	escrow = open_escrow("client.p12", "https://127.0.0.1:1", "");
	assert_int_equal(send_to(escrow, 0, &e), ERR_UNAVAILABLE);
	expect_text(&e, "Escrow Gateway: https://127.0.0.1:1: no connection: Connection refused");
	assert_true(net_run((const char *const[]){"openssl", "x509", "-in", net_file("client.pem"),
		"-outform", "DER", "-out", net_file("client.der"), NULL}));
	assert_int_equal(file_read(net_file("client.der"), &der, &e), ERR_OK);
	assert_true(blob_equal(&der, escrow_identity(escrow)));
	blob_free(&der);
	escrow_close(escrow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payload_is_exact),
		cmocka_unit_test(test_payload_leaves_out_what_is_empty),
		cmocka_unit_test(test_payload_that_must_not_be),
		cmocka_unit_test(test_meaning_of_answers),
		cmocka_unit_test(test_unregistered_certificate),
		cmocka_unit_test(test_expired_certificate),
		cmocka_unit_test(test_certificate_refused_by_tls),
		cmocka_unit_test(test_late_certificate),
		cmocka_unit_test(test_late_certificate_with_tls_max),
		cmocka_unit_test(test_late_certificate_over_tls13_alone),
		cmocka_unit_test(test_certificate_never_asked_for),
		cmocka_unit_test(test_words_of_a_gateway),
		cmocka_unit_test(test_request_to_a_gateway),
		cmocka_unit_test(test_several_gateways),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
