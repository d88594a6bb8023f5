#include "base/config.h"

#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define DAY 86400
#define PINNED_PREFIX "sha256//"
#define PINNED_LEN (sizeof(PINNED_PREFIX) - 1 + 44)

struct reader;
struct option;
typedef enum err setter(struct reader *r, const struct option *o, const char *value);

/* A key: where its value goes and what it may be. */
struct option {
	const char *section, *key;
	setter *set;
	size_t offset;
	int64_t min, max;
	const char *const *names;
	size_t name_count;
	const char *fallback; /* as if the file had said so; NULL: stays unset */
};

struct reader {
	struct config *config;
	struct error *error;
	enum err err;
	const char *text;  /* what is left of the file */
	unsigned line;	   /* last one that was handed out */
	unsigned key_line; /* where the key in work begins */
	bool continued;	   /* the last line goes on with the key before it */
	const struct option *option;
	char *value; /* of option, continuation lines joined */
};

static bool own_key_is_set(const struct config *config, int usage);

static void *member(const struct reader *r, const struct option *o)
{
	return (char *)r->config + o->offset;
}

static enum err fail(struct reader *r, const char *fmt, ...) printf_like(2, 3);
static enum err fail(struct reader *r, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->err = error_set(r->error, ERR_CONFIG, "%s:%u: %s", r->config->path, r->key_line, text);
	return r->err;
}

static enum err bad_value(struct reader *r, const struct option *o, const char *expected)
{
	return fail(r, "[%s] %s: expected %s", o->section, o->key, expected);
}

/* --- one setter for each kind of value */

static enum err set_text(struct reader *r, const struct option *o, const char *value)
{
	char **out = member(r, o);

	free(*out);
	*out = strdup(value);
	return *out ? ERR_OK : error_memory(r->error);
}

/* Relative paths are relative to the configuration file. */
static enum err set_path(struct reader *r, const struct option *o, const char *value)
{
	const char *slash = strrchr(r->config->path, '/');
	char **out = member(r, o);
	char *path = NULL;
	int len;

	if (*value == '/' || !slash)
		return set_text(r, o, value);
	len = asprintf(&path, "%.*s/%s", (int)(slash - r->config->path), r->config->path, value);
	if (len < 0)
		return error_memory(r->error);
	free(*out);
	*out = path;
	return ERR_OK;
}

static enum err set_list(struct reader *r, const struct option *o, const char *value)
{
	char ***out = member(r, o);

	free(*out);
	*out = text_list(value);
	return *out ? ERR_OK : error_memory(r->error);
}

static enum err set_domains(struct reader *r, const struct option *o, const char *value)
{
	char *lower = strdup(value);
	enum err err;

	if (!lower)
		return error_memory(r->error);
	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	err = set_list(r, o, lower);
	free(lower);
	return err;
}

/* For keys whose values have no choice yet: there is nothing to store. */
static enum err check_kind(struct reader *r, const struct option *o, const char *value)
{
	char expected[256] = "one of";

	if (kind_find(o->names, o->name_count, value) >= 0)
		return ERR_OK;
	for (size_t i = 0; i < o->name_count; i++) {
		size_t len = strlen(expected);

		snprintf(expected + len, sizeof(expected) - len, " %s", o->names[i]);
	}
	return bad_value(r, o, expected);
}

static enum err set_kind(struct reader *r, const struct option *o, const char *value)
{
	enum err err = check_kind(r, o, value);

	if (!err)
		*(unsigned *)member(r, o) = (unsigned)kind_find(o->names, o->name_count, value);
	return err;
}

/* [certificates] key: for each usage that has no key of its own. */
static enum err set_keys(struct reader *r, const struct option *o, const char *value)
{
	unsigned *out = member(r, o);
	enum err err = check_kind(r, o, value);

	for (int usage = 0; !err && usage < USAGE_COUNT; usage++)
		if (!own_key_is_set(r->config, usage))
			out[usage] = (unsigned)kind_find(o->names, o->name_count, value);
	return err;
}

static enum err in_range(struct reader *r, const struct option *o, bool ok, int64_t n)
{
	char expected[128];

	if (ok && n >= o->min && n <= o->max)
		return ERR_OK;
	if (o->set && o->max >= DAY && o->max % DAY == 0)
		snprintf(expected, sizeof(expected), "a duration (90s, 10m, 12h, 365d) up to %lldd",
			(long long)(o->max / DAY));
	else
		snprintf(expected, sizeof(expected), "%lld to %lld, with a unit where it has one",
			(long long)o->min, (long long)o->max);
	return bad_value(r, o, expected);
}

static enum err set_duration(struct reader *r, const struct option *o, const char *value)
{
	int64_t n = 0;
	enum err err = in_range(r, o, text_duration(value, INT64_MAX, &n), n);

	if (!err)
		*(int64_t *)member(r, o) = n;
	return err;
}

static enum err set_size(struct reader *r, const struct option *o, const char *value)
{
	int64_t n = 0;
	enum err err = in_range(r, o, text_size(value, INT64_MAX, &n), n);

	if (!err)
		*(size_t *)member(r, o) = (size_t)n;
	return err;
}

static enum err set_count(struct reader *r, const struct option *o, const char *value)
{
	int64_t n = 0;
	enum err err = in_range(r, o, text_number(value, INT64_MAX, &n), n);

	if (!err)
		*(size_t *)member(r, o) = (size_t)n;
	return err;
}

static enum err set_unsigned(struct reader *r, const struct option *o, const char *value)
{
	int64_t n = 0;
	enum err err = in_range(r, o, text_number(value, INT64_MAX, &n), n);

	if (!err)
		*(unsigned *)member(r, o) = (unsigned)n;
	return err;
}

static enum err set_usages(struct reader *r, const struct option *o, const char *value)
{
	bool *out = member(r, o);
	char **items = text_list(value);
	enum err err = ERR_OK;

	if (!items)
		return error_memory(r->error);
	memset(out, 0, USAGE_COUNT * sizeof(*out));
	for (char **item = items; *item && !err; item++) {
		int usage = kind_find(usage_names, USAGE_COUNT, *item);

		if (usage < 0)
			err = bad_value(r, o, "signing, encryption or both");
		else
			out[usage] = true;
	}
	if (!err && !*items)
		err = bad_value(r, o, "signing, encryption or both");
	free(items);
	return err;
}

static bool is_url(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(url, scheme, len) == 0 && url[len] && url[len] != '/' &&
	       !strpbrk(url, " \t\"<>\\^`{|}");
}

static enum err set_escrow_urls(struct reader *r, const struct option *o, const char *value)
{
	char ***out = member(r, o);
	enum err err = set_list(r, o, value);

	if (err)
		return err;
	for (char **url = *out; *url; url++) {
		size_t len = strlen(*url);

		if (!is_url(*url, "https://") || strpbrk(*url, "@?#"))
			return bad_value(
				r, o, "https:// URLs without credentials, query or fragment");
		while (len && (*url)[len - 1] == '/')
			(*url)[--len] = '\0';
	}
	return **out ? ERR_OK : bad_value(r, o, "at least one https:// URL");
}

static enum err set_public_url(struct reader *r, const struct option *o, const char *value)
{
	if (!is_url(value, "http://") && !is_url(value, "https://"))
		return bad_value(r, o, "an http:// URL");
	return set_text(r, o, value);
}

static enum err set_store(struct reader *r, const struct option *o, const char *value)
{
	static const char scheme[] = "sqlite:";

	if (strncmp(value, scheme, sizeof(scheme) - 1) != 0 || !value[sizeof(scheme) - 1])
		return bad_value(r, o, "sqlite:FILE (this version has no other engine)");
	return set_path(r, o, value + sizeof(scheme) - 1);
}

static enum err set_pinned_key(struct reader *r, const struct option *o, const char *value)
{
	struct buf digest = BUF_INIT(64);
	bool ok = strncmp(value, PINNED_PREFIX, sizeof(PINNED_PREFIX) - 1) == 0 &&
		  strlen(value) == PINNED_LEN &&
		  text_unbase64(value + sizeof(PINNED_PREFIX) - 1, 44, &digest) && digest.len == 32;

	buf_free(&digest);
	return ok ? set_text(r, o, value)
		  : bad_value(r, o, "sha256// and the base64 of a SHA-256 of the public key");
}

/* --- the keys */

static const char *const authenticate_names[] = {"basic", "web-server", "none"};
static const char *const scope_names[] = {"device", "user"};
static const char *const profile_names[] = {"legacy", "modern"};
/* Values that the format has, but this version can only take one of. */
static const char *const source_names[] = {"event"};
static const char *const ca_names[] = {"local"};
static const char *const unenroll_names[] = {"keep"};

#define AT(m) offsetof(struct config, m)
#define NAMES(n) .names = (n), .name_count = ARRAY_LEN(n)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

static const struct option options[] = {
	{"events", "users-file", set_path, AT(events.users_file)},
	{"events", "authenticate", set_kind, AT(events.authenticate), NAMES(authenticate_names),
		.fallback = "basic"},
	{"events", "max-body", set_size, AT(events.max_body), RANGE(1024, 1024 * 1024),
		.fallback = "64k"},
	{"events", "on-unenroll", check_kind, 0, NAMES(unenroll_names), .fallback = "keep"},
	{"admin", "users-file", set_path, AT(admin.users_file)},
	{"identity", "source", check_kind, 0, NAMES(source_names), .fallback = "event"},
	{"identity", "mail", set_list, AT(identity.mail), .fallback = "{EnrollmentEmailAddress}"},
	{"identity", "name", set_text, AT(identity.name), .fallback = "{EnrollmentUserName}"},
	{"identity", "subject", set_text, AT(identity.subject), .fallback = "CN={name}"},
	{"identity", "allowed-domains", set_domains, AT(identity.allowed_domains), .fallback = ""},
	{"certificates", "usages", set_usages, AT(certificates.usages),
		.fallback = "signing, encryption"},
	{"certificates", "signing-scope", set_kind, AT(certificates.signing_scope),
		NAMES(scope_names), .fallback = "device"},
	{"certificates", "key", set_keys, AT(certificates.key), NAMES(key_type_names),
		.fallback = "rsa-2048"},
	{"certificates", "signing-key", set_kind, AT(certificates.key[USAGE_SIGNING]),
		NAMES(key_type_names)},
	{"certificates", "encryption-key", set_kind, AT(certificates.key[USAGE_ENCRYPTION]),
		NAMES(key_type_names)},
	{"certificates", "validity", set_duration, AT(certificates.validity),
		RANGE(DAY, 3650 * DAY), .fallback = "365d"},
	{"certificates", "policies", set_list, AT(certificates.policies), .fallback = ""},
	{"certificates", "renew-within", set_duration, AT(certificates.renew_within),
		RANGE(0, 3650 * DAY), .fallback = "30d"},
	{"certificates", "archive-max", set_count, AT(certificates.archive_max), RANGE(0, 1000),
		.fallback = "20"},
	{"certificates", "key-pool", set_count, AT(certificates.key_pool), RANGE(0, 4096),
		.fallback = "32"},
	{"ca", "type", check_kind, 0, NAMES(ca_names), .fallback = "local"},
	{"ca", "certificate", set_path, AT(ca.certificate), .fallback = "ca.crt"},
	{"ca", "key", set_path, AT(ca.key), .fallback = "ca.key"},
	{"ca", "crl-url", set_public_url, AT(ca.crl_url)},
	{"ca", "issuer-url", set_public_url, AT(ca.issuer_url)},
	{"escrow", "url", set_escrow_urls, AT(escrow.urls)},
	{"escrow", "identity", set_path, AT(escrow.identity)},
	{"escrow", "identity-password-file", set_path, AT(escrow.identity_password_file)},
	{"escrow", "ca-file", set_path, AT(escrow.ca_file)},
	{"escrow", "pinned-key", set_pinned_key, AT(escrow.pinned_key)},
	{"escrow", "pkcs12", set_kind, AT(escrow.pkcs12), NAMES(profile_names),
		.fallback = "legacy"},
	{"escrow", "pkcs12-iterations", set_unsigned, AT(escrow.pkcs12_iterations),
		RANGE(1000, 1000000)},
	{"escrow", "pkcs12-password-file", set_path, AT(escrow.pkcs12_password_file)},
	{"escrow", "timeout", set_duration, AT(escrow.timeout), RANGE(1, 300), .fallback = "20s"},
	{"escrow", "max-rate", set_unsigned, AT(escrow.max_rate), RANGE(1, 1000), .fallback = "30"},
	{"store", "url", set_store, AT(store.sqlite), .fallback = "sqlite:certprov.db"},
	{"store", "key-file", set_path, AT(store.key_file), .fallback = "store.key"},
	{"log", "target", set_kind, AT(log.target), NAMES(log_target_names), .fallback = "stderr"},
	{"log", "level", set_kind, AT(log.level), NAMES(log_level_names), .fallback = "info"},
};

static const struct option *find_option(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(options[i].section, section) == 0 && strcmp(options[i].key, key) == 0)
			return &options[i];
	return NULL;
}

static unsigned *line_of(const struct config *config, const struct option *o)
{
	return &config->lines[o - options];
}

static bool own_key_is_set(const struct config *config, int usage)
{
	const char *key = usage == USAGE_SIGNING ? "signing-key" : "encryption-key";

	return *line_of(config, find_option("certificates", key)) != 0;
}

static bool known_section(const char *section)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(options[i].section, section) == 0)
			return true;
	return false;
}

/* --- reading: libinih splits lines, we count them and join continued ones */

/* Hands the value that has been gathered to its setter. */
static enum err finish_value(struct reader *r)
{
	const struct option *o = r->option;
	enum err err = ERR_OK;

	if (!o)
		return ERR_OK;
	r->option = NULL;
	if (!*r->value && !(o->fallback && !*o->fallback))
		err = bad_value(r, o, "a value");
	else
		err = o->set(r, o, r->value);
	free(r->value);
	r->value = NULL;
	r->err = err;
	return err;
}

static enum err begin_value(
	struct reader *r, const char *section, const char *key, const char *value)
{
	const struct option *o = find_option(section, key);

	r->key_line = r->line;
	if (!o && !known_section(section))
		return fail(r, "unknown section [%s]", section);
	if (!o)
		return fail(r, "unknown key \"%s\" in [%s]", key, section);
	if (*line_of(r->config, o))
		return fail(r, "[%s] %s is set twice, first in line %u", section, key,
			*line_of(r->config, o));
	*line_of(r->config, o) = r->line;
	r->option = o;
	r->value = strdup(value);
	return r->value ? ERR_OK : error_memory(r->error);
}

static enum err continue_value(struct reader *r, const char *value)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s %s", r->value, value) < 0)
		return error_memory(r->error);
	free(r->value);
	r->value = joined;
	return ERR_OK;
}

static int on_value(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;

	if (r->err)
		return 0;
	if (r->continued && r->option && strcmp(key, r->option->key) == 0) {
		r->err = continue_value(r, value);
		return r->err == ERR_OK;
	}
	r->err = finish_value(r);
	if (!r->err)
		r->err = begin_value(r, section, key, value);
	return r->err == ERR_OK;
}

/* An ini_reader: like fgets(), from memory. A line that does not fit is an error. */
static char *next_line(char *out, int size, void *user)
{
	struct reader *r = user;
	size_t len = strcspn(r->text, "\n");

	if (r->err || !*r->text)
		return NULL;
	r->line++;
	if (len + 2 > (size_t)size) {
		r->key_line = r->line;
		fail(r, "line longer than %d bytes; continue it on the next line, indented",
			size - 2);
		return NULL;
	}
	memcpy(out, r->text, len);
	out[len] = '\0';
	r->text += len + (r->text[len] == '\n');
	r->continued = *out == ' ' || *out == '\t';
	return out;
}

static enum err set_defaults(struct reader *r)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < ARRAY_LEN(options) && !err; i++) {
		const struct option *o = &options[i];

		if (o->fallback && !*line_of(r->config, o))
			err = o->set(r, o, o->fallback);
	}
	return err;
}

static enum err check_whole(const struct config *c, struct error *e)
{
	bool basic = c->events.authenticate == AUTHENTICATE_BASIC;

	if (basic && !c->events.users_file)
		return config_error(
			c, "events", "users-file", e, "missing; authenticate = basic needs it");
	if (!basic && c->events.users_file)
		return config_error(
			c, "events", "users-file", e, "only authenticate = basic uses it");
	if (!*c->identity.mail)
		return config_error(c, "identity", "mail", e, "expected at least one template");
	if (!c->escrow.urls)
		return config_error(c, "escrow", "url", e, "missing");
	if (!c->escrow.identity)
		return config_error(c, "escrow", "identity", e, "missing");
	if (c->certificates.renew_within >= c->certificates.validity)
		return config_error(
			c, "certificates", "renew-within", e, "must be shorter than validity");
	return ERR_OK;
}

static enum err parse(struct reader *r)
{
	int line = ini_parse_stream(next_line, r, on_value, r);

	if (!r->err)
		r->err = finish_value(r);
	if (!r->err && line > 0) {
		r->key_line = (unsigned)line;
		return fail(r, "neither a [section], nor key = value, nor a comment");
	}
	if (!r->err && line < 0)
		r->err = error_memory(r->error);
	if (!r->err)
		r->err = set_defaults(r);
	if (!r->err && !r->config->escrow.pkcs12_iterations)
		r->config->escrow.pkcs12_iterations =
			r->config->escrow.pkcs12 == PKCS12_LEGACY ? 2048 : 10000;
	return r->err;
}

enum err config_load(const char *path, struct config **out, struct error *e)
{
	struct reader r = {.error = e};
	struct blob text = {NULL, 0};
	enum err err = file_read(path, &text, e);

	if (err)
		return err;
	r.text = (const char *)text.data;
	r.config = calloc(1, sizeof(*r.config));
	if (r.config) {
		r.config->path = realpath(path, NULL);
		r.config->lines = calloc(ARRAY_LEN(options), sizeof(*r.config->lines));
	}
	if (!r.config || !r.config->path || !r.config->lines)
		err = error_memory(e);
	else if (strlen(r.text) != text.len || !text_is_utf8(r.text, text.len))
		err = error_set(e, ERR_CONFIG, "%s: not UTF-8 text", path);
	if (!err)
		err = parse(&r);
	if (!err)
		err = check_whole(r.config, e);
	if (err)
		config_free(r.config);
	else
		*out = r.config;
	free(r.value);
	blob_free(&text);
	return err;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		setter *set = options[i].set;

		if (set == set_text || set == set_path || set == set_list || set == set_domains ||
			set == set_escrow_urls || set == set_public_url || set == set_store ||
			set == set_pinned_key)
			free(*(void **)(void *)((char *)config + options[i].offset));
	}
	free(config->lines);
	free(config->path);
	free(config);
}

enum err config_error(const struct config *config, const char *section, const char *key,
	struct error *e, const char *fmt, ...)
{
	const struct option *o = find_option(section, key);
	unsigned line = o ? *line_of(config, o) : 0;
	char text[ERROR_TEXT_MAX / 2], where[16] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (line)
		snprintf(where, sizeof(where), ":%u", line);
	return error_field(
		e, ERR_CONFIG, key, "%s%s: [%s] %s: %s", config->path, where, section, key, text);
}

const char *config_path(const char *path)
{
	const char *from_environment = getenv("CERTPROV_CONFIG");

	if (path)
		return path;
	return from_environment && *from_environment ? from_environment : CERTPROV_CONFIG_FILE;
}
