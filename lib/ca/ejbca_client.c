#include "ca/ejbca_client.h"

#include <string.h>

/* --- a request */

enum err ejbca_ask(struct ejbca *ejbca, const struct ejbca_request *request,
	struct http_answer *out, struct error *e)
{
	struct buf path = BUF_INIT(EJBCA_PATH_MAX);
	enum err err = buf_check(request->path, e);

	buf_printf(&path, "%s%s", ejbca->base, request->path->data);
	if (!err)
		err = buf_check(&path, e);
	if (!err && request->body)
		err = buf_check(request->body, e);
	if (!err)
		err = remote_send(&ejbca->remote,
			&(const struct http_request){
				.method = request->method,
				.url = path.data,
				.content_type = request->body ? "application/json" : NULL,
				.accept = "*/*",
				.body = request->body ? request->body->data : NULL,
				.body_len = request->body ? request->body->len : 0,
				.deadline = request->deadline,
			},
			out, e);
	buf_free(&path);
	return err;
}

/* {"error_code": …, "error_message": "…"} */
enum err ejbca_refusal(const struct ejbca *ejbca, const struct http_answer *answer, struct error *e)
{
	cJSON *object = NULL;
	const char *says = NULL;

	if (json_object(answer->body.data, answer->body.len, &object, e) == ERR_OK)
		says = json_text(object, "error_message");
	remote_refusal(&ejbca->remote, answer, says, e);
	cJSON_Delete(object);
	return e->code;
}

/* --- what the CA is */

/* {"certificate_authorities": [{"name": …, "subject_dn": …, …}, …]}: those that our role sees. */
static enum err find_subject(
	struct ejbca *ejbca, const struct http_answer *answer, struct buf *out, struct error *e)
{
	const char *name = ejbca->remote.ca->name, *subject = NULL;
	const cJSON *list, *one;
	cJSON *object = NULL;
	enum err err;

	if (answer->status != 200)
		return ejbca_refusal(ejbca, answer, e);
	err = remote_json(&ejbca->remote, answer, &object, e);
	if (err)
		return err;
	list = cJSON_GetObjectItemCaseSensitive(object, "certificate_authorities");
	cJSON_ArrayForEach(one, list)
	{
		const char *its = json_text(one, "name");

		if (its && strcmp(its, name) == 0)
			subject = json_text(one, "subject_dn");
	}
	if (!cJSON_IsArray(list))
		err = remote_garbled(&ejbca->remote, "no list of CAs", e);
	else if (!subject)
		err = error_set(e, ERR_BARRED,
			"CA %s has no CA named \"%s\", or our role may not see it; correct "
			"ca-name, or the role",
			ejbca->remote.ca->url, name);
	else
		buf_puts(out, subject);
	cJSON_Delete(object);
	return err;
}

enum err ejbca_subject(struct ejbca *ejbca, int64_t deadline, struct buf *out, struct error *e)
{
	struct buf path = BUF_INIT(EJBCA_PATH_MAX);
	struct http_answer answer = {0};
	enum err err;

	buf_puts(&path, "/v1/ca");
	err = ejbca_ask(
		ejbca, &(const struct ejbca_request){"GET", &path, NULL, deadline}, &answer, e);
	if (!err)
		err = find_subject(ejbca, &answer, out, e);
	http_answer_free(&answer);
	buf_free(&path);
	return err;
}

static enum err read_cas(struct ejbca *ejbca, const struct http_answer *answer, struct error *e)
{
	struct certificates cas = {.count = 0};

	if (answer->status != 200)
		return ejbca_refusal(ejbca, answer, e);
	if (certificates_add(&cas, answer->body.data, answer->body.len, e)) {
		certificates_free(&cas);
		return remote_garbled(&ejbca->remote, e->text, e);
	}
	certificates_free(&ejbca->cas);
	ejbca->cas = cas;
	return ERR_OK;
}

enum err ejbca_fetch_cas(struct ejbca *ejbca, int64_t deadline, struct error *e)
{
	struct buf path = BUF_INIT(EJBCA_PATH_MAX), subject = BUF_INIT(EJBCA_PATH_MAX);
	struct http_answer answer = {0};
	enum err err = ejbca_subject(ejbca, deadline, &subject, e);

	if (!err)
		err = buf_check(&subject, e);
	if (!err) {
		buf_puts(&path, "/v1/ca/");
		buf_percent(&path, subject.data);
		buf_puts(&path, "/certificate/download");
		err = ejbca_ask(ejbca, &(const struct ejbca_request){"GET", &path, NULL, deadline},
			&answer, e);
	}
	if (!err)
		err = read_cas(ejbca, &answer, e);
	http_answer_free(&answer);
	buf_free(&subject);
	buf_free(&path);
	return err;
}
