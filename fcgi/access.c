/*
 * Checks who sent a request: by [events] users-file, [admin] users-file or the web server, as the
 * route needs. Passwords are compared in auth.c.
 */
#include "fcgi/access.h"

#include <string.h>

#include "fcgi/web_server_auth.h"

static enum err check_basic(struct service *service, struct auth *auth, const char *realm,
	const struct request *request, struct response *response, struct error *e)
{
	const char *given = request_param(request, "HTTP_AUTHORIZATION");
	enum err err;

	if (!*given) /* its name where Apache's mod_rewrite passes it to a CGI program */
		given = request_param(request, "REDIRECT_HTTP_AUTHORIZATION");
	err = auth_check(auth, given, request->remote, e);
	if (err == ERR_UNAUTHENTICATED) {
		response_header(response, "WWW-Authenticate",
			"Basic realm=\"%s\", charset=\"UTF-8\"", realm);
		handler_counters_refused(service->counters, auth_failure(auth));
	}
	return err;
}

static enum err check_events(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	enum auth_failure why = AUTH_NO_REMOTE_USER;
	enum err err = error_set(e, ERR_INTERNAL, "unknown kind of authentication");

	switch (service->config->events.authenticate) {
	case AUTHENTICATE_BASIC:
		err = check_basic(service, service->auth, "certprov", request, response, e);
		break;
	case AUTHENTICATE_WEB_SERVER:
		err = web_server_auth_check(request, &why, e);
		if (err)
			handler_counters_refused(service->counters, why);
		break;
	case AUTHENTICATE_NONE:
		err = ERR_OK;
		break;
	}
	/* Only posts: people try the URL with GET. */
	if (strcmp(request->method, "POST") == 0 && (!err || err == ERR_UNAUTHENTICATED))
		handler_counters_event_access(service->counters, !err);
	return err;
}

enum err access_check(struct service *service, enum access access, const struct request *request,
	struct response *response, struct error *e)
{
	switch (access) {
	case ACCESS_ALL:
		return ERR_OK;
	case ACCESS_EVENTS:
		return check_events(service, request, response, e);
	case ACCESS_ADMIN:
		return check_basic(service, service->admin, "certprov admin", request, response, e);
	}
	return error_set(e, ERR_INTERNAL, "unknown kind of access");
}
