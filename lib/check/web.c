/* The web server's files: do its limits and its socket fit ours? */

#include "check/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "check/account.h"
#include "check/web_folder.h"

#define WHAT "web server"
#define MENTION "certprov"	 /* a file without it, in name or text, is not ours */
#define MACRO_MENTION "Certprov" /* Apache's macros */
#define BLANKS " \t"
#define VALUE_ENDS " \t;\"'|"

/* Seconds beside what CAs and gateways may take: for keys, and for the store when it is busy. */
#define TIMEOUT_BESIDE 10
#define TIMEOUT_DEFAULT 60 /* of both servers */

#define SOCKET_MAX sizeof(((struct sockaddr_un *)0)->sun_path)
#define BLOCKS_MAX 16 /* within each other */

/* The settings of a file or of one of its blocks, without the blocks inside. */
struct values {
	int64_t timeout;  /* seconds, the shortest; -1: none is set */
	int64_t body_max; /* bytes, the least; -1: none is set */
	char socket[SOCKET_MAX];
};

static const struct values no_values = {.timeout = -1, .body_max = -1};

/* The settings of a server's files. */
struct web {
	const struct config *config;
	struct web_report *report;
	const char *dir;
	bool found; /* a file of it mentions us */
	bool used;  /* it passes requests on to us */
	struct values values;
	char user[ACCOUNT_NAME_SIZE];
};

/* A server may serve other programs, too: other blocks' timeouts do not matter. */
struct block {
	bool ours;  /* all that stands in it: its beginning says so */
	bool about; /* something in it mentions us */
	bool macro; /* of Apache: takes effect where it is used */
	struct values values;
};

struct file {
	struct web *web;
	bool snippet; /* takes effect where it is included */
	unsigned depth;
	struct block block[BLOCKS_MAX];
};

static void tell(struct web_report *r, const char *what, enum err err, const char *fmt,
	va_list args) printf_like(4, 0);
static void tell(
	struct web_report *r, const char *what, enum err err, const char *fmt, va_list args)
{
	char text[2 * ERROR_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	r->report(r->ctx, what, err, !err, text);
	r->faults++;
	if (err)
		r->worst = err;
}

void web_warns(struct web_report *r, const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(r, what, ERR_OK, fmt, args);
	va_end(args);
}

void web_fails(struct web_report *r, const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(r, what, ERR_REFUSED, fmt, args);
	va_end(args);
}

#define warn(w, ...) web_warns((w)->report, WHAT, __VA_ARGS__)

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
static void set_timeout(struct values *out, const char *value)
{
	char text[32];
	int64_t seconds;

	if (word(value, text, sizeof(text)) && (text_number(text, INT32_MAX, &seconds) ||
						       text_duration(text, INT32_MAX, &seconds)))
		least(&out->timeout, seconds);
}

/* "131072", "128k", "1m"; 0 is no limit at all. */
static void set_body_max(struct values *out, const char *value)
{
	char text[32];
	int64_t size;

	if (word(value, text, sizeof(text)) && text_size(text, INT64_MAX, &size) && size > 0)
		least(&out->body_max, size);
}

/* A place with a variable in it is known to the server alone. */
static void set_socket(struct values *out, const char *value)
{
	char path[SOCKET_MAX];

	if (word(value, path, sizeof(path)) && *path == '/' && !strchr(path, '$'))
		memcpy(out->socket, path, sizeof(path));
}

static void merge(struct values *out, const struct values *in)
{
	if (in->timeout >= 0)
		least(&out->timeout, in->timeout);
	if (in->body_max >= 0)
		least(&out->body_max, in->body_max);
	if (*in->socket)
		memcpy(out->socket, in->socket, sizeof(out->socket));
}

/* --- lines */

static const struct directive {
	const char *name;
	bool anywhere; /* in a line; else at its start */
	void (*set)(struct values *out, const char *value);
} directives[] = {
	/* nginx */
	{"fastcgi_read_timeout ", false, set_timeout},
	{"client_max_body_size ", false, set_body_max},
	/* Apache */
	{"ProxyTimeout ", false, set_timeout},
	{"FcgidIOTimeout ", false, set_timeout},
	{" timeout=", true, set_timeout},
	{"LimitRequestBody ", false, set_body_max},
	{"FcgidMaxRequestLen ", false, set_body_max},
	/* both */
	{"unix:", true, set_socket},
};

/* Whom it runs as; Debian's Apache has that in envvars. */
static const char *const user_directives[] = {"user ", "User ", "export APACHE_RUN_USER="};

/* Directives that include one of our files, or a macro. */
static const char *const include_directives[] = {"include ", "Include ", "IncludeOptional ", NULL};
static const char *const use_directives[] = {"Use ", NULL};

/* Directives that pass us a request. */
static const char *const pass_directives[] = {
	"fastcgi_pass ", "ProxyPass ", "ProxyPassMatch ", "ScriptAlias ", "SetHandler ", NULL};

static const char *behind(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncmp(line, name, len) == 0 ? line + len : NULL;
}

static bool is_any(const char *line, const char *const names[])
{
	while (*names && !behind(line, *names))
		names++;
	return *names;
}

static void read_user(struct web *w, const char *line)
{
	char name[ACCOUNT_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(user_directives); i++) {
		const char *value = behind(line, user_directives[i]);

		if (value && word(value, name, sizeof(name)) && *name != '$')
			memcpy(w->user, name, sizeof(name));
	}
}

static void read_values(struct block *block, const char *line, bool mention)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		const struct directive *d = &directives[i];
		const char *at = d->anywhere ? strstr(line, d->name) : behind(line, d->name);

		if (at && d->anywhere)
			at += strlen(d->name);
		if (at && (!d->anywhere || mention || block->ours))
			d->set(&block->values, at);
	}
}

static void open_block(struct file *f, bool macro, bool mention)
{
	const struct block *outer = &f->block[f->depth];

	if (f->depth + 1 == BLOCKS_MAX)
		return;
	f->block[++f->depth] = (struct block){
		.ours = outer->ours || mention,
		.macro = outer->macro || macro,
		.values = no_values,
	};
}

static void close_block(struct file *f)
{
	const struct block *block = &f->block[f->depth];

	if (block->ours || block->about)
		merge(&f->web->values, &block->values);
	if (f->depth > 0)
		f->depth--;
}

/* "location /x { fastcgi_pass y; }" */
static const char *within(const char *line)
{
	const char *brace = strchr(line, '{');

	return brace && line[strlen(line) - 1] == '}' ? brace + 1 + strspn(brace + 1, BLANKS)
						      : line;
}

/* Of a line that mentions us: by it, a request comes to us. Folders above may have any name. */
static bool passes(const char *line)
{
	const char *name = strrchr(line, '/');

	if (is_any(line, include_directives))
		return strstr(name ? name : line, MENTION);
	return is_any(line, use_directives) || is_any(within(line), pass_directives);
}

static void read_line(struct file *f, const char *line)
{
	struct block *block = &f->block[f->depth];
	bool mention = strstr(line, MENTION) || strstr(line, MACRO_MENTION);
	size_t len = strlen(line);

	if (line[0] == '}' || (line[0] == '<' && line[1] == '/')) {
		close_block(f);
		return;
	}
	if (line[0] == '<' || (len && line[len - 1] == '{')) {
		open_block(f, behind(line, "<Macro") != NULL, mention);
		return;
	}
	read_user(f->web, line);
	if (!behind(line, "listen ")) /* the server's own socket is not ours */
		read_values(block, line, mention);
	if (!mention)
		return;
	block->about |= !is_any(line, include_directives) && !is_any(line, use_directives);
	f->web->used |= passes(line) && !f->snippet && !block->macro;
}

/* Without comments, tabs, and blanks around it. */
static char *plain(char *line)
{
	char *comment;

	for (char *p = line; *p; p++)
		*p = *p == '\t' ? ' ' : *p;
	comment = strstr(line, " #");
	if (comment)
		*comment = '\0';
	line = text_trim(line);
	if (*line == '#')
		*line = '\0';
	return line;
}

static void read_conf(struct web *w, const char *path, bool snippet)
{
	struct file f = {.web = w, .snippet = snippet, .block = {{.values = no_values}}};
	struct blob content = {NULL, 0};
	struct error e;
	char *text, *line;

	if (file_read(path, &content, &e))
		return; /* sockets, folders, what is closed to us */
	text = (char *)content.data;
	f.block[0].ours = strstr(strrchr(path, '/'), MENTION);
	w->found |= f.block[0].ours || strstr(text, MENTION);
	while ((line = strsep(&text, "\n")) != NULL)
		read_line(&f, plain(line));
	while (f.depth > 0)
		close_block(&f);
	close_block(&f);
	blob_free(&content);
}

static void read_in_use(void *ctx, const char *path)
{
	read_conf(ctx, path, false);
}

static void read_snippet(void *ctx, const char *path)
{
	read_conf(ctx, path, true);
}

/* Files that are in use, not those that could be. */
static void read_all(struct web *w)
{
	static const char *const folders[] = {
		".", "conf.d", "conf-enabled", "http.d", "sites-enabled", "vhosts.d"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		web_folder(w->dir, folders[i], read_in_use, w);
	web_folder(w->dir, "snippets", read_snippet, w);
}

/* --- does it fit? */

static void check_limits(struct web *w)
{
	int64_t timeout = w->values.timeout < 0 ? TIMEOUT_DEFAULT : w->values.timeout;
	int64_t need = config_longest(w->config) + TIMEOUT_BESIDE;
	size_t body = w->config->events.max_body;

	if (timeout < need)
		warn(w,
			"in %s it waits %lld s for our answer, which may take %lld s (timeout in "
			"[ca] for each usage, in [escrow], and %d s for the rest): raise "
			"fastcgi_read_timeout (Apache: "
			"timeout) or lower ours",
			w->dir, (long long)timeout, (long long)need, TIMEOUT_BESIDE);
	if (w->values.body_max >= 0 && (uint64_t)w->values.body_max < body)
		warn(w,
			"in %s it takes events of %lld bytes, and [events] max-body is %zu: raise "
			"client_max_body_size (Apache: LimitRequestBody) or lower ours",
			w->dir, (long long)w->values.body_max, body);
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
		warn(w, "in %s it runs as user %s, which does not exist here: correct user there",
			w->dir, w->user);
	else if (!account_may(&account, w->values.socket, W_OK, blocked))
		warn(w,
			"%s is closed to its user %s by the mode of %s: add that user to the group "
			"that owns the socket, and restart the web server",
			w->values.socket, w->user, blocked);
}

static void check_socket(struct web *w)
{
	int fault = try_connect(w->values.socket);

	if (fault == ENOENT)
		warn(w,
			"%s, where %s looks for the handler, is not there: start certprov.fcgi "
			"-s %s, or correct the path",
			w->values.socket, w->dir, w->values.socket);
	else if (fault == ECONNREFUSED)
		warn(w, "nobody serves %s: start certprov.fcgi -s %s", w->values.socket,
			w->values.socket);
	else if (fault && fault != EACCES)
		warn(w, "%s is no socket of the handler's (%s): correct the path in %s",
			w->values.socket, strerror(fault), w->dir);
	else
		check_socket_user(w);
}

bool check_web_uses(const char *dir)
{
	struct web w = {.dir = dir, .values = no_values};

	read_all(&w);
	return w.used;
}

/* True if it is set up for us. */
static bool check_server(struct web *w, const char *dir)
{
	w->dir = dir;
	w->values = no_values;
	read_all(w);
	if (!w->used)
		return false;
	check_limits(w);
	if (*w->values.socket)
		check_socket(w);
	if (w->report->faults == 0) { /* else its own test says the same once more */
		w->report->report(w->report->ctx, WHAT, ERR_OK, false, dir);
		check_syntax(dir, w->report);
	}
	check_places(w->config, dir, w->report);
	return true;
}

/* Our files alone, which a package has put there, do nothing. */
static void warn_of_none(struct web *w, const char *beneath, const char *prepared)
{
	if (prepared)
		warn(w,
			"%s has our files, but no server there uses them: write \"include "
			"snippets/certprov.conf;\" into the server that speaks TLS (Apache: \"Use "
			"CertprovProxy /certprov certprov\" into its virtual host), name another "
			"folder with --web-server DIR, or say --web-server none",
			prepared);
	else
		warn(w,
			"no file in use beneath %s mentions certprov: put nginx's files there "
			"(see README), name the folder with --web-server DIR, or say --web-server "
			"none",
			beneath);
}

enum err check_web(const struct config *config, const char *dir, provider_report *report, void *ctx)
{
	static const char *const usual[] = {"/etc/nginx", "/etc/apache2", "/etc/httpd"};
	const char *const *dirs = dir ? &dir : usual;
	char absolute[PATH_MAX];
	const char *prepared = NULL;
	enum err worst = ERR_OK;
	bool used = false;

	if (dir && realpath(dir, absolute))
		dir = absolute;
	for (size_t i = 0; i < (dir ? 1 : ARRAY_LEN(usual)); i++) {
		struct web_report told = {.report = report, .ctx = ctx};
		struct web one = {.config = config, .report = &told};

		used |= check_server(&one, dirs[i]);
		worst = told.worst ? told.worst : worst;
		if (one.found && !prepared)
			prepared = dirs[i];
	}
	if (!used) {
		struct web_report told = {.report = report, .ctx = ctx};
		struct web none = {.report = &told};

		warn_of_none(
			&none, dir ? dir : "/etc/nginx, /etc/apache2 and /etc/httpd", prepared);
	}
	return worst;
}
