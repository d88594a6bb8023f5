#ifndef FCGI_GATEWAY_H
#define FCGI_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The web server's end of one request: what FastCGI and CGI (RFC 3875) have in
 * common. The worker, the CGI program and the tests each have one.
 */
struct gateway {
	char **params; /* "NAME=value", NULL at the end */
	void *ctx;
	size_t (*read)(void *ctx, void *data, size_t len); /* less than len: the body ends */
	bool (*write)(void *ctx, const void *data, size_t len);
	void (*end)(void *ctx); /* the answer is whole, params are gone; NULL: on return only */
};

#endif
