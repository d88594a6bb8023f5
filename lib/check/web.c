/*
 * The web server in front of the handler: do its limits and its socket fit ours? Where requests
 * are passed on is judged in web_places.c, the syntax by the server itself (web_syntax.c).
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/subject.h"
#include "check/web_places.h"
#include "check/web_server.h"
#include "check/web_settings.h"
#include "check/web_syntax.h"

#define ABOUT "web server"

/* Seconds beside what CAs and gateways may take: for keys, and for the store when it is busy. */
#define TIMEOUT_BESIDE 10
#define TIMEOUT_DEFAULT 60 /* of both servers */

static void check_limits(struct check *c, const char *dir, const struct web_values *values)
{
	int64_t timeout = values->timeout < 0 ? TIMEOUT_DEFAULT : values->timeout;
	int64_t need = config_longest(c->config) + TIMEOUT_BESIDE;
	size_t body = c->config->events.max_body;

	if (timeout < need)
		finding_warn(c, ABOUT,
			"in %s it waits %lld s for our answer, which may take %lld s (timeout in "
			"[ca] for each usage, in [escrow], and %d s for the rest)" FIX
			"raise fastcgi_read_timeout (Apache: timeout) or lower ours",
			dir, (long long)timeout, (long long)need, TIMEOUT_BESIDE);
	if (values->body_max >= 0 && (uint64_t)values->body_max < body)
		finding_warn(c, ABOUT,
			"in %s it accepts events of %lld bytes, and [events] max-body is %zu" FIX
			"raise client_max_body_size (Apache: LimitRequestBody) or lower ours",
			dir, (long long)values->body_max, body);
}

/* 0, or why nobody can be reached there. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), fault = 0;

	if (fd < 0)
		return errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fault = errno == EAGAIN || errno == EINPROGRESS ? 0 : errno;
	close(fd);
	return fault;
}

static void check_socket_user(struct check *c, const char *dir, const struct web_settings *settings)
{
	const char *socket = settings->values.socket, *user = settings->user;
	char blocked[PATH_MAX] = "";
	struct account account;

	if (!*user)
		return;
	if (!account_named(user, &account))
		finding_warn(c, ABOUT,
			"in %s it runs as user %s, which does not exist here" FIX
			"correct user there",
			dir, user);
	else if (!account_may(&account, socket, W_OK, blocked))
		finding_warn(c, ABOUT,
			"%s is closed to its user %s by the mode of %s" FIX
			"add that user to the group that owns the socket, and restart the web "
			"server",
			socket, user, blocked);
}

static void check_socket(struct check *c, const char *dir, const struct web_settings *settings)
{
	const char *socket = settings->values.socket;
	int fault = try_connect(socket);

	if (fault == ENOENT)
		finding_warn(c, ABOUT,
			"%s, where %s looks for the handler, is not there" FIX
			"start certprov.fcgi -s %s, or correct the path",
			socket, dir, socket);
	else if (fault == ECONNREFUSED)
		finding_warn(c, ABOUT, "no process serves %s" FIX "start certprov.fcgi -s %s",
			socket, socket);
	else if (fault && fault != EACCES)
		finding_warn(c, ABOUT,
			"%s is not a socket of the handler (%s)" FIX "correct the path in %s",
			socket, strerror(fault), dir);
	else
		check_socket_user(c, dir, settings);
}

static void check_server(struct check *c, const char *dir, const struct web_settings *settings)
{
	unsigned before = c->faults;

	check_limits(c, dir, &settings->values);
	if (*settings->values.socket)
		check_socket(c, dir, settings);
	if (c->faults == before) { /* else its own test says the same once more */
		finding_good(c, ABOUT, "%s", dir);
		check_web_syntax(c, dir);
	}
	check_web_places(c, dir);
}

/* Our files alone, which a package has put there, do nothing. */
static void warn_of_none(struct check *c, const char *beneath, const char *prepared)
{
	if (prepared)
		finding_warn(c, ABOUT,
			"%s has our files, but no server there uses them" FIX
			"write \"include snippets/certprov.conf;\" into the server that speaks TLS "
			"(Apache: \"Use CertprovProxy /certprov certprov\" into its virtual host), "
			"name another folder with --web-server DIR, or say --web-server none",
			prepared);
	else
		finding_warn(c, ABOUT,
			"no file in use beneath %s mentions certprov" FIX
			"put nginx's files there (see README), name the folder with --web-server "
			"DIR, or say --web-server none",
			beneath);
}

static void check(struct check *c)
{
	const char *dirs[WEB_SERVER_COUNT] = {c->web_server}, *prepared = NULL;
	size_t count = c->web_server ? 1 : WEB_SERVER_COUNT;
	struct web_settings settings;
	char absolute[PATH_MAX];
	bool used = false;

	if (web_server_is_none(c->web_server))
		return;
	if (c->web_server && realpath(c->web_server, absolute))
		dirs[0] = absolute;
	for (size_t i = 0; i < count; i++) {
		dirs[i] = c->web_server ? dirs[i] : web_servers[i].folder;
		web_settings_read(dirs[i], &settings);
		used |= settings.used;
		if (settings.used)
			check_server(c, dirs[i], &settings);
		if (settings.found && !prepared)
			prepared = dirs[i];
	}
	if (!used)
		warn_of_none(c, c->web_server ? dirs[0] : "/etc/nginx, /etc/apache2 and /etc/httpd",
			prepared);
}

const struct check_subject subject_web = {check, NULL};
