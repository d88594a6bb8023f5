#ifndef PKI_PKCS12_KDF_H
#define PKI_PKCS12_KDF_H

#include <gnutls/crypto.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* PKCS#12's own key derivation: RFC 7292, Appendix B. */

/* The purpose of the derived bytes (B.3). */
enum pkcs12_kdf_id { PKCS12_KDF_KEY = 1, PKCS12_KDF_IV = 2, PKCS12_KDF_MAC = 3 };

struct pkcs12_kdf {
	gnutls_digest_algorithm_t hash; /* one with a block of 64 bytes: SHA-1, SHA-256 */
	const struct blob *password;	/* as pkcs12_password() makes it */
	const unsigned char *salt;
	size_t salt_len;
	unsigned iterations;
};

/* B.2: derives len bytes, a secret. ERR_INTERNAL; then out holds nothing of use. */
enum err pkcs12_derive(const struct pkcs12_kdf *kdf, enum pkcs12_kdf_id id, unsigned char *out,
	size_t len, struct error *e) must_check;

/*
 * B.1: the password as BMPString with its two zero bytes. NULL and "" give the two zero
 * bytes alone. Freed with blob_free(). ERR_CONFIG: over 1024 bytes, not UTF-8, or a
 * character beyond the BMP.
 */
enum err pkcs12_password(const char *utf8, struct blob *out, struct error *e) must_check;

/*
 * Appends valid UTF-8 as the two-byte characters of a BMPString. A character
 * beyond the BMP becomes U+FFFD; false if there was one.
 */
bool pkcs12_bmp_string(const char *utf8, struct buf *out);

#endif
