/*
 * Where Apache passes requests on to the handler: reads the files in use line by line, and knows
 * virtual hosts and our macros by name. Syntax is not checked here (web_syntax.c).
 */

#include "check/web_apache.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "check/web_server.h"

#define REMOTE_USER "REMOTE_USER"

/* What a virtual host, a macro, or the rest of a file says. */
struct part {
	struct web_place place;
	bool passes;
};

struct reader {
	web_place_found *found;
	void *ctx;
	const char *file;
	unsigned line;
	struct part server, host, macro; /* the macros of all files are taken as one */
	struct part *at;		 /* where the next line belongs */
};

/* The value of the directive of that name, in any case; NULL if the line is another one. */
static const char *directive(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(line, name, len) == 0 && (line[len] == ' ' || !line[len])
		       ? line + len + strspn(line + len, " ")
		       : NULL;
}

static bool mentions(const char *line)
{
	return strstr(line, WEB_MENTION) || strstr(line, WEB_MACRO_MENTION);
}

static bool passes(const char *line)
{
	static const char *const names[] = {
		"Use", "ProxyPass", "ProxyPassMatch", "ScriptAlias", "SetHandler"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (directive(line, names[i]) && mentions(line))
			return true;
	return false;
}

/* By hand: Apache itself sets REMOTE_USER only to a name that it has verified. */
static bool sets_user(const char *line)
{
	static const char *const names[] = {"SetEnv", "SetEnvIf", "SetEnvIfNoCase", "SetEnvIfExpr",
		"ProxyFCGISetEnvIf", "RewriteRule"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (directive(line, names[i]) && strstr(line, REMOTE_USER) &&
			!strstr(line, "%{" REMOTE_USER "}"))
			return true;
	return false;
}

static bool verifies(const char *line)
{
	const char *require = directive(line, "Require");
	const char *client = directive(line, "SSLVerifyClient");

	return directive(line, "AuthType") || (client && strncasecmp(client, "require", 7) == 0) ||
	       (require && (strncasecmp(require, "valid-user", 10) == 0 ||
				   strncasecmp(require, "user ", 5) == 0));
}

static void read_file_name(const char *value, char out[PATH_MAX])
{
	size_t len;

	value += strspn(value, "\"'");
	len = strcspn(value, "\"' ");
	if (*value == '/' && len < PATH_MAX)
		snprintf(out, PATH_MAX, "%.*s", (int)len, value);
}

static void read_line(struct part *part, const char *line)
{
	const char *engine = directive(line, "SSLEngine");
	const char *certificate = directive(line, "SSLCertificateFile");
	const char *redirect = directive(line, "RedirectMatch");

	part->passes |= passes(line);
	part->place.tls |= engine && strncasecmp(engine, "on", 2) == 0;
	part->place.verifies |= verifies(line);
	part->place.user |= sets_user(line);
	if (certificate)
		read_file_name(certificate, part->place.certificate);
	if (redirect && strncmp(redirect, "404", 3) == 0 && strstr(line, "crl"))
		part->place.events = false; /* only the list is open */
}

static void begin(struct reader *r, struct part *part)
{
	*part = (struct part){.place = {.events = true, .line = r->line}};
	snprintf(part->place.file, PATH_MAX, "%s", r->file);
	r->at = part;
}

static void end(struct reader *r, struct part *part)
{
	part->place.verifies |= r->macro.place.verifies;
	part->place.user |= r->macro.place.user;
	if (part->passes)
		r->found(r->ctx, &part->place);
	r->at = &r->server;
}

/* "<VirtualHost *:443>" */
static void begin_host(struct reader *r, const char *line)
{
	const char *colon = strrchr(line, ':');
	char digits[8] = "";
	int64_t port = 0;

	begin(r, &r->host);
	if (colon)
		snprintf(digits, sizeof(digits), "%.*s", (int)strspn(colon + 1, "0123456789"),
			colon + 1);
	if (text_number(digits, UINT16_MAX, &port))
		r->host.place.port = (uint16_t)port;
}

static void read_any(struct reader *r, char *line)
{
	for (char *p = line; *p; p++)
		*p = *p == '\t' || *p == '\r' ? ' ' : *p;
	line = text_trim(line);
	if (*line == '#')
		return;
	if (strncasecmp(line, "<Macro", 6) == 0)
		r->at = &r->macro;
	else if (strncasecmp(line, "</Macro", 7) == 0)
		r->at = &r->server;
	else if (strncasecmp(line, "<VirtualHost", 12) == 0)
		begin_host(r, line);
	else if (strncasecmp(line, "</VirtualHost", 13) == 0)
		end(r, &r->host);
	else
		read_line(r->at, line);
}

static void read_conf(void *ctx, const char *path)
{
	struct reader *r = ctx;
	struct blob content = {NULL, 0};
	struct error e;
	char *text, *line;

	if (file_read(path, &content, &e))
		return;
	r->file = path;
	r->line = 1;
	begin(r, &r->server);
	r->server.place.tls = true; /* its virtual hosts decide */
	text = (char *)content.data;
	for (; (line = strsep(&text, "\n")) != NULL; r->line++)
		read_any(r, line);
	end(r, &r->server);
	blob_free(&content);
}

/* A macro with the authentication may be in another file, so conf-enabled is read first. */
void web_apache_places(const char *dir, web_place_found *found, void *ctx)
{
	static const char *const folders[] = {
		"conf-enabled", "conf.d", ".", "vhosts.d", "sites-enabled"};
	struct reader r = {.found = found, .ctx = ctx};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		web_server_files(dir, folders[i], read_conf, &r);
}
