#ifndef CHECK_WEB_FOLDER_H
#define CHECK_WEB_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Where a web server passes requests on to us, as its files say: a location of nginx, a virtual
 * host of Apache. For check_web*.c.
 */
struct web_place {
	char file[PATH_MAX]; /* where that stands */
	unsigned line;
	bool events;		    /* not only lists, metrics or the status page */
	bool tls;		    /* its server speaks TLS */
	bool local;		    /* its server listens on unix sockets alone */
	bool verifies;		    /* it asks for a password, a certificate, or another server */
	bool user;		    /* REMOTE_USER is passed on, or set */
	bool proof;		    /* … and our parameter that says it was verified */
	char certificate[PATH_MAX]; /* "": none is named */
	uint16_t port;		    /* that its server listens on; 0: unknown */
};

typedef void web_found(void *ctx, const struct web_place *place);

/*
 * Calls found for each one in dir (absolute). Reads what is included by name beneath dir; http { }
 * passes on what it says to the files in the folders that are included by wildcards.
 */
void web_nginx(const char *dir, web_found *found, void *ctx);
void web_apache(const char *dir, web_found *found, void *ctx);

/*
 * Calls each for every file in that folder of dir that is in use; "." is dir itself. each gets
 * the path.
 */
void web_folder(
	const char *dir, const char *folder, void (*each)(void *ctx, const char *path), void *ctx);

#endif
