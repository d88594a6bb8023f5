/* One question to UEM's REST API: login, version, quota, and what an answer means. */
#include "uem/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "uem/api_json.h"
#include "uem/api_token.h"
#include "uem/quote.h"

#define HEADER_MAX 16384
#define RETRY_DEFAULT 60 /* seconds after a 429 that says no more */
#define RETRY_MAX 3600	 /* a daily quota that is used up is looked at again after that */

/* UEM's own error codes. */
#define CODE_LOGIN 1005
#define CODE_TENANT 1013
#define CODE_NO_DEVICE 5061

enum field { FIELD_LIMIT, FIELD_LEFT, FIELD_RESET, FIELD_COUNT };

struct uem_api {
	const struct config *config; /* borrowed */
	struct http_client *http;
	struct uem_token token; /* http is NULL: HTTP Basic */
	bool rejected;		/* the login by HTTP Basic, by the latest answer */
	struct {
		int64_t limit, left; /* requests; limit 0: not known */
		int64_t reset;	     /* seconds UTC */
	} quota;
};

enum err uem_api_open(const struct config *config, struct uem_api **out, struct error *e)
{
	struct uem_api *api = calloc(1, sizeof(*api));
	const struct http_options options = {
		.auth = config->uem.username ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE,
		.username = config->uem.username,
		.password_file = config->uem.password_file,
		.ca_file = config->uem.ca_file,
		.proxy = config->uem.proxy,
	};
	enum err err;

	if (!api)
		return error_memory(e);
	api->config = config;
	err = http_client_new(&options, &api->http, e);
	if (!err && config->uem.token_url)
		err = uem_token_open(config, &api->token, e);
	if (err) {
		uem_api_close(api);
		return error_context(e, "[uem]");
	}
	*out = api;
	return ERR_OK;
}

void uem_api_close(struct uem_api *api)
{
	if (!api)
		return;
	http_client_free(api->http);
	uem_token_close(&api->token);
	free(api);
}

bool uem_api_rejected_password(const struct uem_api *api)
{
	return api->rejected;
}

/* --- the quota, which all that use the API at this customer share */

static void note_quota(struct uem_api *api, const struct http_wanted *field)
{
	int64_t limit = 0, left = 0, reset = 0;

	if (!text_number(field[FIELD_LIMIT].value, INT32_MAX, &limit) ||
		!text_number(field[FIELD_LEFT].value, INT32_MAX, &left))
		return;
	if (!text_number(field[FIELD_RESET].value, INT64_MAX, &reset))
		reset = clock_now() + RETRY_DEFAULT;
	api->quota.limit = limit;
	api->quota.left = left;
	api->quota.reset = reset;
}

static int until_reset(const struct uem_api *api)
{
	int64_t wait = api->quota.reset - clock_now();

	if (!api->quota.limit || wait <= 0)
		return RETRY_DEFAULT;
	return (int)(wait < RETRY_MAX ? wait : RETRY_MAX);
}

static enum err check_quota(
	const struct uem_api *api, const struct uem_question *question, struct error *e)
{
	if (!question->bulk || !api->quota.limit || clock_now() >= api->quota.reset ||
		api->quota.left > api->quota.limit / 10)
		return ERR_OK;
	error_set(e, ERR_UNAVAILABLE,
		"UEM %s: %lld of %lld requests are left, which are kept for events",
		api->config->uem.url, (long long)api->quota.left, (long long)api->quota.limit);
	e->retry_after = until_reset(api);
	return e->code;
}

/* --- sending */

/* The tenant code is read each time, so that it can be replaced while we run. */
static enum err put_tenant(const struct uem_api *api, struct buf *header, struct error *e)
{
	const char *path = api->config->uem.tenant_code_file;
	struct blob code = {NULL, 0};
	enum err err;

	if (!path)
		return ERR_OK;
	err = file_read_password(path, &code, e);
	if (!err)
		buf_printf(header, "aw-tenant-code: %s", (const char *)code.data);
	blob_free(&code);
	return err ? err : buf_check(header, e);
}

struct call {
	const struct uem_question *question;
	struct http_wanted field[FIELD_COUNT];
	struct http_answer answer;
};

static enum err send(struct uem_api *api, struct call *call, const char *token, struct error *e)
{
	const struct uem_question *q = call->question;
	struct buf url = BUF_INIT(HEADER_MAX), accept = BUF_INIT(64), login = BUF_INIT(HEADER_MAX),
		   tenant = BUF_INIT(HEADER_MAX);
	const char *headers[3] = {NULL};
	size_t count = 0;
	enum err err = put_tenant(api, &tenant, e);

	buf_printf(&url, "%s%s", api->config->uem.url, q->path);
	buf_printf(&accept, "application/json;version=%d", q->version);
	if (token)
		buf_printf(&login, "Authorization: Bearer %s", token);
	if (!err)
		err = buf_check(&url, e);
	if (!err)
		err = buf_check(&login, e);
	if (tenant.len)
		headers[count++] = tenant.data;
	if (login.len)
		headers[count++] = login.data;
	if (!err)
		err = http_send(api->http,
			&(const struct http_request){
				.method = "GET",
				.url = url.data,
				.plain =
					true, /* the configuration takes it to this machine alone */
				.accept = accept.data,
				.headers = headers,
				.deadline = q->deadline,
				.answer_max = q->answer_max ? q->answer_max : UEM_ANSWER_MAX,
				.wanted = call->field,
				.wanted_count = FIELD_COUNT,
			},
			&call->answer, e);
	if (!err)
		note_quota(api, call->field);
	buf_free(&url);
	buf_free(&accept);
	buf_free(&login);
	buf_free(&tenant);
	return err;
}

static enum err send_with_token(struct uem_api *api, struct call *call, struct error *e)
{
	const char *token = NULL;
	enum err err = uem_token_get(&api->token, call->question->deadline, &token, e);

	return err ? err : send(api, call, token, e);
}

/* A token that was withdrawn, or that not all of UEM's servers know yet, is replaced once. */
static enum err send_logged_in(struct uem_api *api, struct call *call, struct error *e)
{
	enum err err;

	if (!api->token.http)
		return send(api, call, NULL, e);
	err = send_with_token(api, call, e);
	if (err || call->answer.status != 401)
		return err;
	http_answer_free(&call->answer);
	uem_token_drop(&api->token);
	return send_with_token(api, call, e);
}

/* --- what came back */

/* ASP.NET's page for a path that UEM's application does not know: "Server Error in '/API/Mdm' …" */
static bool is_uem_page(const struct http_answer *answer)
{
	static const char words[] = "Server Error in '/api";
	size_t len = sizeof(words) - 1;

	for (size_t i = 0; i + len <= answer->body.len; i++)
		if (strncasecmp((const char *)answer->body.data + i, words, len) == 0)
			return true;
	return false;
}

static enum err meaning_of(const struct http_answer *answer, int64_t code)
{
	int status = answer->status;

	if (code == CODE_LOGIN || code == CODE_TENANT || status == 401 || status == 403)
		return ERR_BARRED;
	if (code == CODE_NO_DEVICE || (status == 404 && (code || is_uem_page(answer))))
		return ERR_NOT_FOUND;
	if (status == 404)
		return ERR_GARBLED;
	if (status == 406)
		return ERR_UNSUPPORTED;
	if (status >= 300 && status < 400)
		return ERR_BARRED;
	if (code && (status == 400 || status == 409 || status == 422))
		return ERR_REFUSED;
	return ERR_UNAVAILABLE;
}

static const char *words_for(enum err err, int status)
{
	static const char *const words[ERR_COUNT] = {
		[ERR_BARRED] = "rejected our credentials: check the login and tenant-code-file in "
			       "[uem], and the role of its account",
		[ERR_NOT_FOUND] = "has no such object",
		[ERR_GARBLED] = "has no such path, or another server answers: check [uem] url",
		[ERR_UNSUPPORTED] = "has no such version of it",
		[ERR_REFUSED] = "refuses",
		[ERR_UNAVAILABLE] = "cannot do it now",
	};

	if (status >= 300 && status < 400)
		return "redirects, which is not followed: check [uem] url";
	return words[err];
}

/* json: the body, where it is an object; else NULL. */
static enum err refusal(
	struct uem_api *api, const struct http_answer *answer, const cJSON *json, struct error *e)
{
	const char *message = uem_json_text(json, "message");
	const char *said = *message ? message : (const char *)answer->body.data;
	char words[EXCERPT_SIZE];
	int64_t code = 0;
	enum err err;

	uem_json_number(json, "errorCode", &code);
	uem_quote(api->config, said, *message ? strlen(message) : answer->body.len, words);
	err = meaning_of(answer, code);
	api->rejected = !api->token.http && (answer->status == 401 || code == CODE_LOGIN);
	error_set(e, err, "UEM %s %s (status %d, error %lld)%s%s", api->config->uem.url,
		words_for(err, answer->status), answer->status, (long long)code,
		*words ? "; it says: " : "", words);
	if (err == ERR_UNAVAILABLE)
		e->retry_after = answer->retry_after	 ? answer->retry_after
				 : answer->status == 429 ? until_reset(api)
							 : 0;
	return err;
}

static enum err not_json(
	const struct uem_api *api, const struct http_answer *answer, struct error *e)
{
	return error_set(e, ERR_UNAVAILABLE,
		"UEM %s: its answer (status %d, type \"%s\") is not JSON", api->config->uem.url,
		answer->status, answer->content_type);
}

/* An error may come with any status, 200 among them. */
static enum err judge(
	struct uem_api *api, const struct http_answer *answer, cJSON **out, struct error *e)
{
	bool good = answer->status >= 200 && answer->status < 300;
	cJSON *json = NULL;
	struct error unread;
	int64_t code = 0;
	enum err err = ERR_OK;

	if (answer->body.len > 0 &&
		json_object(answer->body.data, answer->body.len, &json, &unread) == ERR_INTERNAL) {
		*e = unread;
		return ERR_INTERNAL;
	}
	uem_json_number(json, "errorCode", &code);
	if (!good || code)
		err = refusal(api, answer, json, e);
	else if (answer->body.len > 0 && !json)
		err = not_json(api, answer, e);
	if (err)
		cJSON_Delete(json);
	else
		*out = json;
	return err;
}

enum err uem_api_ask(
	struct uem_api *api, const struct uem_question *question, cJSON **out, struct error *e)
{
	struct call call = {
		.question = question,
		.field = {{.name = "x-ratelimit-limit"}, {.name = "x-ratelimit-remaining"},
			{.name = "x-ratelimit-reset"}},
	};
	enum err err = check_quota(api, question, e);

	api->rejected = false;
	if (!err)
		err = send_logged_in(api, &call, e);
	if (!err)
		err = judge(api, &call.answer, out, e);
	http_answer_free(&call.answer);
	return err;
}
