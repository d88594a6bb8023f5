/* The names of what configuration, store and PKI share. */
#include "config/vocabulary.h"

#include <string.h>

const char *const usage_names[USAGE_COUNT] = {
	[USAGE_SIGNING] = "signing",
	[USAGE_ENCRYPTION] = "encryption",
};

const char *const key_type_names[KEY_TYPE_COUNT] = {
	[KEY_RSA_2048] = "rsa-2048",
	[KEY_RSA_3072] = "rsa-3072",
	[KEY_RSA_4096] = "rsa-4096",
	[KEY_EC_P256] = "ec-p256",
	[KEY_EC_P384] = "ec-p384",
};

const char *const ca_type_names[CA_TYPE_COUNT] = {
#define NAME(NAME, name) [CA_##NAME] = #name,
	CA_TYPES(NAME)
#undef NAME
};

const unsigned char revocation_reason_codes[REVOCATION_REASON_COUNT] = {
	[REVOKED_UNSPECIFIED] = 0,
	[REVOKED_KEY_COMPROMISE] = 1,
	[REVOKED_CA_COMPROMISE] = 2,
	[REVOKED_AFFILIATION_CHANGED] = 3,
	[REVOKED_SUPERSEDED] = 4,
	[REVOKED_CESSATION_OF_OPERATION] = 5,
	[REVOKED_PRIVILEGE_WITHDRAWN] = 9,
	[REVOKED_AA_COMPROMISE] = 10,
};

const char *const revocation_reason_names[REVOCATION_REASON_COUNT] = {
	[REVOKED_UNSPECIFIED] = "unspecified",
	[REVOKED_KEY_COMPROMISE] = "keyCompromise",
	[REVOKED_CA_COMPROMISE] = "cACompromise",
	[REVOKED_AFFILIATION_CHANGED] = "affiliationChanged",
	[REVOKED_SUPERSEDED] = "superseded",
	[REVOKED_CESSATION_OF_OPERATION] = "cessationOfOperation",
	[REVOKED_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
	[REVOKED_AA_COMPROMISE] = "aACompromise",
};

int vocabulary_find(const char *const names[], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}
