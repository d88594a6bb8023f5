#ifndef UNIT_FAKE_GATEWAY_H
#define UNIT_FAKE_GATEWAY_H

#include <stdbool.h>

#include "base/buf.h"
#include "fcgi/gateway.h"

/* A web server in memory: what it sends, and what it has got back. */
struct fake_gateway {
	struct gateway gateway;
	char *params[24];
	size_t param_count;
	const char *body;
	size_t body_len, body_read;
	bool gone; /* takes no answer */
	struct buf answer;
};

/* body may be NULL; it is borrowed, and its length is told as CONTENT_LENGTH. */
void fake_gateway_init(
	struct fake_gateway *fake, const char *method, const char *path, const char *body);
void fake_gateway_fini(struct fake_gateway *fake);
void fake_gateway_param(struct fake_gateway *fake, const char *name, const char *value);

/* Of the answer. Header: borrowed until the next call, NULL if there is none. */
int fake_gateway_status(const struct fake_gateway *fake);
const char *fake_gateway_header(const struct fake_gateway *fake, const char *name);
const char *fake_gateway_body(const struct fake_gateway *fake);

#endif
