/* POST and GET of /events: here the status of an answer to an event is decided, 202 or 200. */
#include "fcgi/events.h"

#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "provider/handle_event.h"

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

void events_log_unrecorded(const struct request *request, const struct error *cause)
{
	struct buf body = BUF_INIT(6 * request->body.len);
	char message[CAUSE_MAX + 128];

	json_one_line(request->body.data ? request->body.data : "", request->body.len, &body);
	snprintf(message, sizeof(message),
		"an event could not be recorded (%.*s); once that is fixed, pass the rest of this "
		"line to \"certprov enroll -\":",
		CAUSE_MAX, cause->text);
	log_with_body(LOG_LEVEL_ERROR, message, body.failed || !body.len ? "{}" : body.data);
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
