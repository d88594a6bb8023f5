#include "base/digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/text.h"

#define SHA256_SIZE 32

_Static_assert(DIGEST_HEX_SIZE == 2 * SHA256_SIZE + 1, "two digits an octet, and a NUL");

enum err digest_hex(const void *data, size_t len, char out[DIGEST_HEX_SIZE], struct error *e)
{
	unsigned char digest[SHA256_SIZE];
	int code = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest);

	if (code < 0)
		return error_set(e, ERR_INTERNAL, "SHA-256: %s", gnutls_strerror(code));
	text_hex(digest, sizeof(digest), out);
	return ERR_OK;
}
