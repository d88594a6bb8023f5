/* Single requests to step-ca's API and their answers, and how our provisioner is found. */

#include "ca/step_api.h"

#include <stdlib.h>
#include <string.h>

#include "ca/remote_json.h"

#define PAGES_MAX 100 /* a hundred provisioners each */

enum err step_ask(struct remote *remote, const char *path, const struct buf *body, int64_t deadline,
	struct http_answer *out, struct error *e)
{
	const struct remote_json_request request = {
		body ? "POST" : "GET", path, body, .deadline = deadline};

	return remote_json_ask(remote, &request, out, e);
}

/* /sign and /roots answer 201, all other paths 200. */
enum err step_answer(
	const struct remote *remote, const struct http_answer *answer, cJSON **out, struct error *e)
{
	char *says;
	enum err err;

	if (answer->status == 200 || answer->status == 201)
		return remote_json_read(remote, answer, out, e);
	says = remote_json_text(answer, STEP_REASON);
	err = remote_refusal(remote, answer, says, e);
	free(says);
	return err;
}

/* --- provisioners */

static bool is_ours(const struct step_signer *signer, const cJSON *provisioner)
{
	const char *name = json_text(provisioner, "name"), *type = json_text(provisioner, "type");
	const char *kid = json_text(cJSON_GetObjectItemCaseSensitive(provisioner, "key"), "kid");

	if (!name || !type || strcmp(name, signer->provisioner) != 0 ||
		strcmp(type, step_signer_type(signer)) != 0)
		return false;
	return signer->identity || (kid && strcmp(kid, signer->jwk.kid) == 0);
}

/* Reads one page; *next is then the cursor of the next one, "" after the last. */
static enum err find_on_page(struct remote *remote, const struct step_signer *signer,
	struct buf *next, int64_t deadline, bool *found, struct error *e)
{
	struct buf path = BUF_INIT(STEP_BODY_MAX);
	struct http_answer answer = {0};
	cJSON *whole = NULL;
	const cJSON *list, *item;
	const char *cursor;
	enum err err;

	buf_printf(
		&path, STEP_PATH "provisioners?limit=100&cursor=%s", next->len ? next->data : "");
	err = buf_check(&path, e);
	if (!err)
		err = step_ask(remote, path.data, NULL, deadline, &answer, e);
	buf_free(&path);
	if (err)
		return err;
	err = step_answer(remote, &answer, &whole, e);
	list = cJSON_GetObjectItemCaseSensitive(whole, "provisioners");
	for (item = list ? list->child : NULL; item; item = item->next)
		*found = *found || is_ours(signer, item);
	cursor = json_text(whole, "nextCursor");
	buf_reset(next);
	/* A cursor is hexadecimal digits; anything else must not get into a URL. */
	if (cursor && !cursor[strspn(cursor, "0123456789abcdef")])
		buf_puts(next, cursor);
	cJSON_Delete(whole);
	http_answer_free(&answer);
	return err;
}

enum err step_find_provisioner(
	struct remote *remote, const struct step_signer *signer, int64_t deadline, struct error *e)
{
	struct buf next = BUF_INIT(STEP_BODY_MAX);
	bool found = false;
	enum err err = ERR_OK;
	int pages = 0;

	do
		err = find_on_page(remote, signer, &next, deadline, &found, e);
	while (!err && !found && next.len && ++pages < PAGES_MAX);
	buf_free(&next);
	if (err || found)
		return err;
	return error_set(e, ERR_REFUSED, "CA %s has no provisioner \"%s\" of type %s%s",
		remote->ca->url, signer->provisioner, step_signer_type(signer),
		signer->identity ? "" : " with the key in jwk-file");
}
