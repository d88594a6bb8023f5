/* What the external CAs with a JSON API share: requests, answers, certificates in them. */

#include "ca/remote_json.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_JSON "application/json"

enum err remote_json_ask(struct remote *remote, const struct remote_json_request *request,
	struct http_answer *out, struct error *e)
{
	const struct buf *body = request->body;
	enum err err = body ? buf_check(body, e) : ERR_OK;

	if (err)
		return err;
	return remote_send(remote,
		&(const struct http_request){
			.method = request->method,
			.url = request->path,
			.content_type = body ? TYPE_JSON : NULL,
			.accept = request->accept ? request->accept : TYPE_JSON,
			.headers = request->headers,
			.body = body ? body->data : NULL,
			.body_len = body ? body->len : 0,
			.deadline = request->deadline,
		},
		out, e);
}

enum err remote_json_read(
	const struct remote *remote, const struct http_answer *answer, cJSON **out, struct error *e)
{
	const char *url = remote->ca->url;

	if (strcmp(answer->content_type, TYPE_JSON) != 0)
		return error_set(e, ERR_GARBLED,
			"CA %s: the answer (status %d) is of type \"%s\", not " TYPE_JSON, url,
			answer->status, answer->content_type);
	if (json_object(answer->body.data, answer->body.len, out, e) == ERR_OK)
		return ERR_OK;
	if (e->code != ERR_MALFORMED)
		return e->code;
	return error_set(
		e, ERR_GARBLED, "CA %s: the answer is not JSON (status %d)", url, answer->status);
}

char *remote_json_text(const struct http_answer *answer, const char *name)
{
	cJSON *whole = NULL;
	struct error ignored;
	const char *text;
	char *copy;

	if (json_object(answer->body.data, answer->body.len, &whole, &ignored))
		return NULL;
	text = json_text(whole, name);
	copy = text ? strdup(text) : NULL;
	cJSON_Delete(whole);
	return copy;
}

bool remote_json_unknown(const struct http_answer *answer, const char *name)
{
	char *says = answer->status == 404 ? remote_json_text(answer, name) : NULL;
	bool is = says != NULL;

	free(says);
	return is;
}

enum err remote_json_certificate(const struct remote *remote, const char *what, const char *text,
	struct certificates *out, struct error *e)
{
	if (text && certificates_add(out, text, strlen(text), e) == ERR_OK)
		return ERR_OK;
	return remote_garbled(remote, what, text ? e->text : "a certificate is missing", e);
}

enum err remote_json_certificates(const struct remote *remote, const char *what, const cJSON *list,
	struct certificates *out, struct error *e)
{
	const cJSON *item;
	enum err err = ERR_OK;

	cJSON_ArrayForEach(item, list)
	{
		const char *text = cJSON_GetStringValue(item);

		if (!err && (!text || *text))
			err = remote_json_certificate(remote, what, text, out, e);
	}
	return err;
}

void remote_json_put(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\": ", name);
	buf_json_string(out, value);
	buf_puts(out, ", ");
}
