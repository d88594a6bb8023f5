#ifndef CONFIG_CA_H
#define CONFIG_CA_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"

struct config;
struct config_faults;

enum ca_auth { CA_AUTH_KERBEROS, CA_AUTH_NTLM, CA_AUTH_BASIC };

/*
 * A certificate authority: [ca], [ca signing] or [ca encryption]. Keys that its type does not use
 * are NULL.
 */
struct config_ca {
	const char *section; /* its section, for config_error(); NULL: not configured */
	enum ca_type type;
	int64_t timeout; /* seconds, for one request */

	/* local */
	char *certificate;
	char *key; /* a file, or a pkcs11: URL (RFC 7512) */
	char *crl_url;
	char *issuer_url;
	int64_t crl_validity; /* seconds */

	/* all others: the server, our credentials, and what to trust */
	char *url; /* without a trailing slash */
	char *identity;
	char *identity_password_file;
	char *username;
	char *password_file;
	char *ca_file;
	char *proxy;
	char *issuer_file;
	int64_t validity_leeway; /* seconds that a certificate may be valid longer than requested */

	char *label;			     /* est */
	char *name, *certificate_profile;    /* ejbca */
	char *end_entity_profile;	     /* ejbca */
	char *template, *principal, *keytab; /* adcs */
	enum ca_auth auth;		     /* adcs */
	char *mount, *role, *namespace;	     /* vault */
	char *token_file, *role_id;	     /* vault */
	char *secret_id_file;		     /* vault */
	char *provisioner;		     /* step */
	char *jwk_file, *jwk_password_file;  /* step */
	char *profile, *auth_key_file;	     /* cfssl */
	char *program;			     /* command */
};

/*
 * The CA of that usage: its own section, or [ca]. If [certificates] usages leaves the usage out and
 * there is no [ca], it is the other usage's CA.
 */
const struct config_ca *config_ca(const struct config *config, enum usage usage);

/*
 * The values of a CA's keys that are part of its terms (see keys.h), one a line: an open order is
 * void once one of them changes.
 */
void config_ca_terms(const struct config_ca *ca, struct buf *out);

/*
 * For config.c: fills in what each CA's section did not set. It is [ca]'s value if that is of the
 * same type, else the default of its own type.
 */
enum err config_ca_complete(struct config *config, struct error *e) must_check;

/* For config.c: checks the keys that a CA's type needs, or does not use. */
enum err config_ca_check(
	const struct config *config, struct config_faults *faults, struct error *e) must_check;

#endif
