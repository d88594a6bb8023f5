#ifndef CONFIG_VOCABULARY_H
#define CONFIG_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>

/* The words of the field that configuration, store and PKI share. */

enum usage {
	USAGE_SIGNING,
	USAGE_ENCRYPTION,
	USAGE_COUNT,
};

enum key_type {
	KEY_RSA_2048,
	KEY_RSA_3072,
	KEY_RSA_4096,
	KEY_EC_P256,
	KEY_EC_P384,
	KEY_TYPE_COUNT,
};

/*
 * Which interface a certificate authority has, [ca] type: a row each, for the constant CA_EST and
 * for the name "est", which is also that of its table of operations, ca_est.
 */
#define CA_TYPES(TYPE)     \
	TYPE(LOCAL, local) \
	TYPE(EST, est)     \
	TYPE(EJBCA, ejbca) \
	TYPE(ADCS, adcs)   \
	TYPE(VAULT, vault) \
	TYPE(STEP, step)   \
	TYPE(CFSSL, cfssl) \
	TYPE(COMMAND, command)

enum ca_type {
#define CONSTANT(NAME, name) CA_##NAME,
	CA_TYPES(CONSTANT) CA_TYPE_COUNT,
#undef CONSTANT
};

/* Why a certificate is revoked (RFC 5280, 5.3.1); what can be undone is not among them. */
enum revocation_reason {
	REVOKED_UNSPECIFIED,
	REVOKED_KEY_COMPROMISE,
	REVOKED_CA_COMPROMISE,
	REVOKED_AFFILIATION_CHANGED,
	REVOKED_SUPERSEDED,
	REVOKED_CESSATION_OF_OPERATION,
	REVOKED_PRIVILEGE_WITHDRAWN,
	REVOKED_AA_COMPROMISE,
	REVOCATION_REASON_COUNT,
};

extern const char *const usage_names[USAGE_COUNT];	 /* "signing", "encryption" */
extern const char *const key_type_names[KEY_TYPE_COUNT]; /* "rsa-2048", … */

extern const char *const ca_type_names[CA_TYPE_COUNT]; /* "local", "est", … */

extern const char *const revocation_reason_names[REVOCATION_REASON_COUNT]; /* "keyCompromise", … */

/* CRLReason (RFC 5280, 5.3.1). */
extern const unsigned char revocation_reason_codes[REVOCATION_REASON_COUNT];

/* Index of name in names[0..count-1], exact and case-sensitive, or -1. */
int vocabulary_find(const char *const names[], size_t count, const char *name);

#endif
