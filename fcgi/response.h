#ifndef FCGI_RESPONSE_H
#define FCGI_RESPONSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "fcgi/request.h"

/* The statuses of our answers, ascending; the last, 0, is for all others. */
#define RESPONSE_STATUS_COUNT 15
extern const int response_statuses[RESPONSE_STATUS_COUNT];
size_t response_status_index(int status);

/* An answer that is being made. Its headers stay when it becomes that of an error. */
struct response {
	int status;
	const char *content_type;  /* of the body; NULL: there is none */
	const char *cache_control; /* NULL: no-store */
	char cache_text[48];	   /* room for cache_control */
	struct buf headers;	   /* further ones, whole lines */
	struct buf body;
	size_t length; /* of a body that is not made, as the method is HEAD; else 0 */
};

void response_init(struct response *response);
void response_fini(struct response *response);

/* The caller sees to it that the value has no control characters. */
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
