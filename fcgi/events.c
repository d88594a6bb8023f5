#include "fcgi/route.h"

/* Test Connection of the UEM console: whoever gets here has shown credentials. */
enum err events_test(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	(void)service;
	(void)request;
	(void)e;
	response->content_type = "text/plain";
	buf_puts(&response->body, "OK");
	return ERR_OK;
}

enum err events_post(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	const char *body = request->body.data ? request->body.data : "";
	struct outcome outcome = {.kind = OUTCOME_IGNORED};
	enum err err = provider_handle(service->provider, body, request->body.len, &outcome, e);

	if (err)
		return err;
	response->status = outcome.kind == OUTCOME_DELIVERED ? 202 : 200;
	response->content_type = "application/json";
	outcome_json(&outcome, &response->body);
	outcome_fini(&outcome);
	return ERR_OK;
}
