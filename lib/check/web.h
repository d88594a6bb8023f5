#ifndef CHECK_WEB_H
#define CHECK_WEB_H

#include "config/config.h"
#include "provider/provider.h"

/* The findings about a web server: the worst is kept. */
struct web_report {
	provider_report *report;
	void *ctx;
	enum err worst;
	unsigned faults; /* warnings, too */
};

/* A finding that works but needs attention; a fault. */
void web_warns(struct web_report *r, const char *what, const char *fmt, ...) printf_like(3, 4);
void web_fails(struct web_report *r, const char *what, const char *fmt, ...) printf_like(3, 4);

/*
 * Does the web server's configuration fit ours? Looks into dir, a folder like /etc/nginx or
 * /etc/apache2; NULL: into those. It skips parts that it cannot follow (includes from elsewhere,
 * macros, variables). Returns the worst of what it found, or ERR_OK.
 */
enum err check_web(const struct config *config, const char *dir, provider_report *report,
	void *ctx) must_check;

#define WEB_SERVER_NONE "none" /* --web-server: do not look for it */

/* True if the server whose files are in dir passes requests on to us. */
bool check_web_uses(const char *dir);

/* For check_web(). check_place.c: where requests are passed on to us. */
void check_places(const struct config *config, const char *dir, struct web_report *report);
/* check_syntax.c: what nginx -t or apache2ctl configtest says of the files in dir. */
void check_syntax(const char *dir, struct web_report *report);

#endif
