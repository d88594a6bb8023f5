/* The access token for UEM's REST API. It asks nothing of UEM itself. */
#include "uem/api_token.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "uem/api_json.h"
#include "uem/quote.h"

#define FORM_MAX 8192
#define ANSWER_MAX (64 * 1024)
#define EARLY_MS (300 * 1000) /* so long before its end a token is renewed */
#define LIFE_DEFAULT 600      /* seconds, where the server does not say (RFC 6749, 5.1) */
#define LIFE_MAX (30 * 86400)

enum err uem_token_open(const struct config *config, struct uem_token *out, struct error *e)
{
	const struct http_options options = {
		.ca_file = config->uem.ca_file,
		.proxy = config->uem.proxy,
	};
	struct uem_token token = {.config = config};
	enum err err = http_client_new(&options, &token.http, e);

	if (!err)
		*out = token;
	return err;
}

void uem_token_close(struct uem_token *token)
{
	http_client_free(token->http);
	blob_free(&token->token);
	*token = (struct uem_token){.http = NULL};
}

void uem_token_drop(struct uem_token *token)
{
	blob_free(&token->token);
}

/* --- the request */

/* RFC 6749, 2.3.1: both in the body, or both form-encoded in HTTP Basic. */
static void write_client(const struct uem_token *token, const char *secret, struct buf *form,
	struct buf *authorization)
{
	struct buf pair = BUF_INIT(FORM_MAX);

	buf_puts(form, "grant_type=client_credentials");
	if (token->basic) {
		buf_percent(&pair, token->config->uem.client_id);
		buf_putc(&pair, ':');
		buf_percent(&pair, secret);
		buf_puts(authorization, "Authorization: Basic ");
		buf_base64(authorization, pair.data, pair.len);
	} else {
		buf_puts(form, "&client_id=");
		buf_percent(form, token->config->uem.client_id);
		buf_puts(form, "&client_secret=");
		buf_percent(form, secret);
	}
	buf_free(&pair);
}

static enum err send(
	struct uem_token *token, int64_t deadline, struct http_answer *out, struct error *e)
{
	struct buf form = BUF_INIT(FORM_MAX), authorization = BUF_INIT(FORM_MAX);
	const char *headers[2] = {NULL, NULL};
	struct blob secret = {NULL, 0};
	enum err err = file_read_password(token->config->uem.client_secret_file, &secret, e);

	if (!err) {
		write_client(token, (const char *)secret.data, &form, &authorization);
		err = buf_check(&form, e);
	}
	if (!err)
		err = buf_check(&authorization, e);
	headers[0] = authorization.data;
	if (!err)
		err = http_send(token->http,
			&(const struct http_request){
				.method = "POST",
				.url = token->config->uem.token_url,
				.plain =
					true, /* the configuration takes it to this machine alone */
				.content_type = "application/x-www-form-urlencoded",
				.accept = "application/json",
				.headers = headers,
				.body = form.data,
				.body_len = form.len,
				.deadline = deadline,
				.answer_max = ANSWER_MAX,
			},
			out, e);
	blob_free(&secret);
	buf_free(&form);
	buf_free(&authorization);
	return err;
}

/* --- the answer */

/* It goes into a header (RFC 6750, 2.1). */
static bool is_token(const char *text)
{
	while (*text > ' ' && *text < 0x7f)
		text++;
	return !*text;
}

static int64_t life_of(const cJSON *object)
{
	int64_t seconds = 0;

	if (!uem_json_number(object, "expires_in", &seconds) || seconds <= 0)
		return LIFE_DEFAULT;
	return seconds < LIFE_MAX ? seconds : LIFE_MAX;
}

static enum err take(struct uem_token *token, const cJSON *object, int64_t since, struct error *e)
{
	char *text = (char *)(uintptr_t)json_text(object, "access_token");
	const char *type = json_text(object, "token_type");
	int64_t life = life_of(object) * 1000;
	enum err err = ERR_OK;

	uem_token_drop(token);
	if (!text || !*text || !is_token(text) || (type && !text_equal_nocase(type, "Bearer")))
		err = error_set(e, ERR_UNAVAILABLE, "UEM %s: its answer has no bearer token",
			token->config->uem.token_url);
	else
		err = blob_copy(text, strlen(text), &token->token, e);
	if (text)
		secret_wipe(
			text, strlen(text)); /* cJSON frees what it read, but does not wipe it */
	token->renew_at = since + (life > 2 * EARLY_MS ? life - EARLY_MS : life / 2);
	return err;
}

static enum err refusal(
	const struct uem_token *token, const struct http_answer *answer, struct error *e)
{
	const char *url = token->config->uem.token_url;
	bool later = answer->status == 408 || answer->status == 429 || answer->status >= 500;
	bool login = answer->status == 400 || answer->status == 401 || answer->status == 403;
	char words[EXCERPT_SIZE];

	uem_quote(token->config, answer->body.data, answer->body.len, words);
	error_set(e, later ? ERR_UNAVAILABLE : ERR_BARRED, "UEM %s %s (status %d)%s%s", url,
		later	? "gives no token now"
		: login ? "rejected our credentials: check [uem] client-id and client-secret-file"
			: "gives no token: check [uem] token-url",
		answer->status, *words ? "; it says: " : "", words);
	e->retry_after = answer->retry_after;
	return e->code;
}

static enum err read_answer(
	struct uem_token *token, const struct http_answer *answer, int64_t since, struct error *e)
{
	cJSON *object = NULL;
	enum err err;

	if (answer->status != 200)
		return refusal(token, answer, e);
	err = json_object(answer->body.data, answer->body.len, &object, e);
	if (err == ERR_MALFORMED)
		err = error_set(e, ERR_UNAVAILABLE, "UEM %s: its answer is not JSON",
			token->config->uem.token_url);
	if (!err)
		err = take(token, object, since, e);
	cJSON_Delete(object);
	return err;
}

static enum err login(struct uem_token *token, int64_t deadline, struct error *e)
{
	int64_t since = clock_monotonic_ms();
	struct http_answer answer = {0};
	enum err err = send(token, deadline, &answer, e);

	if (!err)
		err = read_answer(token, &answer, since, e);
	http_answer_free(&answer);
	return err;
}

/* Servers differ in which of the two ways they take. Both rejected: the first says why. */
enum err uem_token_get(struct uem_token *token, int64_t deadline, const char **out, struct error *e)
{
	bool before = token->basic;
	struct error other;
	enum err err = ERR_OK;

	if (!token->token.data || clock_monotonic_ms() >= token->renew_at) {
		err = login(token, deadline, e);
		if (err == ERR_BARRED) {
			token->basic = !before;
			if (login(token, deadline, &other))
				token->basic = before;
			else
				err = ERR_OK;
		}
	}
	if (!err)
		*out = (const char *)token->token.data;
	return err;
}
