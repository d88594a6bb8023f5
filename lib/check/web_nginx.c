/*
 * Where nginx passes requests on to the handler: reads its files as a tree of blocks, where inner
 * blocks inherit from outer ones. Parts that cannot be followed (variables, maps, if) are skipped.
 * Syntax is not checked here (web_syntax.c).
 */

#include "check/web_nginx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "check/web_server.h"
#include "config/config.h"

#define WORDS_MAX 16
#define WORD_SIZE 512
#define DEPTH_MAX 12
#define INCLUDED_MAX 2000
#define STANDARD_FOLDER "/etc/nginx/"

/* What a block says, or inherits. */
struct scope {
	struct web_place place;
	bool in_http; /* or deeper */
	bool passes;
	bool own_params;   /* it has a fastcgi_param of its own, so it inherits none */
	bool listens_else; /* its server listens on more than unix sockets */
	bool basic, request, certificate; /* ways to authenticate the sender */
};

struct reader {
	const char *dir;
	web_place_found *found;
	void *ctx;
	unsigned included; /* files so far, as a file may include itself */
	struct scope http; /* of nginx.conf; other files inherit from it */
};

/* A file, or the inside of a block of it. */
struct text {
	const char *at, *end;
	const char *path;
	unsigned line;
	unsigned depth;
};

struct statement {
	char word[WORDS_MAX][WORD_SIZE];
	unsigned count; /* of words; those beyond WORDS_MAX are dropped */
	unsigned line;
	bool block; /* the statement ends with { inside } */
	struct text inside;
};

/* --- statements */

static void skip_blanks(struct text *t)
{
	while (t->at < t->end) {
		if (*t->at == '#')
			while (t->at < t->end && *t->at != '\n')
				t->at++;
		else if (*t->at == '\n' || strchr(" \t\r", *t->at))
			t->line += *t->at++ == '\n';
		else
			return;
	}
}

/* A word, quoted or not; cut if it is too long. */
static void read_word(struct text *t, char out[WORD_SIZE])
{
	char quote = *t->at == '"' || *t->at == '\'' ? *t->at++ : '\0';
	size_t len = 0;

	while (t->at < t->end) {
		if (*t->at == '\\' && t->at + 1 < t->end)
			t->at++;
		else if (quote ? *t->at == quote : strchr(" \t\r\n;{", *t->at) != NULL)
			break;
		t->line += *t->at == '\n';
		if (len < WORD_SIZE - 1)
			out[len++] = *t->at;
		t->at++;
	}
	if (quote && t->at < t->end)
		t->at++;
	out[len] = '\0';
}

/* t is behind "{"; the inside ends before the matching "}". */
static void read_inside(struct text *t, struct text *inside)
{
	char dropped[WORD_SIZE];
	unsigned open = 1;

	*inside = *t;
	inside->depth++;
	for (skip_blanks(t); t->at < t->end; skip_blanks(t)) {
		inside->end = t->at;
		if (*t->at == '{' || *t->at == '}' || *t->at == ';') {
			open += *t->at == '{';
			open -= *t->at == '}';
			t->at++;
			if (open == 0)
				return;
		} else {
			read_word(t, dropped);
		}
	}
	inside->end = t->end;
}

/* False at the end of the text. */
static bool next_statement(struct text *t, struct statement *out)
{
	out->count = 0;
	out->block = false;
	for (skip_blanks(t); t->at < t->end; skip_blanks(t)) {
		if (*t->at == ';' || *t->at == '}') {
			t->at++;
			if (out->count)
				return true;
		} else if (*t->at == '{') {
			t->at++;
			out->block = true;
			read_inside(t, &out->inside);
			return true;
		} else {
			out->line = out->count ? out->line : t->line;
			read_word(
				t, out->word[out->count < WORDS_MAX ? out->count : WORDS_MAX - 1]);
			out->count += out->count < WORDS_MAX;
		}
	}
	return out->count > 0;
}

static bool is(const struct statement *s, const char *name)
{
	return s->count > 0 && strcmp(s->word[0], name) == 0;
}

static bool has(const struct statement *s, const char *part)
{
	for (unsigned i = 1; i < s->count; i++)
		if (strstr(s->word[i], part))
			return true;
	return false;
}

/* --- what they say */

static void read_listen(struct scope *scope, const struct statement *s)
{
	const char *colon = strrchr(s->word[1], ':');
	int64_t port = 80;

	if (strncmp(s->word[1], "unix:", 5) == 0)
		return;
	scope->listens_else = true;
	for (unsigned i = 2; i < s->count; i++)
		scope->place.tls |=
			strcmp(s->word[i], "ssl") == 0 || strcmp(s->word[i], "quic") == 0;
	if (s->word[1][0] == '[')
		return; /* the port is tried by IPv4 alone */
	if (text_number(colon ? colon + 1 : s->word[1], UINT16_MAX, &port) || !colon)
		scope->place.port = (uint16_t)port;
}

static void read_param(struct scope *scope, const struct statement *s)
{
	if (!scope->own_params)
		scope->place.user = scope->place.proof = false;
	scope->own_params = true;
	scope->place.user |= strcmp(s->word[1], "REMOTE_USER") == 0 && s->word[2][0];
	scope->place.proof |= strcmp(s->word[1], AUTHENTICATED_PARAM) == 0 && s->word[2][0];
}

/* The path that nginx takes for name. False if nginx alone knows it. */
static bool place_of(const struct reader *r, const char *name, char path[PATH_MAX])
{
	size_t standard = strlen(STANDARD_FOLDER);
	int n;

	if (strpbrk(name, "*?[$"))
		return false;
	if (strncmp(name, STANDARD_FOLDER, standard) == 0)
		name += standard;
	n = *name == '/' ? snprintf(path, PATH_MAX, "%s", name)
			 : snprintf(path, PATH_MAX, "%s/%s", r->dir, name);
	return n < PATH_MAX;
}

static void read_certificate(const struct reader *r, struct scope *scope, const struct statement *s)
{
	char path[PATH_MAX];

	if (strncmp(s->word[1], "data:", 5) != 0 && place_of(r, s->word[1], path))
		snprintf(scope->place.certificate, PATH_MAX, "%s", path);
}

static void take(const struct reader *r, struct scope *scope, const struct statement *s,
	const struct text *where)
{
	if (s->count < 2)
		return;
	if (is(s, "listen")) {
		read_listen(scope, s);
	} else if (is(s, "ssl")) {
		scope->place.tls |= strcmp(s->word[1], "on") == 0;
	} else if (is(s, "ssl_certificate")) {
		read_certificate(r, scope, s);
	} else if (is(s, "ssl_verify_client")) {
		scope->certificate = strcmp(s->word[1], "on") == 0;
	} else if (is(s, "auth_basic")) {
		scope->basic = strcmp(s->word[1], "off") != 0;
	} else if (is(s, "auth_request")) {
		scope->request = strcmp(s->word[1], "off") != 0;
	} else if (is(s, "fastcgi_param") && s->count > 2) {
		read_param(scope, s);
	} else if (is(s, "fastcgi_pass") && strstr(s->word[1], WEB_MENTION)) {
		scope->passes = true;
		scope->place.line = s->line;
		snprintf(scope->place.file, PATH_MAX, "%s", where->path);
	}
}

/* --- the tree */

static void read_simple(struct reader *r, struct scope *scope, struct text text);
static void read_blocks(struct reader *r, struct scope *scope, struct text text);

/* A file that is included by name is read in its place. */
static void include(struct reader *r, struct scope *scope, const struct statement *s,
	unsigned depth, void (*read)(struct reader *r, struct scope *scope, struct text text))
{
	struct blob content = {NULL, 0};
	char path[PATH_MAX];
	struct error e;

	if (s->count < 2 || depth >= DEPTH_MAX || r->included >= INCLUDED_MAX ||
		!place_of(r, s->word[1], path) || file_read(path, &content, &e))
		return;
	r->included++;
	read(r, scope,
		(struct text){(const char *)content.data, (const char *)content.data + content.len,
			path, 1, depth + 1});
	blob_free(&content);
}

static void read_simple(struct reader *r, struct scope *scope, struct text text)
{
	struct statement s;

	while (next_statement(&text, &s)) {
		if (s.block)
			continue;
		if (is(&s, "include"))
			include(r, scope, &s, text.depth, read_simple);
		else
			take(r, scope, &s, &text);
	}
}

/* False of a location for lists, metrics or the status page alone. */
static bool is_for_events(const struct statement *s)
{
	static const char *const others[] = {"crl", ".cer", "metrics", "status", "healthz"};

	for (size_t i = 0; i < ARRAY_LEN(others) && !has(s, "events"); i++)
		if (has(s, others[i]))
			return false;
	return true;
}

static struct scope inherit(const struct scope *outer, const struct statement *s)
{
	struct scope scope = *outer;

	scope.passes = scope.own_params = false;
	if (is(s, "server")) {
		scope.place.tls = scope.listens_else = false;
		scope.place.port = 0;
		scope.place.events = true;
	}
	if (is(s, "location"))
		scope.place.events = scope.place.events && is_for_events(s);
	scope.in_http |= is(s, "http");
	return scope;
}

static void read_block(struct reader *r, const struct scope *outer, const struct statement *s)
{
	struct scope scope = inherit(outer, s);

	if (s->inside.depth > DEPTH_MAX || is(s, "upstream") || is(s, "map"))
		return;
	read_simple(r, &scope, s->inside);
	if (is(s, "http"))
		r->http = scope;
	scope.place.local = !scope.listens_else;
	scope.place.verifies = scope.basic || scope.request || scope.certificate;
	if (scope.passes)
		r->found(r->ctx, &scope.place);
	read_blocks(r, &scope, s->inside);
}

static void read_blocks(struct reader *r, struct scope *scope, struct text text)
{
	struct statement s;

	while (next_statement(&text, &s)) {
		if (s.block)
			read_block(r, scope, &s);
		else if (is(&s, "include"))
			include(r, scope, &s, text.depth, read_blocks);
	}
}

/* nginx.conf, or a file that its http { } includes by a wildcard. */
static void read_root(void *ctx, const char *path)
{
	struct reader *r = ctx;
	struct scope scope = r->http;
	struct blob content = {NULL, 0};
	struct text text = {.path = path, .line = 1};
	struct error e;

	if (file_read(path, &content, &e))
		return;
	text.at = (const char *)content.data;
	text.end = text.at + content.len;
	read_simple(r, &scope, text);
	read_blocks(r, &scope, text);
	blob_free(&content);
}

void web_nginx_places(const char *dir, web_place_found *found, void *ctx)
{
	static const char *const folders[] = {"conf.d", "http.d", "sites-enabled", "vhosts.d"};
	struct reader r = {.dir = dir, .found = found, .ctx = ctx};
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/nginx.conf", dir) < (int)sizeof(path))
		read_root(&r, path);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		web_server_files(dir, folders[i], read_root, &r);
}
