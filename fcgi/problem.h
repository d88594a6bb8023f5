#ifndef FCGI_PROBLEM_H
#define FCGI_PROBLEM_H

#include "base/error.h"
#include "fcgi/response.h"

/*
 * Turns an error into the answer, as application/problem+json (RFC 9457), with Retry-After where
 * the same request may do later. Texts that error_meaning() does not make public stay in the log.
 * Headers that are set already remain.
 */
void problem_fill(struct response *response, const struct error *e);

#endif
