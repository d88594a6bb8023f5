#ifndef FCGI_WEB_SERVER_AUTH_H
#define FCGI_WEB_SERVER_AUTH_H

#include "base/error.h"
#include "fcgi/auth.h"
#include "fcgi/request.h"

/*
 * [events] authenticate = web-server: did the web server authenticate the client? It must pass
 * REMOTE_USER and show that it has verified that name. Apache sets it only then; nginx takes it
 * from the Authorization header in any case, so it must pass AUTHENTICATED_PARAM, too.
 * ERR_UNAUTHENTICATED: its text is for the log alone, *why for the metrics.
 */
enum err web_server_auth_check(
	const struct request *request, enum auth_failure *why, struct error *e) must_check;

#endif
