#ifndef UNIT_FAKE_SERVER_H
#define UNIT_FAKE_SERVER_H

#include <stdbool.h>

#include "base/buf.h"
#include "fcgi/request.h"

/* A web server in memory: what it sends, and what it has got back. */
struct fake_server {
	struct transport transport;
	char *params[24];
	size_t param_count;
	const char *body;
	size_t body_len, body_read;
	bool gone; /* takes no answer */
	struct buf answer;
};

/* body may be NULL; it is borrowed, and its length is told as CONTENT_LENGTH. */
void fake_server_init(
	struct fake_server *fake, const char *method, const char *path, const char *body);
void fake_server_fini(struct fake_server *fake);
void fake_server_param(struct fake_server *fake, const char *name, const char *value);

/* Of the answer. Header: borrowed until the next call, NULL if there is none. */
int fake_server_status(const struct fake_server *fake);
const char *fake_server_header(const struct fake_server *fake, const char *name);
const char *fake_server_body(const struct fake_server *fake);

#endif
