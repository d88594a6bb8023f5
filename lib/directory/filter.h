#ifndef DIRECTORY_FILTER_H
#define DIRECTORY_FILTER_H

#include "base/buf.h"
#include "base/error.h"

/* Appends a value as a filter takes it literally: no character of it has a meaning (RFC 4515, 3).
 */
void filter_escape(struct buf *out, const char *value);

/* ERR_CONFIG if the filter, with its values in it, is none. Nothing is sent. */
enum err filter_check(const char *filter, struct error *e) must_check;

/* Returns true if each {name} in a template of a filter stands for a value, or a part of one. */
bool filter_names_are_values(const char *template);

#endif
