#ifndef FCGI_PROBLEM_H
#define FCGI_PROBLEM_H

#include "base/error.h"
#include "fcgi/response.h"

/*
 * Turns an error into the answer: application/problem+json (RFC 9457), with Retry-After where the
 * same request may succeed later. Where error_meaning() has a detail, that is sent in place of the
 * error's text, which stays in the log. Headers that are set already remain.
 */
void problem_fill(struct response *response, const struct error *e);

#endif
