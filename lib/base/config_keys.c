#include "base/config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DAY 86400
#define PINNED_PREFIX "sha256//"
#define PINNED_DIGITS 44 /* base64 of 32 bytes */
#define SQLITE_PREFIX "sqlite:"
#define TOKEN_PREFIX "pkcs11:"

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

bool config_is_token(const char *value)
{
	return strncmp(value, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0;
}

/* A file, or a key in a token (RFC 7512). */
static enum err set_path_or_token(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	return config_is_token(value) ? set_text(config, o, value, e)
				      : set_path(config, o, value, e);
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

static void drop_trailing_slashes(char *url)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		url[--len] = '\0';
}

static enum err set_escrow_urls(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	char ***out = member(config, o);
	enum err err = set_list(config, o, value, e);

	if (err)
		return err;
	for (char **url = *out; *url; url++) {
		if (!is_url(*url, "https://") || strpbrk(*url, "@?#"))
			return expected(config, o, e,
				"https:// URLs without credentials, query or fragment");
		drop_trailing_slashes(*url);
	}
	return **out ? ERR_OK : expected(config, o, e, "at least one https:// URL");
}

/* What runs on this machine may do without TLS: whoever listens there can read more than that. */
static bool is_local_url(const char *url)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t len = strlen(hosts[i]);

		if (strncmp(url, hosts[i], len) == 0 && (!url[len] || strchr(":/", url[len])))
			return true;
	}
	return false;
}

static enum err set_ca_url(
	struct config *config, const struct option *o, const char *value, struct error *e)
{
	enum err err = ERR_OK;

	if ((!is_url(value, "https://") && !is_local_url(value)) || strpbrk(value, "@?#"))
		return expected(config, o, e,
			"an https:// URL without credentials, query or fragment (http:// only to "
			"localhost)");
	err = set_text(config, o, value, e);
	if (!err)
		drop_trailing_slashes(*(char **)member(config, o));
	return err;
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
static const char *const auth_names[] = {"kerberos", "ntlm", "basic"};
static const char *const profile_names[] = {"legacy", "modern"};
/* Values that the format has, but this version can only take one of. */
static const char *const source_names[] = {"event"};

/* Where the value goes; texts and lists are memory of their own. */
#define AT(m) \
	.offset = offsetof(struct config, m), .size = sizeof(((struct config *)0)->m), \
	.allocated = _Generic(((struct config *)0)->m, char *: true, char **: true, default: false)
#define NAMES(n) .names = (n), .name_count = ARRAY_LEN(n)
#define RANGE(lo, hi) .min = (lo), .max = (hi)
#define DEFAULT(text) .fallback = (text)

/* The types of CA that a key is for. */
#define FOR(types_) .types = (types_)
#define NEEDED(types_) .types = (types_), .needed = (types_)
#define T(type) (1U << CA_##type)
#define HTTP_TYPES (T(EST) | T(EJBCA) | T(ADCS) | T(VAULT) | T(STEP) | T(CFSSL))
#define REMOTE_TYPES (HTTP_TYPES | T(COMMAND))
#define IDENTITY_TYPES (T(EST) | T(EJBCA) | T(VAULT) | T(STEP) | T(CFSSL))

/* clang-format off */
#define CA_KEYS(section, m) \
	{section, "type", set_kind, AT(m.type), NAMES(ca_type_names), DEFAULT("local"), \
		FOR(~0U)}, \
	{section, "certificate", set_path, AT(m.certificate), DEFAULT("ca.crt"), FOR(T(LOCAL))}, \
	{section, "key", set_path_or_token, AT(m.key), DEFAULT("ca.key"), FOR(T(LOCAL))}, \
	{section, "crl-url", set_public_url, AT(m.crl_url), FOR(T(LOCAL))}, \
	{section, "issuer-url", set_public_url, AT(m.issuer_url), FOR(T(LOCAL))}, \
	{section, "crl-validity", set_duration, AT(m.crl_validity), \
		RANGE(3600, 365 * DAY), DEFAULT("7d"), FOR(T(LOCAL))}, \
	{section, "url", set_ca_url, AT(m.url), NEEDED(HTTP_TYPES)}, \
	{section, "timeout", set_duration, AT(m.timeout), \
		RANGE(1, 120), DEFAULT("30s"), FOR(REMOTE_TYPES)}, \
	{section, "ca-file", set_path, AT(m.ca_file), FOR(HTTP_TYPES)}, \
	{section, "issuer-file", set_path, AT(m.issuer_file), FOR(REMOTE_TYPES)}, \
	{section, "identity", set_path_or_token, AT(m.identity), FOR(IDENTITY_TYPES)}, \
	{section, "identity-password-file", set_path, AT(m.identity_password_file), \
		FOR(IDENTITY_TYPES)}, \
	{section, "username", set_text, AT(m.username), FOR(T(EST) | T(ADCS))}, \
	{section, "password-file", set_path, AT(m.password_file), FOR(T(EST) | T(ADCS))}, \
	{section, "label", set_text, AT(m.label), FOR(T(EST) | T(CFSSL))}, \
	{section, "ca-name", set_text, AT(m.name), NEEDED(T(EJBCA))}, \
	{section, "certificate-profile", set_text, AT(m.certificate_profile), NEEDED(T(EJBCA))}, \
	{section, "end-entity-profile", set_text, AT(m.end_entity_profile), NEEDED(T(EJBCA))}, \
	{section, "template", set_text, AT(m.template), NEEDED(T(ADCS))}, \
	{section, "auth", set_kind, AT(m.auth), NAMES(auth_names), DEFAULT("kerberos"), \
		FOR(T(ADCS))}, \
	{section, "principal", set_text, AT(m.principal), FOR(T(ADCS))}, \
	{section, "keytab", set_path, AT(m.keytab), FOR(T(ADCS))}, \
	{section, "mount", set_text, AT(m.mount), DEFAULT("pki"), FOR(T(VAULT))}, \
	{section, "role", set_text, AT(m.role), NEEDED(T(VAULT))}, \
	{section, "namespace", set_text, AT(m.namespace), FOR(T(VAULT))}, \
	{section, "token-file", set_path, AT(m.token_file), FOR(T(VAULT))}, \
	{section, "role-id", set_text, AT(m.role_id), FOR(T(VAULT))}, \
	{section, "secret-id-file", set_path, AT(m.secret_id_file), FOR(T(VAULT))}, \
	{section, "provisioner", set_text, AT(m.provisioner), NEEDED(T(STEP))}, \
	{section, "jwk-file", set_path, AT(m.jwk_file), FOR(T(STEP))}, \
	{section, "jwk-password-file", set_path, AT(m.jwk_password_file), FOR(T(STEP))}, \
	{section, "profile", set_text, AT(m.profile), FOR(T(CFSSL))}, \
	{section, "auth-key-file", set_path, AT(m.auth_key_file), FOR(T(CFSSL))}, \
	{section, "program", set_path, AT(m.program), NEEDED(T(COMMAND))}
/* clang-format on */

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

	CA_KEYS("ca", ca),
	CA_KEYS("ca signing", ca_for[USAGE_SIGNING]),
	CA_KEYS("ca encryption", ca_for[USAGE_ENCRYPTION]),

	{"escrow", "url", set_escrow_urls, AT(escrow.urls)},
	{"escrow", "identity", set_path_or_token, AT(escrow.identity)},
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

const char *config_next_file(const struct config *config, const char *section, size_t *at)
{
	while (*at < ARRAY_LEN(config_options)) {
		const struct option *o = &config_options[(*at)++];
		const char *path = NULL;

		if (strcmp(o->section, section) != 0 ||
			(o->set != set_path && o->set != set_path_or_token))
			continue;
		memcpy(&path, (const char *)config + o->offset, sizeof(path));
		if (path && !config_is_token(path))
			return path;
	}
	return NULL;
}

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

		if (o->fallback && !o->types && !*config_line(config, o))
			err = o->set(config, o, o->fallback, e);
	}
	if (!err)
		err = config_ca_complete(config, e);
	if (!config->escrow.pkcs12_iterations)
		config->escrow.pkcs12_iterations =
			config->escrow.pkcs12 == PKCS12_LEGACY ? 2048 : 10000;
	return err;
}

enum err config_check_identity(
	const struct config *config, const char *section, const char *identity, struct error *e)
{
	static const char key[] = "identity-password-file";

	if (!identity || !config_is_token(identity) ||
		!*config_line(config, config_option(section, key)))
		return ERR_OK;
	return config_error(config, section, key, e,
		"an identity in a token has no password but a PIN: add ?pin-source=/FOLDER/FILE to "
		"its URL");
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
	if (config_check_identity(config, "escrow", config->escrow.identity, e))
		return e->code;
	if (config->certificates.renew_within >= config->certificates.validity)
		return config_error(
			config, "certificates", "renew-within", e, "must be shorter than validity");
	return config_ca_check(config, e);
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
	if (o && o->types && !line) { /* inherited? */
		section = "ca";
		line = *config_line(config, config_option(section, key));
	}
	if (line)
		snprintf(where, sizeof(where), ":%u", line);
	return error_field(
		e, ERR_CONFIG, key, "%s%s: [%s] %s: %s", config->path, where, section, key, text);
}
