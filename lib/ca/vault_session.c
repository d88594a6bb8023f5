/* Logs in to Vault, keeps the token, and sends requests with it. */

#include "ca/vault_session.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"

#define HEADER_MAX 8192
#define LOGIN_MAX 8192
#define WORDS_MAX 4096
/* A lease that is longer, seconds, is none: 0 in Vault's words. */
#define LEASE_MAX (10 * 365 * 86400.0)

/* --- what the configuration says of it */

static enum err check_way(const struct config *config, const struct config_ca *ca, struct error *e)
{
	bool role = ca->role_id || ca->secret_id_file;
	const char *second = ca->identity ? "identity" : "role-id";

	if (!ca->token_file && !role && !ca->identity)
		return config_error(config, ca->section, "token-file", e,
			"missing; type = vault needs it, or role-id and secret-id-file, or "
			"identity");
	if ((ca->token_file != NULL) + role + (ca->identity != NULL) > 1)
		return config_error(config, ca->section, second, e,
			"one way to log in is enough: token-file, or role-id and secret-id-file, "
			"or identity");
	if (role && (!ca->role_id || !ca->secret_id_file))
		return config_error(config, ca->section, ca->role_id ? "secret-id-file" : "role-id",
			e, "missing; role-id and secret-id-file go together");
	return ERR_OK;
}

enum err vault_session_open(const struct config *config, const struct config_ca *ca,
	struct vault_session *out, struct error *e)
{
	struct vault_session session = {.token = {NULL, 0}};
	enum err err = check_way(config, ca, e);

	if (!err)
		err = remote_open(config, ca, HTTP_AUTH_NONE, &session.remote, e);
	if (!err)
		*out = session;
	return err;
}

void vault_session_close(struct vault_session *session)
{
	remote_close(&session->remote);
	blob_free(&session->token);
}

/* --- one request */

/* It goes into a header. */
static bool is_token(const char *text)
{
	const char *c = text;

	while (*c > ' ' && *c < 0x7f)
		c++;
	return *text && !*c;
}

/* With X-Vault-Request, which Vault can be told to demand: no browser can be led to send it. */
static enum err send(struct vault_session *session, const struct remote_json_request *request,
	const char *token, struct http_answer *out, struct error *e)
{
	const char *namespace = session->remote.ca->namespace;
	struct buf header_token = BUF_INIT(HEADER_MAX), header_namespace = BUF_INIT(HEADER_MAX);
	const char *headers[4] = {"X-Vault-Request: true"};
	struct remote_json_request whole = *request;
	size_t count = 1;
	enum err err;

	if (token) {
		buf_printf(&header_token, "X-Vault-Token: %s", token);
		headers[count++] = header_token.data;
	}
	if (namespace) {
		buf_printf(&header_namespace, "X-Vault-Namespace: %s", namespace);
		headers[count++] = header_namespace.data;
	}
	err = buf_check(&header_token, e);
	if (!err)
		err = buf_check(&header_namespace, e);
	if (!err) {
		whole.headers = headers;
		err = remote_json_ask(&session->remote, &whole, out, e);
	}
	buf_free(&header_token);
	buf_free(&header_namespace);
	return err;
}

/* {"errors": ["…", …]} */
static enum err refusal(
	const struct vault_session *session, const struct http_answer *answer, struct error *e)
{
	struct buf words = BUF_INIT(WORDS_MAX);
	cJSON *object = NULL;
	const cJSON *text;

	if (json_object(answer->body.data, answer->body.len, &object, e) == ERR_OK) {
		buf_puts(&words, "");
		cJSON_ArrayForEach(text, cJSON_GetObjectItemCaseSensitive(object, "errors"))
			buf_printf(&words, "%s%s", words.len ? "; " : "",
				cJSON_IsString(text) ? text->valuestring : "");
	}
	cJSON_Delete(object);
	remote_refusal(&session->remote, answer, words.data, e);
	/* [ca] role, or a CA that is about to end: not the request */
	if (e->code == ERR_REFUSED && words.len &&
		(strstr(words.data, "unknown role") ||
			strstr(words.data, "expiration of the CA certificate")))
		e->code = ERR_BARRED;
	/* A standby that has not caught up (412), or that answers itself (sys/health's codes) */
	if (answer->status == 412 || (answer->status >= 472 && answer->status <= 474))
		e->code = ERR_UNAVAILABLE;
	buf_free(&words);
	return e->code;
}

static enum err judge(const struct vault_session *session, const struct http_answer *answer,
	cJSON **out, struct error *e)
{
	if (answer->status != 200)
		return refusal(session, answer, e);
	return remote_json_read(&session->remote, answer, out, e);
}

/* --- logins */

/* {"auth": {"client_token": "…", "lease_duration": seconds, …}}; 0: it does not end. */
static enum err take_token(
	struct vault_session *session, const cJSON *object, int64_t since, struct error *e)
{
	const cJSON *auth = cJSON_GetObjectItemCaseSensitive(object, "auth");
	const cJSON *lease = cJSON_GetObjectItemCaseSensitive(auth, "lease_duration");
	const char *token = json_text(auth, "client_token");
	struct blob copy = {NULL, 0};
	enum err err;

	if (!token || !is_token(token) || !cJSON_IsNumber(lease) || !(lease->valuedouble >= 0))
		return remote_garbled(&session->remote, NULL, "a login without a token", e);
	err = blob_copy(token, strlen(token), &copy, e);
	if (err)
		return err;
	blob_free(&session->token);
	session->token = copy;
	session->renew_at = INT64_MAX;
	if (lease->valuedouble > 0 && lease->valuedouble < LEASE_MAX)
		session->renew_at = since + (int64_t)(lease->valuedouble * 1000 * 2 / 3);
	return ERR_OK;
}

/* The secret is read each time, so that it can be replaced while we run. */
static enum err write_role(const struct config_ca *ca, struct buf *out, struct error *e)
{
	struct blob secret = {NULL, 0};
	enum err err = file_read_password(ca->secret_id_file, &secret, e);

	if (err)
		return err;
	buf_puts(out, "{\"role_id\": ");
	buf_json_string(out, ca->role_id);
	buf_puts(out, ", \"secret_id\": ");
	buf_json_string(out, (const char *)secret.data);
	buf_putc(out, '}');
	blob_free(&secret);
	return buf_check(out, e);
}

/* cJSON frees what it read, but does not wipe it. */
static void wipe_token(const cJSON *object)
{
	char *token = (char *)(uintptr_t)json_text(
		cJSON_GetObjectItemCaseSensitive(object, "auth"), "client_token");

	if (token)
		secret_wipe(token, strlen(token));
}

static enum err login(struct vault_session *session, int64_t deadline, struct error *e)
{
	const struct config_ca *ca = session->remote.ca;
	struct buf body = BUF_INIT(LOGIN_MAX);
	const struct remote_json_request request = {
		.method = "POST",
		.path = ca->role_id ? "/v1/auth/approle/login" : "/v1/auth/cert/login",
		.body = &body,
		.deadline = deadline,
	};
	int64_t since = clock_monotonic_ms();
	struct http_answer answer = {0};
	cJSON *object = NULL;
	enum err err = ERR_OK;

	if (ca->role_id)
		err = write_role(ca, &body, e);
	else
		buf_puts(&body, "{}");
	if (!err)
		err = send(session, &request, NULL, &answer, e);
	if (!err)
		err = judge(session, &answer, &object, e);
	if (!err)
		err = take_token(session, object, since, e);
	wipe_token(object);
	cJSON_Delete(object);
	http_answer_free(&answer);
	buf_free(&body);
	/* A wrong secret is answered by 400, as a request would be that is refused for good. */
	err = remote_nothing_issued(err, e);
	if (err == ERR_REFUSED)
		e->code = ERR_BARRED;
	return err ? error_context(e, "login") : ERR_OK;
}

/* --- with a token */

static enum err ask_by_file(struct vault_session *session,
	const struct remote_json_request *request, struct http_answer *out, struct error *e)
{
	const char *path = session->remote.ca->token_file;
	struct blob token = {NULL, 0};
	enum err err = file_read_password(path, &token, e);

	if (!err && !is_token((const char *)token.data))
		err = error_set(e, ERR_CONFIG, "%s: its first line is not a token", path);
	if (!err)
		err = send(session, request, (const char *)token.data, out, e);
	blob_free(&token);
	return err;
}

/* 403 may be for the token, which somebody has revoked, and not for what is asked with it. */
static enum err ask_by_login(struct vault_session *session,
	const struct remote_json_request *request, struct http_answer *out, struct error *e)
{
	bool kept = session->token.data && clock_monotonic_ms() < session->renew_at;
	enum err err = kept ? ERR_OK : login(session, request->deadline, e);

	if (!err)
		err = send(session, request, (const char *)session->token.data, out, e);
	if (err || out->status != 403 || !kept)
		return err;
	http_answer_free(out);
	blob_free(&session->token);
	return ask_by_login(session, request, out, e);
}

enum err vault_ask(struct vault_session *session, const struct remote_json_request *request,
	cJSON **out, struct error *e)
{
	struct http_answer answer = {0};
	enum err err = session->remote.ca->token_file ? ask_by_file(session, request, &answer, e)
						      : ask_by_login(session, request, &answer, e);

	if (!err)
		err = judge(session, &answer, out, e);
	http_answer_free(&answer);
	return err;
}

enum err vault_ask_openly(struct vault_session *session, const struct remote_json_request *request,
	cJSON **out, struct error *e)
{
	struct http_answer answer = {0};
	enum err err = send(session, request, NULL, &answer, e);

	if (!err)
		err = judge(session, &answer, out, e);
	http_answer_free(&answer);
	return err;
}
