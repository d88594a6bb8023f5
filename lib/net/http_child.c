/* A request in a process of its own, which can be killed. */
#include "net/http_child.h"

#include <string.h>

#include "base/child.h"

/* Added to the deadline, so that the work can report its own timeout. */
#define MARGIN_MS 200

struct result {
	enum err err;
	struct error error;
	struct http_incoming in; /* but its body */
	size_t body_len;
	char body[];
};

/* In the child. */
static void run(void *ctx, void *into)
{
	struct http_transfer *t = ctx;
	struct result *result = into;
	const struct buf *body = &t->in.body;

	result->err = http_transfer_run(t, &result->error);
	result->in = t->in;
	result->body_len = body->len < t->request->answer_max ? body->len : t->request->answer_max;
	if (result->body_len)
		memcpy(result->body, body->data, result->body_len);
}

static enum err take(
	struct http_transfer *t, const struct result *result, enum child_end end, struct error *e)
{
	struct buf body = t->in.body;

	if (end == CHILD_GIVEN_UP)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: given up, because the program is stopping", t->origin);
	if (end == CHILD_KILLED)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: not done in time: no Kerberos ticket came; does the KDC answer?",
			t->origin);
	t->in = result->in;
	t->in.body = body;
	buf_append(&t->in.body, result->body, result->body_len);
	if (result->err)
		*e = result->error;
	return result->err ? result->err : buf_check(&t->in.body, e);
}

enum err http_child_run(struct http_transfer *t, struct error *e)
{
	const struct child_work work = {
		.run = run,
		.ctx = t,
		.result_size = sizeof(struct result) + t->request->answer_max,
		.until = t->request->deadline + MARGIN_MS,
	};
	enum child_end end = CHILD_KILLED;
	void *result = NULL;
	enum err err = child_run(&work, &result, &end, e);

	if (err)
		return err;
	err = take(t, result, end, e);
	child_result_free(result, work.result_size);
	return err;
}
