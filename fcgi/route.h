#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H

#include <stdbool.h>

#include "base/error.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

typedef enum err route_handler(struct service *service, const struct request *request,
	struct response *response, struct error *e);

enum access {
	ACCESS_ALL,
	ACCESS_EVENTS, /* users who may post events */
	ACCESS_ADMIN,  /* [admin]; without it there is no such path */
};

/* The function for a method at a path. */
struct route {
	enum path path;
	const char *method;
	enum access access;
	bool body; /* it takes one */
	route_handler *handle;
};

/*
 * admin: whether there are paths for [admin]. HEAD is taken wherever GET is. ERR_NOT_FOUND;
 * ERR_METHOD, with the header Allow (RFC 9110, section 10.2.1) put into the response.
 */
enum err route_find(const struct request *request, bool admin, struct response *response,
	const struct route **out, struct error *e) must_check;

/* The handlers: events.c, pages.c */
route_handler events_post, events_test, page_healthz, page_ca_certificate, page_ca_crl;

/*
 * Logs an event that the store could not take, whole and in one line, so that it can be handed in
 * later. It was admitted; it need not be JSON.
 */
void events_unrecorded(const struct request *request, const struct error *cause);

#endif
