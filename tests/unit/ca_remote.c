/* What an answer of a CA that is neither issued nor pending means: who has judged what? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/remote.h"

#define HTML "text/html"
#define JSON "application/json"
#define TEXT "text/plain"

/* says: the reason in the form of that API; NULL: the answer has none. */
struct row {
	enum ca_type type;
	int status;
	const char *content_type, *body, *says;
	enum err err;
	const char *text;
};

static void assert_meaning(const struct row *row)
{
	static char url[] = "https://ca.example.com";
	const struct config_ca ca = {.type = row->type, .url = url};
	const struct remote remote = {.ca = &ca,
		.says_in_text = row->type == CA_EST,
		.forbids_by_403 = row->type == CA_STEP};
	struct http_answer answer = {.status = row->status, .retry_after = 7};
	struct error e = {.code = ERR_OK};

	snprintf(answer.content_type, sizeof(answer.content_type), "%s", row->content_type);
	assert_int_equal(blob_copy(row->body, strlen(row->body), &answer.body, &e), ERR_OK);
	if (remote_refusal(&remote, &answer, row->says, &e) != row->err || e.code != row->err)
		fail_msg("type %s, status %d, %s: %s: %s", ca_type_names[row->type], row->status,
			row->content_type, error_meaning(e.code)->label, e.text);
	if (!strstr(e.text, row->text))
		fail_msg("\"%s\" is not in \"%s\"", row->text, e.text);
	assert_int_equal(e.retry_after, 7);
	blob_free(&answer.body);
}

/* The policy of the CA forbids this certificate. */
static void a_judgement_is_final(void **state)
{
	static const struct row rows[] = {
		{CA_EST, 400, TEXT, "no such name", NULL, ERR_REFUSED, "it says: no such name"},
		{CA_EST, 400, "", "", NULL, ERR_REFUSED, "refuses (status 400)"},
		{CA_EJBCA, 400, JSON, "{}", "no such name", ERR_REFUSED, "says: no such name"},
		{CA_EJBCA, 422, JSON, "{}", "no such name", ERR_REFUSED, "refuses"},
		{CA_EJBCA, 409, JSON, "{}", "exists already", ERR_REFUSED, "refuses"},
		{CA_VAULT, 400, JSON, "{}", "not allowed by this role", ERR_REFUSED, "refuses"},
		{CA_STEP, 400, JSON, "{}", "no such name", ERR_REFUSED, "refuses"},
		{CA_STEP, 403, JSON, "{}", "not allowed by policy", ERR_REFUSED, "refuses"},
		{CA_CFSSL, 400, JSON, "{}", "no such name", ERR_REFUSED, "refuses"},
		{CA_CFSSL, 200, JSON, "{}", "no such name", ERR_REFUSED, "refuses"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_meaning(&rows[i]);
}

enum form { PAGE, JSON_OF_ANOTHER, IN_ITS_FORM, FORMS };

static bool is_policy(enum ca_type type, int status, int form)
{
	return type == CA_STEP && status == 403 && form == IN_ITS_FORM;
}

/* The CA has not judged the request, which may succeed once the cause is fixed. */
static void what_is_no_judgement_is_not_final(void **state)
{
	static const enum ca_type types[] = {
		CA_EST, CA_EJBCA, CA_ADCS, CA_VAULT, CA_STEP, CA_CFSSL};
	static const int statuses[] = {301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 406, 407,
		410, 411, 412, 413, 414, 415, 417, 421, 426, 431, 451, 499};

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
			for (int form = 0; form < FORMS; form++)
				if (!is_policy(types[t], statuses[i], form))
					assert_meaning(&(const struct row){types[t], statuses[i],
						form ? JSON : HTML, "<html>no</html>",
						form == IN_ITS_FORM ? "no" : NULL, ERR_BARRED,
						"(status "});
}

/* nginx: "The plain HTTP request was sent to HTTPS port", "No required SSL certificate was sent" */
static void the_page_of_a_proxy_is_no_judgement(void **state)
{
	static const enum ca_type types[] = {
		CA_EST, CA_EJBCA, CA_ADCS, CA_VAULT, CA_STEP, CA_CFSSL};
	static const int statuses[] = {400, 409, 422};

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t s = 0; s < ARRAY_LEN(statuses); s++)
			assert_meaning(&(const struct row){types[t], statuses[s], HTML,
				"<html><head><title>400 No required SSL certificate was "
				"sent</title>",
				NULL, ERR_BARRED, "a proxy or another server did"});
	assert_meaning(&(const struct row){CA_VAULT, 400, JSON, "{\"errors\":[]}", "", ERR_BARRED,
		"it says: {\"errors\":[]}"});
	assert_meaning(&(const struct row){CA_VAULT, 204, "", "", NULL, ERR_BARRED, "204"});
}

static void what_passes_is_tried_soon(void **state)
{
	static const int statuses[] = {408, 425, 429, 500, 501, 502, 503, 504, 511, 599};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(statuses); s++)
		assert_meaning(&(const struct row){CA_STEP, statuses[s], JSON, "{}", "no",
			ERR_UNAVAILABLE, "cannot do it now"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_judgement_is_final),
		cmocka_unit_test(what_is_no_judgement_is_not_final),
		cmocka_unit_test(the_page_of_a_proxy_is_no_judgement),
		cmocka_unit_test(what_passes_is_tried_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
