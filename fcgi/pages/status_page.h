#ifndef FCGI_PAGES_STATUS_PAGE_H
#define FCGI_PAGES_STATUS_PAGE_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

/* GET /status: HTML for people. ERR_MALFORMED: the query string; ERR_INTERNAL. */
enum err status_page_get(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

#endif
