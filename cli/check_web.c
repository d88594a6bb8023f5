#include "cli/check_web.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/account.h"
#include "base/file.h"
#include "base/text.h"

#define WHAT "web server"
#define MENTION "certprov" /* what has not got it, in its name or text, is none of ours */
#define BLANKS " \t"
#define VALUE_ENDS " \t;\"'|"

/* Seconds beside what CAs and gateways may take: for keys, and for the store when it is busy. */
#define TIMEOUT_BESIDE 10
#define TIMEOUT_DEFAULT 60 /* of both servers */

#define SOCKET_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

/* What the files of a server say. */
struct web {
	const struct config *config;
	provider_report *report;
	void *ctx;
	const char *dir;
	bool found; /* a file of it mentions us */
	unsigned faults;
	int64_t timeout;  /* seconds, the shortest; -1: none is set */
	int64_t body_max; /* bytes, the least; -1: none is set */
	char socket[SOCKET_MAX];
	char user[ACCOUNT_NAME_SIZE];
};

static void warn(struct web *w, const char *fmt, ...) printf_like(2, 3);
static void warn(struct web *w, const char *fmt, ...)
{
	char text[2 * ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	w->report(w->ctx, WHAT, ERR_OK, true, text);
	w->faults++;
}

/* --- values */

/* The first word of a value. False if it is too long. */
static bool word(const char *value, char *out, size_t size)
{
	size_t len;

	value += strspn(value, BLANKS "\"'=");
	len = strcspn(value, VALUE_ENDS);
	if (len == 0 || len >= size)
		return false;
	memcpy(out, value, len);
	out[len] = '\0';
	return true;
}

static void least(int64_t *out, int64_t value)
{
	if (*out < 0 || value < *out)
		*out = value;
}

/* "90", "90s", "2m": seconds without a unit. */
static void set_timeout(struct web *w, const char *value)
{
	char text[32];
	int64_t seconds;

	if (word(value, text, sizeof(text)) && (text_number(text, INT32_MAX, &seconds) ||
						       text_duration(text, INT32_MAX, &seconds)))
		least(&w->timeout, seconds);
}

/* "131072", "128k", "1m"; 0 is no limit at all. */
static void set_body_max(struct web *w, const char *value)
{
	char text[32];
	int64_t size;

	if (word(value, text, sizeof(text)) && text_size(text, INT64_MAX, &size) && size > 0)
		least(&w->body_max, size);
}

/* A place with a variable in it is known to the server alone. */
static void set_socket(struct web *w, const char *value)
{
	char path[SOCKET_MAX];

	if (word(value, path, sizeof(path)) && *path == '/' && !strchr(path, '$'))
		memcpy(w->socket, path, sizeof(path));
}

static void set_user(struct web *w, const char *value)
{
	char name[ACCOUNT_NAME_SIZE];

	if (word(value, name, sizeof(name)) && *name != '$')
		memcpy(w->user, name, sizeof(name));
}

/* --- lines */

static const struct directive {
	const char *name;
	bool anywhere; /* in a line; else at its start */
	bool ours;     /* only in a file that mentions us */
	void (*set)(struct web *w, const char *value);
} directives[] = {
	/* nginx */
	{"fastcgi_read_timeout ", false, true, set_timeout},
	{"client_max_body_size ", false, true, set_body_max},
	{"user ", false, false, set_user},
	/* Apache; Debian has its user in envvars */
	{"ProxyTimeout ", false, true, set_timeout},
	{"FcgidIOTimeout ", false, true, set_timeout},
	{" timeout=", true, true, set_timeout},
	{"LimitRequestBody ", false, true, set_body_max},
	{"FcgidMaxRequestLen ", false, true, set_body_max},
	{"User ", false, false, set_user},
	{"export APACHE_RUN_USER=", false, false, set_user},
	/* both */
	{"unix:", true, true, set_socket},
};

static void read_line(struct web *w, char *line, bool ours)
{
	line = text_trim(line);
	for (char *p = line; *p; p++)
		*p = *p == '\t' ? ' ' : *p;
	if (*line == '#')
		return;
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		const struct directive *d = &directives[i];
		size_t len = strlen(d->name);
		const char *at = d->anywhere			    ? strstr(line, d->name)
				 : strncmp(line, d->name, len) == 0 ? line
								    : NULL;

		if (at && (ours || !d->ours))
			d->set(w, at + len);
	}
}

static void read_conf(struct web *w, const char *path)
{
	struct blob content = {NULL, 0};
	struct error e;
	char *text, *line;
	bool ours;

	if (file_read(path, &content, &e))
		return; /* sockets, folders, what is closed to us */
	text = (char *)content.data;
	ours = strstr(strrchr(path, '/'), MENTION) || strstr(text, MENTION);
	w->found |= ours;
	while ((line = strsep(&text, "\n")) != NULL)
		read_line(w, line, ours);
	blob_free(&content);
}

/* Files that are in use, not those that could be. */
static void read_folder(struct web *w, const char *name)
{
	char folder[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir;

	if (snprintf(folder, sizeof(folder), "%s/%s", w->dir, name) >= (int)sizeof(folder))
		return;
	dir = opendir(folder);
	while (dir && (entry = readdir(dir)) != NULL)
		if (*entry->d_name != '.' && snprintf(path, sizeof(path), "%s/%s", folder,
						     entry->d_name) < (int)sizeof(path))
			read_conf(w, path);
	if (dir)
		closedir(dir);
}

static void read_all(struct web *w)
{
	static const char *const folders[] = {
		".", "conf.d", "conf-enabled", "http.d", "sites-enabled", "snippets", "vhosts.d"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		read_folder(w, folders[i]);
}

/* --- does it fit? */

static void check_limits(struct web *w)
{
	int64_t timeout = w->timeout < 0 ? TIMEOUT_DEFAULT : w->timeout;
	int64_t need = config_longest(w->config) + TIMEOUT_BESIDE;
	size_t body = w->config->events.max_body;

	if (timeout < need)
		warn(w,
			"in %s it waits %lld s for our answer, which may take %lld s (timeout in "
			"[ca] for each usage, in [escrow], and %d s for the rest): raise "
			"fastcgi_read_timeout (Apache: "
			"timeout) or lower ours",
			w->dir, (long long)timeout, (long long)need, TIMEOUT_BESIDE);
	if (w->body_max >= 0 && (uint64_t)w->body_max < body)
		warn(w,
			"in %s it takes events of %lld bytes, and [events] max-body is %zu: raise "
			"client_max_body_size (Apache: LimitRequestBody) or lower ours",
			w->dir, (long long)w->body_max, body);
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

static void check_socket_user(struct web *w)
{
	char blocked[PATH_MAX] = "";
	struct account account;

	if (!*w->user)
		return;
	if (!account_named(w->user, &account))
		warn(w, "in %s it runs as user %s, who does not exist here: correct user there",
			w->dir, w->user);
	else if (!account_may(&account, w->socket, W_OK, blocked))
		warn(w,
			"%s is closed to its user %s by the mode of %s: add that user to the group "
			"that owns the socket, and restart the web server",
			w->socket, w->user, blocked);
}

static void check_socket(struct web *w)
{
	int fault = try_connect(w->socket);

	if (fault == ENOENT)
		warn(w,
			"%s, where %s looks for the handler, is not there: start certprov.fcgi "
			"-s %s, or correct the path",
			w->socket, w->dir, w->socket);
	else if (fault == ECONNREFUSED)
		warn(w, "nobody serves %s: start certprov.fcgi -s %s", w->socket, w->socket);
	else if (fault && fault != EACCES)
		warn(w, "%s is no socket of the handler's (%s): correct the path in %s", w->socket,
			strerror(fault), w->dir);
	else
		check_socket_user(w);
}

/* True if it is set up for us. */
static bool check_server(struct web *w, const char *dir)
{
	w->dir = dir;
	w->timeout = w->body_max = -1;
	read_all(w);
	if (!w->found)
		return false;
	check_limits(w);
	if (*w->socket)
		check_socket(w);
	if (w->faults == 0)
		w->report(w->ctx, WHAT, ERR_OK, false, dir);
	return true;
}

void check_web(const struct config *config, const char *dir, provider_report *report, void *ctx)
{
	static const char *const usual[] = {"/etc/nginx", "/etc/apache2", "/etc/httpd"};
	struct web w = {.config = config, .report = report, .ctx = ctx};
	bool found = false;

	for (size_t i = 0; !dir && i < ARRAY_LEN(usual); i++) {
		struct web one = w;

		found |= check_server(&one, usual[i]);
	}
	if (dir)
		found = check_server(&w, dir);
	if (!found)
		warn(&w,
			"no file in use beneath %s mentions certprov: put nginx's files there "
			"(see README), name the folder with --web-server DIR, or say --web-server "
			"none",
			dir ? dir : "/etc/nginx, /etc/apache2 and /etc/httpd");
}
