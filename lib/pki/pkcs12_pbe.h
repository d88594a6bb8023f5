#ifndef PKI_PKCS12_PBE_H
#define PKI_PKCS12_PBE_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "pki/der.h"

#define PKCS12_SALT_SIZE 16

/* Shared by the password-based encryptions of one file and its MAC. */
struct pkcs12_pbe {
	enum pkcs12_profile profile;
	unsigned iterations;
	struct blob password;	  /* UTF-8, for PBES2 */
	struct blob bmp_password; /* for PKCS#12's own derivation */
};

/* password may be NULL. ERR_CONFIG as for pkcs12_password(); freed with pkcs12_pbe_free(). */
enum err pkcs12_pbe_init(enum pkcs12_profile profile, unsigned iterations, const char *password,
	struct pkcs12_pbe *out, struct error *e) must_check;
void pkcs12_pbe_free(struct pkcs12_pbe *pbe);

/*
 * Encrypts with a salt of its own and writes the AlgorithmIdentifier and, under
 * tag, the ciphertext: both fields of EncryptedPrivateKeyInfo (RFC 5958, 3),
 * and the last two of EncryptedContentInfo (RFC 5652, 6.1).
 * Legacy: pbeWithSHA1And3-KeyTripleDES-CBC (RFC 7292, C). Modern: PBES2 with
 * PBKDF2, HMAC-SHA256 and AES-256-CBC (RFC 8018, 6.2 and A.2). ERR_INTERNAL.
 */
enum err pkcs12_pbe_encrypt(const struct pkcs12_pbe *pbe, const struct blob *plain,
	enum der_tag tag, struct der *d, struct error *e) must_check;

#endif
