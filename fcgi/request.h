#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "fcgi/path.h"

/*
 * How a request came in and how its answer goes out: what FastCGI and CGI (RFC 3875) have in
 * common. The worker, the CGI program and the tests each fill one in.
 */
struct transport {
	char **params; /* "NAME=value", NULL at the end */
	void *ctx;
	size_t (*read)(void *ctx, void *data, size_t len); /* less than len: the body ends */
	bool (*write)(void *ctx, const void *data, size_t len);
	void (*end)(void *ctx); /* the answer is whole, params are gone; NULL: on return only */
};

#define REQUEST_ID_MIN 8
#define REQUEST_ID_MAX 64

/*
 * A request as the web server passes it on. Texts are borrowed from the
 * transport's parameters and are never NULL. The body is not read before
 * request_read_body().
 */
struct request {
	const struct transport *transport;
	const char *method;
	const char *path;   /* "/events"; the empty path and "/" are the same */
	enum path which;    /* the same */
	const char *remote; /* address of the client, or "unknown" */
	char id[REQUEST_ID_MAX + 1];
	bool length_told; /* both are set by request_check_length() */
	size_t length;	  /* of the body; if not told, its limit */
	struct buf body;
};

void request_init(struct request *request, const struct transport *transport);
void request_fini(struct request *request);

/* A parameter's value; "" if it is not there. Borrowed. */
const char *request_param(const struct request *request, const char *name);

/*
 * Looks at the parameters alone, before a byte of the body is read. ERR_MALFORMED: there is no
 * length, or it is not a number; ERR_TOO_LARGE: more than max bytes. A chunked body (RFC 9112,
 * section 7.1) has no length where the web server passes it on piece by piece, as Apache's
 * mod_fcgid and mod_cgi do: it is read to its end.
 */
enum err request_check_length(struct request *request, size_t max, struct error *e) must_check;

/*
 * ERR_UNSUPPORTED for a media type that is clearly neither JSON nor XML. UEM does not document
 * which one it sends, so a missing or unknown type is accepted, and the body shows which format it
 * is.
 */
enum err request_check_type(const struct request *request, struct error *e) must_check;

/*
 * Reads the whole body. ERR_MALFORMED: it ends early; ERR_TOO_LARGE: a body without a length is
 * longer than its limit; ERR_INTERNAL.
 */
enum err request_read_body(struct request *request, struct error *e) must_check;

#endif
