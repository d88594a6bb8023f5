#include "base/config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DAY 86400
#define PINNED_PREFIX "sha256//"
#define PINNED_DIGITS 44 /* base64 of 32 bytes */
#define SQLITE_PREFIX "sqlite:"

static void *member(struct config *config, const struct option *o)
{
	return (char *)config + o->offset;
}

static enum err expected(
	const struct config *config, const struct option *o, struct error *e, const char *what)
{
	return config_error(config, o->section, o->key, e, "expected %s", what);
}

/* --- one setter for each kind of value */

static enum err set_text(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char **out = member(config, o);
	char *copy = strdup(value);

	if (!copy)
		return error_memory(e);
	free(*out);
	*out = copy;
	return ERR_OK;
}

/* Relative paths are relative to the configuration file. */
static enum err set_path(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	const char *slash = strrchr(config->path, '/');
	char **out = member(config, o);
	char *path = NULL;
	int folder;

	if (*value == '/' || !slash)
		return set_text(config, o, value, e);
	folder = (int)(slash - config->path);
	if (asprintf(&path, "%.*s/%s", folder, config->path, value) < 0)
		return error_memory(e);
	free(*out);
	*out = path;
	return ERR_OK;
}

static enum err set_list(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char ***out = member(config, o);
	char **list = text_list(value);

	if (!list)
		return error_memory(e);
	free(*out);
	*out = list;
	return ERR_OK;
}

static enum err set_templates(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char ***out = member(config, o);
	enum err err = set_list(config, o, value, e);

	return err || **out ? err : expected(config, o, e, "at least one template");
}

/* Lower case, as addresses in certificates have them. */
static enum err set_domains(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char ***out = member(config, o);
	enum err err = set_list(config, o, value, e);

	for (char **item = err ? NULL : *out; item && *item; item++) {
		for (char *p = *item; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p + ('a' - 'A'));
		if ((*item)[strspn(*item, "abcdefghijklmnopqrstuvwxyz0123456789-.")])
			return expected(config, o, e,
				"domains such as example.com, international ones as xn--");
	}
	return err;
}

/* Dotted decimal, from a root arc of 0 to 2, without leading zeros. */
static bool is_oid(const char *s)
{
	size_t arcs = 0;

	if (*s < '0' || *s > '2' || s[1] != '.')
		return false;
	for (; *s; arcs++) {
		size_t digits = strspn(s, "0123456789");

		if (digits == 0 || (digits > 1 && *s == '0'))
			return false;
		s += digits;
		if (*s && (*s != '.' || !s[1]))
			return false;
		s += *s == '.';
	}
	return arcs >= 2;
}

static enum err set_policies(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char ***out = member(config, o);
	enum err err = set_list(config, o, value, e);

	for (char **item = err ? NULL : *out; item && *item; item++)
		if (!is_oid(*item))
			return expected(config, o, e, "OIDs such as 1.3.6.1.4.1.32473.1");
	return err;
}

/* Index of value among the option's names, or -1 and an error that lists them. */
static int find_kind(
	const struct config *config, const struct option *o, const char *value, struct error *e)
{
	char what[256] = "one of";
	int kind = kind_find(o->names, o->name_count, value);

	if (kind >= 0)
		return kind;
	for (size_t i = 0; i < o->name_count; i++) {
		size_t len = strlen(what);

		snprintf(what + len, sizeof(what) - len, "%s %s", i ? "," : "", o->names[i]);
	}
	expected(config, o, e, o->name_count > 1 ? what : o->names[0]);
	return -1;
}

/* For keys whose values have no choice yet: there is nothing to store. */
static enum err check_kind(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	return find_kind(config, o, value, e) < 0 ? ERR_CONFIG : ERR_OK;
}

static enum err set_kind(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	int kind = find_kind(config, o, value, e);

	if (kind < 0)
		return ERR_CONFIG;
	*(unsigned *)member(config, o) = (unsigned)kind;
	return ERR_OK;
}

/* [certificates] key: for each usage that has no key of its own. */
static enum err set_keys(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	static const char *const own[USAGE_COUNT] = {
		[USAGE_SIGNING] = "signing-key",
		[USAGE_ENCRYPTION] = "encryption-key",
	};
	unsigned *out = member(config, o);
	int kind = find_kind(config, o, value, e);

	if (kind < 0)
		return ERR_CONFIG;
	for (size_t usage = 0; usage < USAGE_COUNT; usage++)
		if (!*config_line(config, config_option(o->section, own[usage])))
			out[usage] = (unsigned)kind;
	return ERR_OK;
}

static enum err set_usages(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	bool *out = member(config, o);
	char **items = text_list(value);
	bool good;

	if (!items)
		return error_memory(e);
	memset(out, 0, USAGE_COUNT * sizeof(*out));
	good = *items != NULL;
	for (char **item = items; *item && good; item++) {
		int usage = kind_find(usage_names, USAGE_COUNT, *item);

		good = usage >= 0;
		if (good)
			out[usage] = true;
	}
	free(items);
	return good ? ERR_OK : expected(config, o, e, "signing, encryption or both");
}

static enum err set_duration(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	bool days = o->max % DAY == 0;
	int64_t n = 0;

	if (!text_duration(value, INT64_MAX, &n) || n < o->min || n > o->max)
		return config_error(config, o->section, o->key, e,
			"expected a duration such as 90s, 10m, 12h or 365d, from %llds to %lld%s",
			(long long)o->min, (long long)(days ? o->max / DAY : o->max),
			days ? "d" : "s");
	*(int64_t *)member(config, o) = n;
	return ERR_OK;
}

static enum err set_size(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	int64_t n = 0;

	if (!text_size(value, INT64_MAX, &n) || n < o->min || n > o->max)
		return config_error(config, o->section, o->key, e,
			"expected a size such as 4096, 64k or 1m, from %lld to %lld bytes",
			(long long)o->min, (long long)o->max);
	*(size_t *)member(config, o) = (size_t)n;
	return ERR_OK;
}

static enum err read_number(const struct config *config, const struct option *o, const char *value,
	int64_t *out, struct error *e)
{
	int64_t n = 0;

	if (!text_number(value, INT64_MAX, &n) || n < o->min || n > o->max)
		return config_error(config, o->section, o->key, e,
			"expected a number from %lld to %lld", (long long)o->min,
			(long long)o->max);
	*out = n;
	return ERR_OK;
}

static enum err set_count(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	int64_t n = 0;
	enum err err = read_number(config, o, value, &n, e);

	if (!err)
		*(size_t *)member(config, o) = (size_t)n;
	return err;
}

static enum err set_unsigned(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	int64_t n = 0;
	enum err err = read_number(config, o, value, &n, e);

	if (!err)
		*(unsigned *)member(config, o) = (unsigned)n;
	return err;
}

static bool is_url(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(url, scheme, len) == 0 && url[len] && url[len] != '/' &&
	       !strpbrk(url, " \"<>\\^`{|}");
}

static enum err set_escrow_urls(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char ***out = member(config, o);
	enum err err = set_list(config, o, value, e);

	if (err)
		return err;
	for (char **url = *out; *url; url++) {
		size_t len = strlen(*url);

		if (!is_url(*url, "https://") || strpbrk(*url, "@?#"))
			return expected(config, o, e,
				"https:// URLs without credentials, query or fragment");
		while (len && (*url)[len - 1] == '/')
			(*url)[--len] = '\0';
	}
	return **out ? ERR_OK : expected(config, o, e, "at least one https:// URL");
}

static enum err set_public_url(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	if (!is_url(value, "http://") && !is_url(value, "https://"))
		return expected(config, o, e, "an http:// URL");
	return set_text(config, o, value, e);
}

static enum err set_store(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	size_t prefix = strlen(SQLITE_PREFIX);

	if (strncmp(value, SQLITE_PREFIX, prefix) != 0 || !value[prefix])
		return expected(config, o, e, "sqlite:FILE (this version has no other engine)");
	return set_path(config, o, value + prefix, e);
}

static enum err set_pinned_key(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	struct buf digest = BUF_INIT(64);
	size_t prefix = strlen(PINNED_PREFIX);
	bool good = strncmp(value, PINNED_PREFIX, prefix) == 0 &&
		    strlen(value + prefix) == PINNED_DIGITS &&
		    text_unbase64(value + prefix, PINNED_DIGITS, &digest) && digest.len == 32;

	buf_free(&digest);
	return good ? set_text(config, o, value, e)
		    : expected(config, o, e,
			      "sha256// and the base64 of a SHA-256 of the public key");
}

/* --- the keys */

static const char *const authenticate_names[] = {"basic", "web-server", "none"};
static const char *const unenroll_names[] = {"keep", "revoke-signing", "revoke-all"};
static const char *const scope_names[] = {"device", "user"};
static const char *const profile_names[] = {"legacy", "modern"};
/* Values that the format has, but this version can only take one of. */
static const char *const source_names[] = {"event"};
static const char *const ca_names[] = {"local"};

/* Where the value goes; texts and lists are memory of their own. */
#define AT(m) \
	.offset = offsetof(struct config, m), \
	.allocated = _Generic(((struct config *)0)->m, char *: true, char **: true, default: false)
#define NAMES(n) .names = (n), .name_count = ARRAY_LEN(n)
#define RANGE(lo, hi) .min = (lo), .max = (hi)
#define DEFAULT(text) .fallback = (text)

/* clang-format off */
const struct option config_options[] = {
	{"events", "users-file", set_path, AT(events.users_file)},
	{"events", "authenticate", set_kind, AT(events.authenticate),
		NAMES(authenticate_names), DEFAULT("basic")},
	{"events", "max-body", set_size, AT(events.max_body),
		RANGE(1024, 1024 * 1024), DEFAULT("64k")},
	{"events", "on-unenroll", set_kind, AT(events.on_unenroll),
		NAMES(unenroll_names), DEFAULT("keep")},

	{"admin", "users-file", set_path, AT(admin.users_file)},

	{"identity", "source", check_kind, NAMES(source_names), DEFAULT("event")},
	{"identity", "mail", set_templates, AT(identity.mail),
		DEFAULT("{EnrollmentEmailAddress}")},
	{"identity", "name", set_text, AT(identity.name), DEFAULT("{EnrollmentUserName}")},
	{"identity", "subject", set_text, AT(identity.subject), DEFAULT("CN={name}")},
	{"identity", "allowed-domains", set_domains, AT(identity.allowed_domains), DEFAULT("")},

	{"certificates", "usages", set_usages, AT(certificates.usages),
		DEFAULT("signing, encryption")},
	{"certificates", "signing-scope", set_kind, AT(certificates.signing_scope),
		NAMES(scope_names), DEFAULT("device")},
	{"certificates", "key", set_keys, AT(certificates.key),
		NAMES(key_type_names), DEFAULT("rsa-2048")},
	{"certificates", "signing-key", set_kind, AT(certificates.key[USAGE_SIGNING]),
		NAMES(key_type_names)},
	{"certificates", "encryption-key", set_kind, AT(certificates.key[USAGE_ENCRYPTION]),
		NAMES(key_type_names)},
	{"certificates", "validity", set_duration, AT(certificates.validity),
		RANGE(DAY, 3650 * DAY), DEFAULT("365d")},
	{"certificates", "policies", set_policies, AT(certificates.policies), DEFAULT("")},
	{"certificates", "renew-within", set_duration, AT(certificates.renew_within),
		RANGE(0, 3650 * DAY), DEFAULT("30d")},
	{"certificates", "archive-max", set_count, AT(certificates.archive_max),
		RANGE(0, 1000), DEFAULT("20")},
	{"certificates", "key-pool", set_count, AT(certificates.key_pool),
		RANGE(0, 256), DEFAULT("32")},

	{"ca", "type", check_kind, NAMES(ca_names), DEFAULT("local")},
	{"ca", "certificate", set_path, AT(ca.certificate), DEFAULT("ca.crt")},
	{"ca", "key", set_path, AT(ca.key), DEFAULT("ca.key")},
	{"ca", "crl-url", set_public_url, AT(ca.crl_url)},
	{"ca", "issuer-url", set_public_url, AT(ca.issuer_url)},
	{"ca", "crl-validity", set_duration, AT(ca.crl_validity),
		RANGE(3600, 365 * DAY), DEFAULT("7d")},

	{"escrow", "url", set_escrow_urls, AT(escrow.urls)},
	{"escrow", "identity", set_path, AT(escrow.identity)},
	{"escrow", "identity-password-file", set_path, AT(escrow.identity_password_file)},
	{"escrow", "ca-file", set_path, AT(escrow.ca_file)},
	{"escrow", "pinned-key", set_pinned_key, AT(escrow.pinned_key)},
	{"escrow", "pkcs12", set_kind, AT(escrow.pkcs12), NAMES(profile_names), DEFAULT("legacy")},
	{"escrow", "pkcs12-iterations", set_unsigned, AT(escrow.pkcs12_iterations),
		RANGE(1000, 1000000)},
	{"escrow", "pkcs12-password-file", set_path, AT(escrow.pkcs12_password_file)},
	{"escrow", "timeout", set_duration, AT(escrow.timeout), RANGE(1, 300), DEFAULT("20s")},
	{"escrow", "max-rate", set_unsigned, AT(escrow.max_rate), RANGE(1, 1000), DEFAULT("30")},

	{"store", "url", set_store, AT(store.sqlite), DEFAULT("sqlite:certprov.db")},
	{"store", "key-file", set_path, AT(store.key_file), DEFAULT("store.key")},

	{"log", "target", set_kind, AT(log.target), NAMES(log_target_names), DEFAULT("stderr")},
	{"log", "format", set_kind, AT(log.format), NAMES(log_format_names), DEFAULT("text")},
	{"log", "level", set_kind, AT(log.level), NAMES(log_level_names), DEFAULT("info")},
};
/* clang-format on */

const size_t config_option_count = ARRAY_LEN(config_options);

const struct option *config_option(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(config_options); i++) {
		const struct option *o = &config_options[i];

		if (strcmp(o->section, section) == 0 && (!key || strcmp(o->key, key) == 0))
			return o;
	}
	return NULL;
}

unsigned *config_line(const struct config *config, const struct option *o)
{
	return &config->lines[o - config_options];
}

enum err config_set_defaults(struct config *config, struct error *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < ARRAY_LEN(config_options) && !err; i++) {
		const struct option *o = &config_options[i];

		if (o->fallback && !*config_line(config, o))
			err = o->set(config, o, o->fallback, e);
	}
	if (!config->escrow.pkcs12_iterations)
		config->escrow.pkcs12_iterations =
			config->escrow.pkcs12 == PKCS12_LEGACY ? 2048 : 10000;
	return err;
}

enum err config_check_whole(const struct config *config, struct error *e)
{
	bool basic = config->events.authenticate == AUTHENTICATE_BASIC;

	if (basic && !config->events.users_file)
		return config_error(config, "events", "users-file", e,
			"missing; authenticate = basic needs it");
	if (!basic && config->events.users_file)
		return config_error(
			config, "events", "users-file", e, "only authenticate = basic uses it");
	if (basic && config->admin.users_file &&
		strcmp(config->admin.users_file, config->events.users_file) == 0)
		return config_error(config, "admin", "users-file", e,
			"must be another file than [events] users-file");
	if (!config->escrow.urls)
		return config_error(config, "escrow", "url", e, "missing");
	if (!config->escrow.identity)
		return config_error(config, "escrow", "identity", e, "missing");
	if (config->certificates.renew_within >= config->certificates.validity)
		return config_error(
			config, "certificates", "renew-within", e, "must be shorter than validity");
	return ERR_OK;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < ARRAY_LEN(config_options); i++) {
		void *value = NULL;

		if (!config_options[i].allocated)
			continue;
		memcpy(&value, member(config, &config_options[i]), sizeof(value));
		free(value);
	}
	free(config->lines);
	free(config->path);
	free(config);
}

enum err config_error(const struct config *config, const char *section, const char *key,
	struct error *e, const char *fmt, ...)
{
	const struct option *o = config_option(section, key);
	unsigned line = o ? *config_line(config, o) : 0;
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
