/* POST and GET of /events: here the status of an answer to an event is decided, 202 or 200. */
#include "fcgi/events.h"

#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xml_text.h"
#include "provider/handle_event.h"
#include "uem/event.h"
#include "uem/event_print.h"

#define CAUSE_MAX 512

enum err events_get(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	(void)service;
	(void)request;
	(void)e;
	response->content_type = "text/plain";
	buf_puts(&response->body, "OK");
	return ERR_OK;
}

/* The event as one line of JSON; "{}" if it is XML that would be refused. */
static void print_line(const char *body, size_t len, struct buf *out)
{
	struct event *event = NULL;
	struct error refused;

	if (xml_text_encoding(body, len) == XML_TEXT_NONE)
		json_one_line(body, len, out);
	else if (!event_parse(body, len, &event, &refused))
		event_print(event, out);
	event_free(event);
	if (out->failed || !out->len) {
		buf_reset(out);
		buf_puts(out, "{}");
	}
}

void events_log_unrecorded(const struct request *request, const struct error *cause)
{
	struct buf body = BUF_INIT(6 * request->body.len + sizeof("{}"));
	char message[CAUSE_MAX + 128];

	print_line(request->body.data ? request->body.data : "", request->body.len, &body);
	snprintf(message, sizeof(message),
		"an event could not be recorded (%.*s); once that is fixed, pass the rest of this "
		"line to \"certprov enroll -\":",
		CAUSE_MAX, cause->text);
	log_with_body(LOG_LEVEL_ERROR, message, body.data ? body.data : "{}");
	buf_free(&body);
}

enum err events_post(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	const char *body = request->body.data ? request->body.data : "";
	struct event_result result = {.kind = RESULT_IGNORED};
	enum err err;

	err = provider_handle(service->provider, body, request->body.len, &result, e);
	if (err && !result.recorded && error_meaning(err)->retry)
		events_log_unrecorded(request, e);
	if (err)
		return err;
	response->status = result.kind == RESULT_DELIVERED ? 202 : 200;
	response->content_type = "application/json";
	event_result_json(&result, &response->body);
	event_result_fini(&result);
	return ERR_OK;
}
