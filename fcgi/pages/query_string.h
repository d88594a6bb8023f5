#ifndef FCGI_PAGES_QUERY_STRING_H
#define FCGI_PAGES_QUERY_STRING_H

#include "base/buf.h"
#include "base/error.h"

/*
 * The value of a field in a query string as forms send it (application/x-www-form-urlencoded,
 * WHATWG URL, 5.1), decoded; empty if it is not there. Appends to out, whose limit it keeps.
 * ERR_MALFORMED: it is too long, appears twice, is wrongly encoded, or is not UTF-8 without NUL.
 */
enum err query_string_find(
	const char *query, const char *name, struct buf *out, struct error *e) must_check;

#endif
