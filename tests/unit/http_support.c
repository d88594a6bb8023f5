#include "tests/unit/http_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

struct http_client *client_for(const char *ca, const char *identity)
{
	const struct http_options options = {
		.identity = identity ? net_file(identity) : NULL,
		.identity_password_file = identity ? net_file("password") : NULL,
		.ca_file = ca ? net_file(ca) : NULL,
	};
	struct http_client *client = NULL;
	struct error e = {0};

	assert_int_equal(http_client_new(&options, &client, &e), ERR_OK);
	return client;
}

enum err get_within(struct http_client *client, const char *base, const char *path, int64_t ms,
	struct http_answer *answer, struct error *e)
{
	char url[256];
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.deadline = clock_monotonic_ms() + ms,
		.answer_max = 1000,
	};

	snprintf(url, sizeof(url), "%s/%s", base, path);
	return http_send(client, &request, answer, e);
}

enum err get(struct http_client *client, const char *base, const char *path,
	struct http_answer *answer, struct error *e)
{
	return get_within(client, base, path, PLENTY, answer, e);
}

enum err post(struct http_client *client, const char *base, const char *path, const char *body,
	size_t len, struct http_answer *answer, struct error *e)
{
	char url[256];
	const struct http_request request = {
		.method = "POST",
		.url = url,
		.content_type = "application/json",
		.accept = "application/json",
		.body = body,
		.body_len = len,
		.deadline = clock_monotonic_ms() + PLENTY,
		.answer_max = 128 * 1024,
	};

	snprintf(url, sizeof(url), "%s/%s", base, path);
	return http_send(client, &request, answer, e);
}

void expect_text(const struct error *e, const char *part)
{
	if (!strstr(e->text, part))
		fail_msg("\"%s\" lacks \"%s\"", e->text, part);
}

void expect_body(struct http_client *client, const char *base, const char *path, const char *body)
{
	struct http_answer answer = {0};
	struct error e = {0};

	if (get(client, base, path, &answer, &e))
		fail_msg("%s: %s", path, e.text);
	assert_int_equal(answer.status, 200);
	assert_string_equal((char *)answer.body.data, body);
	http_answer_free(&answer);
}

void expect_failure(struct http_client *client, const char *base, const char *path, enum err err,
	const char *text)
{
	struct http_answer answer = {.status = -7};
	struct error e = {0};
	enum err got = get(client, base, path, &answer, &e);

	if (got != err)
		fail_msg("%s: %s instead of %s: %s", path, error_meaning(got)->label,
			error_meaning(err)->label, e.text);
	assert_int_equal(e.code, err);
	assert_int_equal(answer.status, -7);
	assert_null(answer.body.data);
	expect_text(&e, base);
	expect_text(&e, text);
}
