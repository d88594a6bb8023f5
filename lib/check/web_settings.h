#ifndef CHECK_WEB_SETTINGS_H
#define CHECK_WEB_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "check/account.h"

#define WEB_SOCKET_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* What those parts of a web server's configuration set that are about the handler. */
struct web_values {
	int64_t timeout;  /* seconds, the shortest; -1: none is set */
	int64_t body_max; /* bytes, the least; -1: none is set */
	char socket[WEB_SOCKET_SIZE];
};

struct web_settings {
	bool found; /* a file mentions the handler */
	bool used;  /* requests are passed on to the handler */
	struct web_values values;
	char user[ACCOUNT_NAME_SIZE]; /* that the server runs as; "": not set */
};

/*
 * Reads the files in use in dir, a folder like /etc/nginx or /etc/apache2. Parts that cannot be
 * followed (includes from elsewhere, macros, variables) are skipped.
 */
void web_settings_read(const char *dir, struct web_settings *out);

#endif
