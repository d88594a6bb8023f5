/* The key usage of S/MIME certificates, for making them and for checking those of a CA. */

#include "pki/key_usage.h"

#include <gnutls/x509.h>

/* The bit without which a certificate is useless for its purpose. */
static unsigned needed(enum usage usage, int algorithm)
{
	if (usage == USAGE_SIGNING)
		return GNUTLS_KEY_DIGITAL_SIGNATURE;
	return algorithm == GNUTLS_PK_RSA ? GNUTLS_KEY_KEY_ENCIPHERMENT : GNUTLS_KEY_KEY_AGREEMENT;
}

/* A bit that it may have as well (S/MIME Baseline Requirements, 7.1.2.3 e). */
static unsigned allowed(enum usage usage, int algorithm)
{
	if (usage == USAGE_SIGNING)
		return GNUTLS_KEY_NON_REPUDIATION;
	return algorithm == GNUTLS_PK_RSA ? GNUTLS_KEY_DATA_ENCIPHERMENT : 0;
}

unsigned key_usage_bits(enum usage usage, int algorithm)
{
	return needed(usage, algorithm) | (usage == USAGE_SIGNING ? GNUTLS_KEY_NON_REPUDIATION : 0);
}

enum err key_usage_check(enum usage usage, int algorithm, unsigned bits, struct error *e)
{
	if (!(bits & needed(usage, algorithm)))
		return error_set(
			e, ERR_REFUSED, "its key usage does not allow %s", usage_names[usage]);
	if (bits & ~(needed(usage, algorithm) | allowed(usage, algorithm)))
		return error_set(
			e, ERR_REFUSED, "its key usage allows more than %s", usage_names[usage]);
	return ERR_OK;
}
