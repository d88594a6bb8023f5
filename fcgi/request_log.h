#ifndef FCGI_REQUEST_LOG_H
#define FCGI_REQUEST_LOG_H

#include <stdint.h>

#include "fcgi/request.h"
#include "fcgi/response.h"

/* result: what the request ended with; started: clock_monotonic_ms(). */
void request_log_line(const struct request *request, const struct response *response,
	const struct error *result, int64_t started);

#endif
