#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/compiler.h"

/*
 * Kinds of errors, by the action that they require. A library's own codes do not leave the module
 * that calls it.
 */
enum err {
	ERR_OK = 0,
	ERR_USAGE,	     /* command line: wrong option or argument */
	ERR_CONFIG,	     /* configuration, or a file that it names, is wrong */
	ERR_MALFORMED,	     /* event: neither JSON nor XML, or a field is wrong */
	ERR_TOO_LARGE,	     /* event: over events.max-body */
	ERR_UNSUPPORTED,     /* event: a media type other than JSON and XML */
	ERR_UNPROCESSABLE,   /* event: no usable mail address or name */
	ERR_UNAUTHENTICATED, /* credentials missing or wrong */
	ERR_FORBIDDEN,	     /* the event's claim is not confirmed */
	ERR_NOT_FOUND,	     /* no such path, object or row */
	ERR_METHOD,	     /* no such method at that path */
	ERR_REFUSED,	     /* CA or gateway refused finally: needs attention */
	ERR_BARRED,	     /* a peer processed no request: needs attention, is retried slowly */
	ERR_GARBLED, /* the CA may have issued, but its answer is not understood: needs attention */
	ERR_ALTERED, /* the store was altered without the master key: needs attention */
	ERR_UNAVAILABLE, /* CA, gateway or store is unreachable or busy: try later */
	ERR_PENDING,	 /* the CA has the request but has not decided yet: ask again later */
	ERR_INTERNAL,	 /* no memory, or a fault of this program */
	ERR_COUNT
};

/* The meaning of each code to the outside: one row for each code, in one table. */
struct error_meaning {
	const char *label;  /* metric label and log value */
	int http_status;    /* answer to the web server's client */
	int exit_status;    /* of a command; sysexits(3) where it has one */
	bool retry;	    /* the same may work later */
	const char *title;  /* RFC 9457 title */
	const char *detail; /* RFC 9457 detail; NULL: the error's own text is public */
};

#define ERROR_TEXT_MAX 640
#define ERROR_FIELD_MAX 64

struct error {
	enum err code;
	char text[ERROR_TEXT_MAX];   /* for the log and standard error; no secrets in it */
	char field[ERROR_FIELD_MAX]; /* event field or configuration key at fault, or "" */
	int retry_after;	     /* seconds that the peer asked us to wait, or 0 */
};

const struct error_meaning *error_meaning(enum err code);

/*
 * Fills e and returns code, so that a failure takes one line: return error_set(e, ...). The text
 * may quote e->text.
 */
enum err error_set(struct error *e, enum err code, const char *fmt, ...) printf_like(3, 4);

/* The same, and names the field at fault. */
enum err error_field(struct error *e, enum err code, const char *field, const char *fmt, ...)
	printf_like(4, 5);

/* Puts "context: " before the text of e; returns its code. */
enum err error_context(struct error *e, const char *fmt, ...) printf_like(2, 3);

/* ERR_INTERNAL, "out of memory". */
enum err error_memory(struct error *e);

/* Code, and "what: strerror(errno)". */
enum err error_errno(struct error *e, enum err code, const char *fmt, ...) printf_like(3, 4);

#endif
