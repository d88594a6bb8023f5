/* Single requests to EJBCA's REST API, and which CA ca-name is. Enrollment is in ejbca_enroll.c. */

#include "ca/ejbca_client.h"

#include <stdlib.h>
#include <string.h>

#include "ca/remote_json.h"

/* --- a request */

enum err ejbca_ask(struct ejbca *ejbca, const struct ejbca_request *request,
	struct http_answer *out, struct error *e)
{
	struct buf path = BUF_INIT(EJBCA_PATH_MAX);
	enum err err = buf_check(request->path, e);

	buf_printf(&path, "%s%s", ejbca->base, request->path->data);
	if (!err)
		err = buf_check(&path, e);
	if (!err)
		err = remote_json_ask(&ejbca->remote,
			&(const struct remote_json_request){request->method, path.data,
				request->body, .accept = "*/*", .deadline = request->deadline},
			out, e);
	buf_free(&path);
	return err;
}

/* {"error_code": …, "error_message": "…"} */
enum err ejbca_refusal(const struct ejbca *ejbca, const struct http_answer *answer, struct error *e)
{
	char *says = remote_json_text(answer, "error_message");
	enum err err = remote_refusal(&ejbca->remote, answer, says, e);

	free(says);
	return err;
}

/* --- what the CA is */

/* {"certificate_authorities": [{"name": …, "subject_dn": …, …}, …]}: those that our role may see.
 */
static enum err find_subject(
	struct ejbca *ejbca, const struct http_answer *answer, struct buf *out, struct error *e)
{
	const char *name = ejbca->remote.ca->name, *subject = NULL;
	const cJSON *list, *one;
	cJSON *object = NULL;
	enum err err;

	if (answer->status != 200)
		return ejbca_refusal(ejbca, answer, e);
	err = remote_json_read(&ejbca->remote, answer, &object, e);
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
		err = remote_garbled(&ejbca->remote, NULL, "no list of CAs", e);
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

enum err ejbca_fetch_cas(void *self, int64_t deadline, struct certificates *out, struct error *e)
{
	struct ejbca *ejbca = self;
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
	if (!err && answer.status != 200)
		err = ejbca_refusal(ejbca, &answer, e);
	else if (!err && certificates_add(out, answer.body.data, answer.body.len, e))
		err = remote_garbled(&ejbca->remote, NULL, e->text, e);
	http_answer_free(&answer);
	buf_free(&subject);
	buf_free(&path);
	return err;
}
