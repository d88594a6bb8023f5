/* The table of all keys of the configuration file. */
#include "config/keys.h"

#include <string.h>

#include "config/values.h"

#define DAY 86400

static const char *const authenticate_names[] = {"basic", "web-server", "none"};
static const char *const conflict_names[] = {"refuse", "warn"};
static const char *const unenroll_names[] = {"keep", "revoke-signing", "revoke-all"};
static const char *const scope_names[] = {"device", "user"};
static const char *const auth_names[] = {"kerberos", "ntlm", "basic"};
static const char *const profile_names[] = {"legacy", "modern"};
static const char *const tls_max_names[] = {"1.3", "1.2"};
static const char *const source_names[] = {"event", "uem", "ldap"};

/* Where the value goes; texts and lists are allocated. */
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
#define REMOTE_TYPES (~T(LOCAL))
#define HTTP_TYPES (REMOTE_TYPES & ~T(COMMAND))
#define IDENTITY_TYPES (HTTP_TYPES & ~T(ADCS))

/* Each key of a CA has one of these: see enum ca_term. */
#define TERM .term = CA_TERM_YES
#define NO_TERM .term = CA_TERM_NO

/* clang-format off */
#define CA_KEYS(section, m) \
	{section, "type", config_set_kind, AT(m.type), NAMES(ca_type_names), DEFAULT("local"), \
		FOR(~0U), TERM}, \
	{section, "certificate", config_set_path, AT(m.certificate), DEFAULT("ca.crt"), FOR(T(LOCAL)), NO_TERM}, \
	{section, "key", config_set_path_or_token, AT(m.key), DEFAULT("ca.key"), FOR(T(LOCAL)), NO_TERM}, \
	{section, "crl-url", config_set_public_url, AT(m.crl_url), FOR(T(LOCAL)), NO_TERM}, \
	{section, "issuer-url", config_set_public_url, AT(m.issuer_url), FOR(T(LOCAL)), NO_TERM}, \
	{section, "crl-validity", config_set_duration, AT(m.crl_validity), \
		RANGE(3600, 365 * DAY), DEFAULT("7d"), FOR(T(LOCAL)), NO_TERM}, \
	{section, "url", config_set_ca_url, AT(m.url), NEEDED(HTTP_TYPES), TERM}, \
	{section, "timeout", config_set_duration, AT(m.timeout), \
		RANGE(1, 120), DEFAULT("30s"), FOR(REMOTE_TYPES), NO_TERM}, \
	{section, "ca-file", config_set_path, AT(m.ca_file), FOR(HTTP_TYPES), NO_TERM}, \
	{section, "proxy", config_set_proxy, AT(m.proxy), FOR(HTTP_TYPES), NO_TERM}, \
	{section, "issuer-file", config_set_path, AT(m.issuer_file), FOR(REMOTE_TYPES), NO_TERM}, \
	{section, "validity-leeway", config_set_duration, AT(m.validity_leeway), \
		RANGE(0, 3650 * DAY), DEFAULT("24h"), FOR(REMOTE_TYPES), NO_TERM}, \
	{section, "identity", config_set_path_or_token, AT(m.identity), FOR(IDENTITY_TYPES), NO_TERM}, \
	{section, "identity-password-file", config_set_path, AT(m.identity_password_file), \
		FOR(IDENTITY_TYPES), NO_TERM}, \
	{section, "username", config_set_text, AT(m.username), FOR(T(EST) | T(ADCS)), NO_TERM}, \
	{section, "password-file", config_set_path, AT(m.password_file), FOR(T(EST) | T(ADCS)), NO_TERM}, \
	{section, "label", config_set_text, AT(m.label), FOR(T(EST) | T(CFSSL)), TERM}, \
	{section, "ca-name", config_set_text, AT(m.name), NEEDED(T(EJBCA)), TERM}, \
	{section, "certificate-profile", config_set_text, AT(m.certificate_profile), NEEDED(T(EJBCA)), TERM}, \
	{section, "end-entity-profile", config_set_text, AT(m.end_entity_profile), NEEDED(T(EJBCA)), TERM}, \
	{section, "template", config_set_text, AT(m.template), NEEDED(T(ADCS)), TERM}, \
	{section, "auth", config_set_kind, AT(m.auth), NAMES(auth_names), DEFAULT("kerberos"), \
		FOR(T(ADCS)), NO_TERM}, \
	{section, "principal", config_set_text, AT(m.principal), FOR(T(ADCS)), NO_TERM}, \
	{section, "keytab", config_set_path, AT(m.keytab), FOR(T(ADCS)), NO_TERM}, \
	{section, "mount", config_set_text, AT(m.mount), DEFAULT("pki"), FOR(T(VAULT)), TERM}, \
	{section, "role", config_set_text, AT(m.role), NEEDED(T(VAULT)), TERM}, \
	{section, "namespace", config_set_text, AT(m.namespace), FOR(T(VAULT)), TERM}, \
	{section, "token-file", config_set_path, AT(m.token_file), FOR(T(VAULT)), NO_TERM}, \
	{section, "role-id", config_set_text, AT(m.role_id), FOR(T(VAULT)), NO_TERM}, \
	{section, "secret-id-file", config_set_path, AT(m.secret_id_file), FOR(T(VAULT)), NO_TERM}, \
	{section, "provisioner", config_set_text, AT(m.provisioner), NEEDED(T(STEP)), TERM}, \
	{section, "jwk-file", config_set_path, AT(m.jwk_file), FOR(T(STEP)), NO_TERM}, \
	{section, "jwk-password-file", config_set_path, AT(m.jwk_password_file), FOR(T(STEP)), NO_TERM}, \
	{section, "profile", config_set_text, AT(m.profile), FOR(T(CFSSL)), TERM}, \
	{section, "auth-key-file", config_set_path, AT(m.auth_key_file), FOR(T(CFSSL)), NO_TERM}, \
	{section, "program", config_set_path, AT(m.program), NEEDED(T(COMMAND)), TERM}
/* clang-format on */

/* clang-format off */
const struct config_key config_keys[] = {
	{"events", "users-file", config_set_path, AT(events.users_file)},
	{"events", "authenticate", config_set_kind, AT(events.authenticate),
		NAMES(authenticate_names), DEFAULT("basic")},
	{"events", "max-body", config_set_size, AT(events.max_body),
		RANGE(1024, 1024 * 1024), DEFAULT("64k")},
	{"events", "on-unenroll", config_set_kind, AT(events.on_unenroll),
		NAMES(unenroll_names), DEFAULT("keep")},
	{"events", "shared-devices", config_set_switch, AT(events.shared_devices), DEFAULT("no")},

	{"admin", "users-file", config_set_path, AT(admin.users_file)},

	{"identity", "source", config_set_kind, AT(identity.source),
		NAMES(source_names), DEFAULT("event")},
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
	{"escrow", "proxy", config_set_proxy, AT(escrow.proxy)},
	{"escrow", "pkcs12", config_set_kind, AT(escrow.pkcs12), NAMES(profile_names), DEFAULT("legacy")},
	{"escrow", "pkcs12-iterations", config_set_unsigned, AT(escrow.pkcs12_iterations),
		RANGE(1000, 1000000)},
	{"escrow", "pkcs12-password-file", config_set_path, AT(escrow.pkcs12_password_file)},
	{"escrow", "tls-max", config_set_kind, AT(escrow.tls_max), NAMES(tls_max_names), DEFAULT("1.3")},
	{"escrow", "timeout", config_set_duration, AT(escrow.timeout), RANGE(1, 300), DEFAULT("20s")},
	{"escrow", "max-rate", config_set_unsigned, AT(escrow.max_rate), RANGE(1, 1000), DEFAULT("30")},

	{"store", "url", config_set_store, AT(store.sqlite), DEFAULT("sqlite:certprov.db")},
	{"store", "key-file", config_set_path, AT(store.key_file), DEFAULT("store.key")},

	{"uem", "url", config_set_ca_url, AT(uem.url)},
	{"uem", "token-url", config_set_ca_url, AT(uem.token_url)},
	{"uem", "client-id", config_set_text, AT(uem.client_id)},
	{"uem", "client-secret-file", config_set_path, AT(uem.client_secret_file)},
	{"uem", "username", config_set_text, AT(uem.username)},
	{"uem", "password-file", config_set_path, AT(uem.password_file)},
	{"uem", "tenant-code-file", config_set_path, AT(uem.tenant_code_file)},
	{"uem", "ca-file", config_set_path, AT(uem.ca_file)},
	{"uem", "proxy", config_set_proxy, AT(uem.proxy)},
	{"uem", "confirm", config_set_switch, AT(uem.confirm), DEFAULT("yes")},
	{"uem", "confirm-age", config_set_duration, AT(uem.confirm_age),
		RANGE(60, 365 * DAY), DEFAULT("24h")},
	{"uem", "timeout", config_set_duration, AT(uem.timeout), RANGE(1, 120), DEFAULT("10s")},

	{"ldap", "url", config_set_ldap_url, AT(ldap.url)},
	{"ldap", "bind-dn", config_set_text, AT(ldap.bind_dn)},
	{"ldap", "password-file", config_set_path, AT(ldap.password_file)},
	{"ldap", "identity", config_set_path, AT(ldap.identity)},
	{"ldap", "identity-password-file", config_set_path, AT(ldap.identity_password_file)},
	{"ldap", "base", config_set_text, AT(ldap.base)},
	{"ldap", "filter", config_set_text, AT(ldap.filter)},
	{"ldap", "mail-attribute", config_set_attribute, AT(ldap.mail_attribute), DEFAULT("mail")},
	{"ldap", "name-attribute", config_set_attribute, AT(ldap.name_attribute)},
	{"ldap", "ca-file", config_set_path, AT(ldap.ca_file)},
	{"ldap", "timeout", config_set_duration, AT(ldap.timeout), RANGE(1, 120), DEFAULT("10s")},

	{"log", "target", config_set_kind, AT(log.target), NAMES(log_target_names), DEFAULT("auto")},
	{"log", "format", config_set_kind, AT(log.format), NAMES(log_format_names), DEFAULT("text")},
	{"log", "level", config_set_kind, AT(log.level), NAMES(log_level_names), DEFAULT("info")},
};
/* clang-format on */

const size_t config_key_count = ARRAY_LEN(config_keys);

const char *config_key_text(const struct config *config, const struct config_key *k)
{
	const char *text = NULL;

	memcpy(&text, (const char *)config + k->offset, sizeof(text));
	return text;
}

const struct config_key *config_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(config_keys); i++) {
		const struct config_key *k = &config_keys[i];

		if (strcmp(k->section, section) == 0 && (!name || strcmp(k->name, name) == 0))
			return k;
	}
	return NULL;
}

unsigned *config_key_line(const struct config *config, const struct config_key *k)
{
	return &config->lines[k - config_keys];
}
