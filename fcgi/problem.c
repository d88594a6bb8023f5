/* Answers to requests that failed: application/problem+json, and the only place of Retry-After. */
#include "fcgi/problem.h"

#include <string.h>

#include "base/utf8.h"

/* Seconds that we ask a sender to wait. */
#define SENDER_WAIT_DEFAULT 60
#define SENDER_WAIT_MAX 3600

static void add_retry_after(struct response *response, int seconds)
{
	if (seconds <= 0)
		seconds = SENDER_WAIT_DEFAULT;
	if (seconds > SENDER_WAIT_MAX)
		seconds = SENDER_WAIT_MAX;
	response_header(response, "Retry-After", "%d", seconds);
}

static const char *public_detail(const struct error_meaning *meaning, const struct error *e)
{
	if (meaning->detail)
		return meaning->detail;
	if (*e->text && utf8_is_valid(e->text, strlen(e->text)))
		return e->text;
	return meaning->title; /* the text was cut in the middle of a character */
}

void problem_fill(struct response *response, const struct error *e)
{
	const struct error_meaning *meaning = error_meaning(e->code);
	struct buf *body = &response->body;

	buf_reset(body);
	buf_printf(body, "{\"type\":\"urn:certprov:problem:%s\",\"title\":", meaning->label);
	buf_json_string(body, meaning->title);
	buf_printf(body, ",\"status\":%d,\"detail\":", meaning->http_status);
	buf_json_string(body, public_detail(meaning, e));
	if (*e->field && !meaning->detail && utf8_is_valid(e->field, strlen(e->field))) {
		buf_puts(body, ",\"field\":");
		buf_json_string(body, e->field);
	}
	buf_puts(body, "}\n");
	response->status = meaning->http_status;
	response->content_type = "application/problem+json";
	response->cache_control = NULL;
	if (meaning->http_status == 503)
		add_retry_after(response, e->retry_after);
}
