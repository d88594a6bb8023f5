#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H

#include <stdbool.h>

#include "base/error.h"
#include "fcgi/access.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

/* Fills the response; for an error, which it returns, the caller does. */
typedef enum err route_handler(struct service *service, const struct request *request,
	struct response *response, struct error *e);

/* The function for a method at a path. */
struct route {
	enum path path;
	const char *method;
	enum access access;
	bool body; /* it reads one */
	route_handler *handle;
};

/*
 * admin: false if the paths for [admin] do not exist. HEAD is allowed wherever GET is.
 * ERR_NOT_FOUND; ERR_METHOD, with the header Allow (RFC 9110, section 10.2.1) put into the
 * response.
 */
enum err route_find(const struct request *request, bool admin, struct response *response,
	const struct route **out, struct error *e) must_check;

#endif
