/*
 * Decides if a web server has verified the name in REMOTE_USER. Passwords are checked by the web
 * server, or in auth.c.
 */
#include "fcgi/web_server_auth.h"

#include <string.h>

#include "config/config.h"

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * AUTH_TYPE (RFC 3875, section 4.1.1) is set by servers that verify before they set REMOTE_USER;
 * Apache leaves it out where another module than mod_auth_* verified the name (SSLUserName). nginx
 * sends both as its configuration says, whether a password was checked or not.
 */
static bool is_verified(const struct request *request)
{
	const char *server = request_param(request, "SERVER_SOFTWARE");

	if (strcmp(request_param(request, AUTHENTICATED_PARAM), AUTHENTICATED_VALUE) == 0)
		return true;
	if (begins_with(server, "nginx"))
		return false;
	return begins_with(server, "Apache") || *request_param(request, "AUTH_TYPE");
}

enum err web_server_auth_check(
	const struct request *request, enum auth_failure *why, struct error *e)
{
	if (!*request_param(request, "REMOTE_USER")) {
		*why = AUTH_NO_REMOTE_USER;
		return error_set(e, ERR_UNAUTHENTICATED,
			"the web server did not pass REMOTE_USER: it must authenticate the client, "
			"as [events] authenticate = web-server says");
	}
	if (!is_verified(request)) {
		*why = AUTH_UNVERIFIED_USER;
		return error_set(e, ERR_UNAUTHENTICATED,
			"the web server passed REMOTE_USER without " AUTHENTICATED_PARAM
			", so the name may be unverified: let nginx check the password with "
			"snippets/certprov-web-server-auth.conf, or set [events] authenticate = "
			"basic");
	}
	return ERR_OK;
}
