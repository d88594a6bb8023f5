/*
 * Single requests to CFSSL's API and their answers. What a certificate takes of them is in cfssl.c.
 */

#include "ca/cfssl_api.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "ca/remote_json.h"

enum err cfssl_post(struct cfssl_api *api, const char *path, const struct buf *body,
	int64_t deadline, struct http_answer *out, struct error *e)
{
	const struct remote_json_request request = {"POST", path, body, .deadline = deadline};

	return remote_json_ask(&api->remote, &request, out, e);
}

/* The content type is not checked, because errors come as text/plain. */
char *cfssl_complaint(const struct http_answer *answer)
{
	cJSON *whole = NULL;
	struct error ignored;
	const char *text;
	char *copy;

	if (json_object(answer->body.data, answer->body.len, &whole, &ignored))
		return NULL;
	text = json_text(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(whole, "errors"), 0),
		"message");
	copy = text ? strdup(text) : NULL;
	cJSON_Delete(whole);
	return copy;
}

static enum err refusal(
	const struct cfssl_api *api, const struct http_answer *answer, struct error *e)
{
	/* These come as 400, but are about auth-key-file or the profile, not about the request. */
	static const char *const about_us[] = {
		"invalid token", "Unknown policy profile", "unauthorized"};
	char *says = cfssl_complaint(answer);

	remote_refusal(&api->remote, answer, says, e);
	for (size_t i = 0; says && i < ARRAY_LEN(about_us) && e->code == ERR_REFUSED; i++)
		if (strcasestr(says, about_us[i]))
			e->code = ERR_BARRED;
	free(says);
	return e->code;
}

enum err cfssl_answer(
	const struct cfssl_api *api, const struct http_answer *answer, cJSON **out, struct error *e)
{
	cJSON *whole = NULL;
	const cJSON *success;
	enum err err;

	if (answer->status != 200)
		return refusal(api, answer, e);
	err = remote_json_read(&api->remote, answer, &whole, e);
	if (err)
		return err;
	success = cJSON_GetObjectItemCaseSensitive(whole, "success");
	if (cJSON_IsFalse(success))
		err = refusal(api, answer, e);
	else if (!cJSON_IsTrue(success))
		err = remote_garbled(
			&api->remote, NULL, "it does not say whether it has succeeded", e);
	if (err)
		cJSON_Delete(whole);
	else
		*out = whole;
	return err;
}

enum err cfssl_certificates(const struct cfssl_api *api, const struct http_answer *answer,
	struct certificates *out, struct error *e)
{
	cJSON *whole = NULL;
	const char *pem;
	enum err err = cfssl_answer(api, answer, &whole, e);

	if (err)
		return err;
	pem = json_text(cJSON_GetObjectItemCaseSensitive(whole, "result"), "certificate");
	err = remote_json_certificate(&api->remote, NULL, pem, out, e);
	cJSON_Delete(whole);
	return err;
}

/* --- requests */

/* Which CA of the server, and which profile. */
static void put_profile(const struct cfssl_api *api, struct buf *out)
{
	buf_puts(out, "\"label\":");
	buf_json_string(out, api->label);
	buf_puts(out, ",\"profile\":");
	buf_json_string(out, api->profile);
}

enum err cfssl_info(
	struct cfssl_api *api, int64_t deadline, struct certificates *out, struct error *e)
{
	struct certificates got = {.count = 0};
	struct buf body = BUF_INIT(CFSSL_BODY_MAX);
	struct http_answer answer = {0};
	enum err err;

	buf_putc(&body, '{');
	put_profile(api, &body);
	buf_putc(&body, '}');
	err = cfssl_post(api, CFSSL_PATH "info", &body, deadline, &answer, e);
	buf_free(&body);
	if (err)
		return err;
	err = cfssl_certificates(api, &answer, &got, e);
	http_answer_free(&answer);
	if (err)
		certificates_free(&got);
	else
		*out = got;
	return err;
}

static void order_json(
	const struct cfssl_api *api, const char *pem, const char *mail, struct buf *out)
{
	buf_puts(out, "{\"certificate_request\":");
	buf_json_string(out, pem);
	buf_putc(out, ',');
	put_profile(api, out);
	buf_puts(out, ",\"hosts\":[");
	buf_json_string(out, mail);
	buf_puts(out, "]}");
}

static enum err with_token(
	const struct cfssl_api *api, const struct buf *order, struct buf *out, struct error *e)
{
	unsigned char token[DIGEST_SIZE];
	enum err err = buf_check(order, e);

	if (!err)
		err = digest_hmac(&api->key, order->data, order->len, token, e);
	if (err)
		return err;
	buf_puts(out, "{\"token\":\"");
	buf_base64(out, token, sizeof(token));
	buf_puts(out, "\",\"request\":\"");
	buf_base64(out, order->data, order->len);
	buf_puts(out, "\"}");
	return ERR_OK;
}

enum err cfssl_sign(struct cfssl_api *api, const char *pem, const char *mail, int64_t deadline,
	struct http_answer *out, struct error *e)
{
	struct buf order = BUF_INIT(CFSSL_BODY_MAX), body = BUF_INIT(2 * CFSSL_BODY_MAX);
	enum err err;

	order_json(api, pem, mail, &order);
	if (api->key.len) {
		err = with_token(api, &order, &body, e);
		if (!err)
			err = cfssl_post(api, CFSSL_PATH "authsign", &body, deadline, out, e);
	} else {
		err = cfssl_post(api, CFSSL_PATH "sign", &order, deadline, out, e);
	}
	buf_free(&body);
	buf_free(&order);
	return err;
}
