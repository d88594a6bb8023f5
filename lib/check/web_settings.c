/*
 * What a web server's files set for the handler, line by line: its limits, the socket, the user it
 * runs as. Whether that fits is judged in web.c.
 */

#include "check/web_settings.h"

#include <string.h>

#include "base/compiler.h"
#include "base/file.h"
#include "base/text.h"
#include "check/web_server.h"

#define BLANKS " \t"
#define VALUE_ENDS " \t;\"'|"
#define BLOCKS_MAX 16 /* within each other */

static const struct web_values no_values = {.timeout = -1, .body_max = -1};

/* The server may serve other programs: only blocks that are about the handler count. */
struct block {
	bool ours;  /* its first line mentions the handler, so all of it counts */
	bool about; /* a line in it mentions the handler */
	bool macro; /* of Apache: in force only where it is used */
	struct web_values values;
};

struct file {
	struct web_settings *settings;
	bool snippet; /* in force only where it is included */
	unsigned depth;
	struct block block[BLOCKS_MAX];
};

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
static void set_timeout(struct web_values *out, const char *value)
{
	char text[32];
	int64_t seconds;

	if (word(value, text, sizeof(text)) && (text_number(text, INT32_MAX, &seconds) ||
						       text_duration(text, INT32_MAX, &seconds)))
		least(&out->timeout, seconds);
}

/* "131072", "128k", "1m"; 0 means no limit. */
static void set_body_max(struct web_values *out, const char *value)
{
	char text[32];
	int64_t size;

	if (word(value, text, sizeof(text)) && text_size(text, INT64_MAX, &size) && size > 0)
		least(&out->body_max, size);
}

/* A path with a variable in it is known to the server alone. */
static void set_socket(struct web_values *out, const char *value)
{
	char path[WEB_SOCKET_SIZE];

	if (word(value, path, sizeof(path)) && *path == '/' && !strchr(path, '$'))
		memcpy(out->socket, path, sizeof(path));
}

static void merge(struct web_values *out, const struct web_values *in)
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
	void (*set)(struct web_values *out, const char *value);
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

/* The user that the server runs as; Debian's Apache has it in envvars. */
static const char *const user_directives[] = {"user ", "User ", "export APACHE_RUN_USER="};

/* Directives that include one of our files, or a macro. */
static const char *const include_directives[] = {"include ", "Include ", "IncludeOptional ", NULL};
static const char *const use_directives[] = {"Use ", NULL};

/* Directives that pass a request on to the handler. */
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

static void read_user(struct web_settings *out, const char *line)
{
	char name[ACCOUNT_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(user_directives); i++) {
		const char *value = behind(line, user_directives[i]);

		if (value && word(value, name, sizeof(name)) && *name != '$')
			memcpy(out->user, name, sizeof(name));
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
		merge(&f->settings->values, &block->values);
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

/*
 * True if a line that mentions the handler passes requests on to it. Of an included file the name
 * counts, not the folders above it.
 */
static bool passes(const char *line)
{
	const char *name = strrchr(line, '/');

	if (is_any(line, include_directives))
		return strstr(name ? name : line, WEB_MENTION);
	return is_any(line, use_directives) || is_any(within(line), pass_directives);
}

static void read_line(struct file *f, const char *line)
{
	struct block *block = &f->block[f->depth];
	bool mention = strstr(line, WEB_MENTION) || strstr(line, WEB_MACRO_MENTION);
	size_t len = strlen(line);

	if (line[0] == '}' || (line[0] == '<' && line[1] == '/')) {
		close_block(f);
		return;
	}
	if (line[0] == '<' || (len && line[len - 1] == '{')) {
		open_block(f, behind(line, "<Macro") != NULL, mention);
		return;
	}
	read_user(f->settings, line);
	if (!behind(line, "listen ")) /* that socket is the server's own */
		read_values(block, line, mention);
	if (!mention)
		return;
	block->about |= !is_any(line, include_directives) && !is_any(line, use_directives);
	f->settings->used |= passes(line) && !f->snippet && !block->macro;
}

/* Returns the line without comment, tabs, and blanks around it. */
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

static void read_conf(struct web_settings *out, const char *path, bool snippet)
{
	struct file f = {.settings = out, .snippet = snippet, .block = {{.values = no_values}}};
	struct blob content = {NULL, 0};
	struct error e;
	char *text, *line;

	if (file_read(path, &content, &e))
		return; /* a socket, a folder, or closed to this user */
	text = (char *)content.data;
	f.block[0].ours = strstr(strrchr(path, '/'), WEB_MENTION);
	out->found |= f.block[0].ours || strstr(text, WEB_MENTION);
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

void web_settings_read(const char *dir, struct web_settings *out)
{
	static const char *const folders[] = {
		".", "conf.d", "conf-enabled", "http.d", "sites-enabled", "vhosts.d"};

	*out = (struct web_settings){.values = no_values};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		web_server_files(dir, folders[i], read_in_use, out);
	web_server_files(dir, "snippets", read_snippet, out);
}
