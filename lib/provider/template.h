#ifndef PROVIDER_TEMPLATE_H
#define PROVIDER_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "uem/event.h"

/*
 * Texts of the configuration with {names} in them: the event's fields by their
 * JSON keys, what UEM says of the user as {uem.emailAddress} and the like, and a
 * few values that were worked out before.
 */
struct template_values {
	const struct event *event;
	const char *mail; /* {mail}; NULL: {mail} is an error here */
	const char *name; /* {name}; NULL: {name} is an error here */
	bool whole;	  /* a field that was cut is refused, too */
	/* appends a value in the words of another language; NULL: literally */
	void (*append)(struct buf *out, const char *value);
};

/*
 * Appends text to out with every {name} replaced. ERR_CONFIG for a name that does not exist and for
 * a brace without its partner. ERR_UNPROCESSABLE, with the field, if the field's value has lost
 * characters. values->event NULL: checks the text only.
 */
enum err template_expand(const char *text, const struct template_values *values, struct buf *out,
	struct error *e) must_check;

/* True if a {name} in the text, which template_expand() takes, has no value. */
bool template_lacks_value(const char *text, const struct template_values *values);

/* The first {name} in the text, without its braces; "" if there is none. */
void template_first_name(const char *text, char *out, size_t size);

#endif
