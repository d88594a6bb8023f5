#ifndef FCGI_RESPONSE_H
#define FCGI_RESPONSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "fcgi/request.h"

/* The statuses that we give, ascending; all others are the last, 0. */
#define RESPONSE_STATUS_COUNT 15
extern const int response_statuses[RESPONSE_STATUS_COUNT];
size_t response_status(int status); /* its number */

/* An answer in the making. Headers outlive a change of mind: a problem keeps them. */
struct response {
	int status;
	const char *content_type;  /* of the body; NULL: there is none */
	const char *cache_control; /* NULL: no-store */
	char cache_text[48];	   /* where cache_control may point at */
	struct buf headers;	   /* further ones, whole lines */
	struct buf body;
	size_t length; /* of a body that was not made, because the method is HEAD */
};

void response_init(struct response *response);
void response_fini(struct response *response);

/* The value is ours: it has no control characters. */
void response_header(struct response *response, const char *name, const char *fmt, ...)
	printf_like(3, 4);

/* ERR_INTERNAL if the answer grew too large or memory ran out. */
enum err response_check(const struct response *response, struct error *e) must_check;

/*
 * Writes it as a CGI response (RFC 3875, section 6.3): Status line, headers, and
 * the body unless the method is HEAD. ERR_UNAVAILABLE if the web server does not take it.
 */
enum err response_send(
	const struct response *response, const struct request *request, struct error *e) must_check;

#endif
