/* The rules across keys: those that need, exclude or bound one another. */
#include "config/rules.h"

#include <string.h>

#include "config/keys.h"
#include "config/values.h"

enum err config_rules_identity(
	const struct config *config, const char *section, const char *identity, struct error *e)
{
	static const char key[] = "identity-password-file";

	if (!identity || !config_is_token(identity) ||
		!*config_key_line(config, config_key_find(section, key)))
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
	return config_rules_identity(config, "escrow", config->escrow.identity, e);
}

static enum err check_times(const struct config *config, struct error *e)
{
	if (config->certificates.renew_within >= config->certificates.validity)
		return config_error(
			config, "certificates", "renew-within", e, "must be shorter than validity");
	return ERR_OK;
}

/* [uem] must name exactly one way to log in, with all its keys. */
static enum err check_uem_login(const struct config *config, struct error *e)
{
	bool oauth =
		config->uem.token_url || config->uem.client_id || config->uem.client_secret_file;
	bool basic = config->uem.username || config->uem.password_file;

	if (oauth == basic)
		return config_error(config, "uem", oauth ? "username" : "token-url", e,
			oauth ? "one way to log in is enough: token-url, client-id and "
				"client-secret-file, or username and password-file"
			      : "missing; [uem] needs token-url, client-id and "
				"client-secret-file, or username and password-file");
	if (oauth &&
		!(config->uem.token_url && config->uem.client_id && config->uem.client_secret_file))
		return config_error(config, "uem", "token-url", e,
			"token-url, client-id and client-secret-file go together");
	if (basic && !(config->uem.username && config->uem.password_file))
		return config_error(
			config, "uem", "username", e, "username and password-file go together");
	if (basic && !config->uem.tenant_code_file)
		return config_error(
			config, "uem", "tenant-code-file", e, "missing; username needs it");
	return ERR_OK;
}

/* ERR_CONFIG if the section has a key, as it lacks its url. */
static enum err check_no_section(const struct config *config, const char *section, struct error *e)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0 &&
			*config_key_line(config, &config_keys[i]))
			return config_error(
				config, section, "url", e, "missing; [%s] needs it", section);
	return ERR_OK;
}

static enum err check_uem(const struct config *config, struct error *e)
{
	enum err err;

	if (config->uem.url)
		return check_uem_login(config, e);
	err = check_no_section(config, "uem", e);
	if (!err && config->identity.source == IDENTITY_UEM)
		err = config_error(
			config, "identity", "source", e, "source = uem needs a section [uem]");
	return err;
}

static enum err check_ldap_keys(const struct config *config, struct error *e)
{
	bool clear = config_is_local_ldap(config->ldap.url);

	if (!config->ldap.base)
		return config_error(config, "ldap", "base", e, "missing");
	if (!config->ldap.filter)
		return config_error(config, "ldap", "filter", e,
			"missing; it may be (sAMAccountName={EnrollmentUserName})");
	if (!config->ldap.bind_dn != !config->ldap.password_file)
		return config_error(
			config, "ldap", "bind-dn", e, "bind-dn and password-file go together");
	if (config->ldap.bind_dn && config->ldap.identity)
		return config_error(config, "ldap", "identity", e,
			"one way to log in is enough: bind-dn and password-file, or identity");
	if (config->ldap.identity_password_file && !config->ldap.identity)
		return config_error(
			config, "ldap", "identity-password-file", e, "only identity uses it");
	if (config->ldap.identity && !config->ldap.ca_file)
		return config_error(config, "ldap", "ca-file", e, "missing; identity needs TLS");
	if (!config->ldap.ca_file && !clear)
		return config_error(config, "ldap", "ca-file", e,
			"missing; it has the CA of the directory's certificate (only localhost by "
			"ldap:// may do without TLS)");
	return ERR_OK;
}

static enum err check_ldap(const struct config *config, struct error *e)
{
	bool wanted = config->identity.source == IDENTITY_LDAP;
	enum err err;

	if (config->ldap.url && !wanted)
		return config_error(
			config, "ldap", "url", e, "only source = ldap in [identity] uses it");
	if (config->ldap.url)
		return check_ldap_keys(config, e);
	err = check_no_section(config, "ldap", e);
	if (!err && wanted)
		err = config_error(
			config, "identity", "source", e, "source = ldap needs a section [ldap]");
	return err;
}

enum err config_rules_check(
	const struct config *config, struct config_faults *faults, struct error *e)
{
	static enum err (*const checks[])(const struct config *config, struct error *e) = {
		check_users, check_admin, check_url, check_identity, check_times, check_uem,
		check_ldap};
	enum err err = ERR_OK;

	for (size_t i = 0; i < ARRAY_LEN(checks) && !err; i++)
		err = config_tell(faults, checks[i](config, e), e);
	return err;
}
