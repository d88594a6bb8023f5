#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/values.h"

#define DAY 86400

static const char *const authenticate_names[] = {"basic", "web-server", "none"};
static const char *const conflict_names[] = {"refuse", "warn"};
static const char *const unenroll_names[] = {"keep", "revoke-signing", "revoke-all"};
static const char *const scope_names[] = {"device", "user"};
static const char *const auth_names[] = {"kerberos", "ntlm", "basic"};
static const char *const profile_names[] = {"legacy", "modern"};
static const char *const tls_max_names[] = {"1.3", "1.2"};
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

/* Each key of a CA has one of these: see ca_terms_class. */
#define TERMS .terms = CA_TERMS_PART
#define APART .terms = CA_TERMS_APART

/* clang-format off */
#define CA_KEYS(section, m) \
	{section, "type", config_set_kind, AT(m.type), NAMES(ca_type_names), DEFAULT("local"), \
		FOR(~0U), TERMS}, \
	{section, "certificate", config_set_path, AT(m.certificate), DEFAULT("ca.crt"), FOR(T(LOCAL)), APART}, \
	{section, "key", config_set_path_or_token, AT(m.key), DEFAULT("ca.key"), FOR(T(LOCAL)), APART}, \
	{section, "crl-url", config_set_public_url, AT(m.crl_url), FOR(T(LOCAL)), APART}, \
	{section, "issuer-url", config_set_public_url, AT(m.issuer_url), FOR(T(LOCAL)), APART}, \
	{section, "crl-validity", config_set_duration, AT(m.crl_validity), \
		RANGE(3600, 365 * DAY), DEFAULT("7d"), FOR(T(LOCAL)), APART}, \
	{section, "url", config_set_ca_url, AT(m.url), NEEDED(HTTP_TYPES), TERMS}, \
	{section, "timeout", config_set_duration, AT(m.timeout), \
		RANGE(1, 120), DEFAULT("30s"), FOR(REMOTE_TYPES), APART}, \
	{section, "ca-file", config_set_path, AT(m.ca_file), FOR(HTTP_TYPES), APART}, \
	{section, "issuer-file", config_set_path, AT(m.issuer_file), FOR(REMOTE_TYPES), APART}, \
	{section, "validity-leeway", config_set_duration, AT(m.validity_leeway), \
		RANGE(0, 3650 * DAY), DEFAULT("24h"), FOR(REMOTE_TYPES), APART}, \
	{section, "identity", config_set_path_or_token, AT(m.identity), FOR(IDENTITY_TYPES), APART}, \
	{section, "identity-password-file", config_set_path, AT(m.identity_password_file), \
		FOR(IDENTITY_TYPES), APART}, \
	{section, "username", config_set_text, AT(m.username), FOR(T(EST) | T(ADCS)), APART}, \
	{section, "password-file", config_set_path, AT(m.password_file), FOR(T(EST) | T(ADCS)), APART}, \
	{section, "label", config_set_text, AT(m.label), FOR(T(EST) | T(CFSSL)), TERMS}, \
	{section, "ca-name", config_set_text, AT(m.name), NEEDED(T(EJBCA)), TERMS}, \
	{section, "certificate-profile", config_set_text, AT(m.certificate_profile), NEEDED(T(EJBCA)), TERMS}, \
	{section, "end-entity-profile", config_set_text, AT(m.end_entity_profile), NEEDED(T(EJBCA)), TERMS}, \
	{section, "template", config_set_text, AT(m.template), NEEDED(T(ADCS)), TERMS}, \
	{section, "auth", config_set_kind, AT(m.auth), NAMES(auth_names), DEFAULT("kerberos"), \
		FOR(T(ADCS)), APART}, \
	{section, "principal", config_set_text, AT(m.principal), FOR(T(ADCS)), APART}, \
	{section, "keytab", config_set_path, AT(m.keytab), FOR(T(ADCS)), APART}, \
	{section, "mount", config_set_text, AT(m.mount), DEFAULT("pki"), FOR(T(VAULT)), TERMS}, \
	{section, "role", config_set_text, AT(m.role), NEEDED(T(VAULT)), TERMS}, \
	{section, "namespace", config_set_text, AT(m.namespace), FOR(T(VAULT)), TERMS}, \
	{section, "token-file", config_set_path, AT(m.token_file), FOR(T(VAULT)), APART}, \
	{section, "role-id", config_set_text, AT(m.role_id), FOR(T(VAULT)), APART}, \
	{section, "secret-id-file", config_set_path, AT(m.secret_id_file), FOR(T(VAULT)), APART}, \
	{section, "provisioner", config_set_text, AT(m.provisioner), NEEDED(T(STEP)), TERMS}, \
	{section, "jwk-file", config_set_path, AT(m.jwk_file), FOR(T(STEP)), APART}, \
	{section, "jwk-password-file", config_set_path, AT(m.jwk_password_file), FOR(T(STEP)), APART}, \
	{section, "profile", config_set_text, AT(m.profile), FOR(T(CFSSL)), TERMS}, \
	{section, "auth-key-file", config_set_path, AT(m.auth_key_file), FOR(T(CFSSL)), APART}, \
	{section, "program", config_set_path, AT(m.program), NEEDED(T(COMMAND)), TERMS}
/* clang-format on */

/* clang-format off */
const struct option config_options[] = {
	{"events", "users-file", config_set_path, AT(events.users_file)},
	{"events", "authenticate", config_set_kind, AT(events.authenticate),
		NAMES(authenticate_names), DEFAULT("basic")},
	{"events", "max-body", config_set_size, AT(events.max_body),
		RANGE(1024, 1024 * 1024), DEFAULT("64k")},
	{"events", "on-unenroll", config_set_kind, AT(events.on_unenroll),
		NAMES(unenroll_names), DEFAULT("keep")},
	{"events", "shared-devices", config_set_switch, AT(events.shared_devices), DEFAULT("no")},

	{"admin", "users-file", config_set_path, AT(admin.users_file)},

	{"identity", "source", config_check_kind, NAMES(source_names), DEFAULT("event")},
	{"identity", "mail", config_set_templates, AT(identity.mail),
		DEFAULT("{EnrollmentEmailAddress}")},
	{"identity", "name", config_set_text, AT(identity.name), DEFAULT("{EnrollmentUserName}")},
	{"identity", "subject", config_set_text, AT(identity.subject), DEFAULT("CN={name}")},
	{"identity", "allowed-domains", config_set_domains, AT(identity.allowed_domains), DEFAULT("")},
	{"identity", "address-conflict", config_set_kind, AT(identity.address_conflict),
		NAMES(conflict_names), DEFAULT("refuse")},

	{"certificates", "usages", config_set_usages, AT(certificates.usages),
		DEFAULT("signing, encryption")},
	{"certificates", "signing-scope", config_set_kind, AT(certificates.signing_scope),
		NAMES(scope_names), DEFAULT("device")},
	{"certificates", "key", config_set_keys, AT(certificates.key),
		NAMES(key_type_names), DEFAULT("rsa-2048")},
	{"certificates", "signing-key", config_set_kind, AT(certificates.key[USAGE_SIGNING]),
		NAMES(key_type_names)},
	{"certificates", "encryption-key", config_set_kind, AT(certificates.key[USAGE_ENCRYPTION]),
		NAMES(key_type_names)},
	{"certificates", "validity", config_set_duration, AT(certificates.validity),
		RANGE(DAY, 3650 * DAY), DEFAULT("365d")},
	{"certificates", "policies", config_set_policies, AT(certificates.policies), DEFAULT("")},
	{"certificates", "renew-within", config_set_duration, AT(certificates.renew_within),
		RANGE(0, 3650 * DAY), DEFAULT("30d")},
	{"certificates", "archive-max", config_set_count, AT(certificates.archive_max),
		RANGE(0, 1000), DEFAULT("20")},
	{"certificates", "key-pool", config_set_count, AT(certificates.key_pool),
		RANGE(0, 256), DEFAULT("32")},

	CA_KEYS("ca", ca),
	CA_KEYS("ca signing", ca_for[USAGE_SIGNING]),
	CA_KEYS("ca encryption", ca_for[USAGE_ENCRYPTION]),

	{"escrow", "url", config_set_escrow_urls, AT(escrow.urls)},
	{"escrow", "identity", config_set_path_or_token, AT(escrow.identity)},
	{"escrow", "identity-password-file", config_set_path, AT(escrow.identity_password_file)},
	{"escrow", "ca-file", config_set_path, AT(escrow.ca_file)},
	{"escrow", "pinned-key", config_set_pinned_key, AT(escrow.pinned_key)},
	{"escrow", "pkcs12", config_set_kind, AT(escrow.pkcs12), NAMES(profile_names), DEFAULT("legacy")},
	{"escrow", "pkcs12-iterations", config_set_unsigned, AT(escrow.pkcs12_iterations),
		RANGE(1000, 1000000)},
	{"escrow", "pkcs12-password-file", config_set_path, AT(escrow.pkcs12_password_file)},
	{"escrow", "tls-max", config_set_kind, AT(escrow.tls_max), NAMES(tls_max_names), DEFAULT("1.3")},
	{"escrow", "timeout", config_set_duration, AT(escrow.timeout), RANGE(1, 300), DEFAULT("20s")},
	{"escrow", "max-rate", config_set_unsigned, AT(escrow.max_rate), RANGE(1, 1000), DEFAULT("30")},

	{"store", "url", config_set_store, AT(store.sqlite), DEFAULT("sqlite:certprov.db")},
	{"store", "key-file", config_set_path, AT(store.key_file), DEFAULT("store.key")},

	{"log", "target", config_set_kind, AT(log.target), NAMES(log_target_names), DEFAULT("auto")},
	{"log", "format", config_set_kind, AT(log.format), NAMES(log_format_names), DEFAULT("text")},
	{"log", "level", config_set_kind, AT(log.level), NAMES(log_level_names), DEFAULT("info")},
};
/* clang-format on */

const char *config_text(const struct config *config, const struct option *o)
{
	const char *text = NULL;

	memcpy(&text, (const char *)config + o->offset, sizeof(text));
	return text;
}

const char *config_next_file(const struct config *config, const char *section, size_t *at)
{
	while (*at < ARRAY_LEN(config_options)) {
		const struct option *o = &config_options[(*at)++];
		const char *path = o->allocated ? config_text(config, o) : NULL;

		if (strcmp(o->section, section) != 0 ||
			(o->set != config_set_path && o->set != config_set_path_or_token))
			continue;
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

static enum err check_users(const struct config *config, struct error *e)
{
	bool basic = config->events.authenticate == AUTHENTICATE_BASIC;

	if (basic && !config->events.users_file)
		return config_error(config, "events", "users-file", e,
			"missing; authenticate = basic needs it");
	if (!basic && config->events.users_file)
		return config_error(
			config, "events", "users-file", e, "only authenticate = basic uses it");
	return ERR_OK;
}

static enum err check_admin(const struct config *config, struct error *e)
{
	if (config->admin.users_file && config->events.users_file &&
		strcmp(config->admin.users_file, config->events.users_file) == 0)
		return config_error(config, "admin", "users-file", e,
			"must be another file than [events] users-file");
	return ERR_OK;
}

static enum err check_url(const struct config *config, struct error *e)
{
	return config->escrow.urls ? ERR_OK : config_error(config, "escrow", "url", e, "missing");
}

static enum err check_identity(const struct config *config, struct error *e)
{
	if (!config->escrow.identity)
		return config_error(config, "escrow", "identity", e, "missing");
	return config_check_identity(config, "escrow", config->escrow.identity, e);
}

static enum err check_times(const struct config *config, struct error *e)
{
	if (config->certificates.renew_within >= config->certificates.validity)
		return config_error(
			config, "certificates", "renew-within", e, "must be shorter than validity");
	return ERR_OK;
}

enum err config_check_whole(
	const struct config *config, struct config_faults *faults, struct error *e)
{
	static enum err (*const checks[])(const struct config *config, struct error *e) = {
		check_users, check_admin, check_url, check_identity, check_times};
	enum err err = ERR_OK;

	for (size_t i = 0; i < ARRAY_LEN(checks) && !err; i++)
		err = config_tell(faults, checks[i](config, e), e);
	return err ? err : config_ca_check(config, faults, e);
}

/* An error about a key whose value was refused before is no news. */
static bool is_known(const struct config_faults *faults, const struct error *e)
{
	char name[64];

	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];

		snprintf(name, sizeof(name), ": [%s] %s: ", o->section, o->key);
		if (faults->wrong[i] && strstr(e->text, name))
			return true;
	}
	return false;
}

enum err config_tell(struct config_faults *faults, enum err err, const struct error *e)
{
	if (!err || !faults->fault || err == ERR_INTERNAL)
		return err;
	if (!is_known(faults, e)) {
		faults->fault(faults->ctx, e->text);
		faults->count++;
	}
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
		memcpy(&value, (char *)config + config_options[i].offset, sizeof(value));
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
