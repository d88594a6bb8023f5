#ifndef CHECK_WEB_PLACE_H
#define CHECK_WEB_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Where a web server passes requests on to the handler, as its files say: a location of nginx, a
 * virtual host of Apache.
 */
struct web_place {
	char file[PATH_MAX]; /* and the line in it: where it is passed on */
	unsigned line;
	bool events;   /* not only lists, metrics or the status page */
	bool tls;      /* its server speaks TLS */
	bool local;    /* its server listens on unix sockets alone */
	bool verifies; /* it asks for a password or a certificate, or asks another server */
	bool user;     /* REMOTE_USER is passed on, or set */
	bool proof;    /* our parameter that says the user was verified is passed on, too */
	char certificate[PATH_MAX]; /* "": none is named */
	uint16_t port;		    /* that its server listens on; 0: unknown */
};

typedef void web_place_found(void *ctx, const struct web_place *place);

#endif
