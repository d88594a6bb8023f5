/* SHA-256 and its HMAC, over GnuTLS. */
#include "base/digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/text.h"

_Static_assert(DIGEST_HEX_SIZE == 2 * DIGEST_SIZE + 1, "two digits an octet, and a NUL");

enum err digest_hex(const void *data, size_t len, char out[DIGEST_HEX_SIZE], struct error *e)
{
	unsigned char digest[DIGEST_SIZE];
	int code = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest);

	if (code < 0)
		return error_set(e, ERR_INTERNAL, "SHA-256: %s", gnutls_strerror(code));
	text_hex(digest, sizeof(digest), out);
	return ERR_OK;
}

enum err digest_hmac(const struct blob *key, const void *data, size_t len,
	unsigned char out[DIGEST_SIZE], struct error *e)
{
	int code = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->data, key->len, data, len, out);

	return code < 0 ? error_set(e, ERR_INTERNAL, "HMAC-SHA-256: %s", gnutls_strerror(code))
			: ERR_OK;
}
