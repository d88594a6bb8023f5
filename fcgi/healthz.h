#ifndef FCGI_HEALTHZ_H
#define FCGI_HEALTHZ_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

/* GET /healthz: can events be recorded? ERR_UNAVAILABLE: no. */
enum err healthz_get(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

#endif
