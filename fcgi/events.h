#ifndef FCGI_EVENTS_H
#define FCGI_EVENTS_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

/* POST /events: an event notification; its errors are those of provider_handle(). */
enum err events_post(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

/* GET /events: Test Connection of the UEM console, whose credentials were checked before. */
enum err events_get(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

/*
 * Logs an event that the store could not take, whole and in one line, so that it can be handed in
 * later. It was admitted; it need not be JSON.
 */
void events_log_unrecorded(const struct request *request, const struct error *cause);

#endif
