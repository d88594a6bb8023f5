#ifndef CHECK_WEB_SERVER_H
#define CHECK_WEB_SERVER_H

#include <stdbool.h>

/* A web server, where distributions put it. */
struct web_server {
	const char *folder; /* of its configuration */
	const char *unit;   /* of systemd */
};

#define WEB_SERVER_COUNT 3
extern const struct web_server web_servers[WEB_SERVER_COUNT];

/* Given to check --web-server in place of a folder: do not check the web server. */
#define WEB_SERVER_NONE "none"
bool web_server_is_none(const char *web_server);

/* A line, or the name of a file, with one of these is about the handler. */
#define WEB_MENTION "certprov"
#define WEB_MACRO_MENTION "Certprov" /* Apache's macros */

/*
 * Calls each for every file in that folder of dir, with its path; "." is dir itself. Hidden files
 * are skipped.
 */
void web_server_files(
	const char *dir, const char *folder, void (*each)(void *ctx, const char *path), void *ctx);

#endif
