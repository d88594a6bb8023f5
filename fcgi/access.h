#ifndef FCGI_ACCESS_H
#define FCGI_ACCESS_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

enum access {
	ACCESS_ALL,
	ACCESS_EVENTS, /* users who may post events */
	ACCESS_ADMIN,  /* [admin]; without it there is no such path */
};

/*
 * May the sender do that? Needs nothing of the body. ERR_UNAUTHENTICATED, counted by its cause;
 * with HTTP Basic, WWW-Authenticate is put into the response. ERR_UNAVAILABLE: see auth_check().
 */
enum err access_check(struct service *service, enum access access, const struct request *request,
	struct response *response, struct error *e) must_check;

#endif
