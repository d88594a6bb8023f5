#ifndef FCGI_PAGES_METRICS_PAGE_H
#define FCGI_PAGES_METRICS_PAGE_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

/* GET /metrics, with the metrics that certprov.fcgi(8) lists. */
enum err metrics_page_get(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

#endif
