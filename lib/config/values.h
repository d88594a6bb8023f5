#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>

#include "config/keys.h"

/*
 * Setters for the keys of the table in keys.c: each stores a value or refuses it, ERR_CONFIG with
 * its place in the file.
 */
config_setter config_set_text, config_set_path, config_set_path_or_token, config_set_templates,
	config_set_domains, config_set_policies, config_set_kind, config_set_keys,
	config_set_usages, config_set_duration, config_set_size, config_set_count,
	config_set_unsigned, config_set_switch, config_set_escrow_urls, config_set_ca_url,
	config_set_public_url, config_set_proxy, config_set_store, config_set_pinned_key,
	config_set_ldap_url, config_set_attribute;

/* Returns true if it is an ldap:// URL of this machine, where TLS is not needed. */
bool config_is_local_ldap(const char *value);

/* Returns true if it is a pkcs11: URL. */
bool config_is_token(const char *value);

#endif
