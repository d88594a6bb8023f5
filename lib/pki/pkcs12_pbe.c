/*
 * Encryption with a password in a PKCS#12 file that we write, over GnuTLS's ciphers: see pkcs12.c
 * for why.
 */

#include "pki/pkcs12_pbe.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/secret.h"
#include "pki/pkcs12_kdf.h"

#define OID_PBE_SHA1_3DES "1.2.840.113549.1.12.1.3"
#define OID_PBES2 "1.2.840.113549.1.5.13"
#define OID_PBKDF2 "1.2.840.113549.1.5.12"
#define OID_HMAC_SHA256 "1.2.840.113549.2.9"
#define OID_AES256_CBC "2.16.840.1.101.3.4.1.42"

#define KEY_MAX 32
#define BLOCK_MAX 16

/* A cipher with the key that the password gave, and its IV. */
struct cipher {
	gnutls_cipher_algorithm_t algorithm;
	size_t key_size;
	size_t block_size;
	unsigned char key[KEY_MAX];
	unsigned char iv[BLOCK_MAX];
};

enum err pkcs12_pbe_init(enum pkcs12_profile profile, unsigned iterations, const char *password,
	struct pkcs12_pbe *out, struct error *e)
{
	struct pkcs12_pbe pbe = {.profile = profile, .iterations = iterations};
	enum err err = pkcs12_password(password, &pbe.bmp_password, e);

	if (!err)
		err = blob_copy(password, password ? strlen(password) : 0, &pbe.password, e);
	if (err)
		pkcs12_pbe_free(&pbe);
	else
		*out = pbe;
	return err;
}

void pkcs12_pbe_free(struct pkcs12_pbe *pbe)
{
	blob_free(&pbe->password);
	blob_free(&pbe->bmp_password);
}

/* pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER } */
static void write_legacy_algorithm(struct der *d, const unsigned char *salt, unsigned iterations)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_PBE_SHA1_3DES);
	der_open(d, DER_SEQUENCE);
	der_string(d, DER_OCTET_STRING, salt, PKCS12_SALT_SIZE);
	der_unsigned(d, iterations);
	der_close(d);
	der_close(d);
}

static enum err derive_legacy(const struct pkcs12_pbe *pbe, const unsigned char *salt,
	struct cipher *out, struct error *e)
{
	const struct pkcs12_kdf kdf = {
		.hash = GNUTLS_DIG_SHA1,
		.password = &pbe->bmp_password,
		.salt = salt,
		.salt_len = PKCS12_SALT_SIZE,
		.iterations = pbe->iterations,
	};
	enum err err;

	out->algorithm = GNUTLS_CIPHER_3DES_CBC;
	out->key_size = 24;
	out->block_size = 8;
	err = pkcs12_derive(&kdf, PKCS12_KDF_KEY, out->key, out->key_size, e);
	if (!err)
		err = pkcs12_derive(&kdf, PKCS12_KDF_IV, out->iv, out->block_size, e);
	return err;
}

/*
 * PBKDF2-params ::= SEQUENCE { salt OCTET STRING, iterationCount INTEGER,
 * prf AlgorithmIdentifier }; the optional keyLength is the cipher's own.
 */
static void write_pbkdf2(struct der *d, const unsigned char *salt, unsigned iterations)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_PBKDF2);
	der_open(d, DER_SEQUENCE);
	der_string(d, DER_OCTET_STRING, salt, PKCS12_SALT_SIZE);
	der_unsigned(d, iterations);
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_HMAC_SHA256);
	der_null(d);
	der_close(d);
	der_close(d);
	der_close(d);
}

/* PBES2-params ::= SEQUENCE { keyDerivationFunc, encryptionScheme }: both AlgorithmIdentifier */
static void write_modern_algorithm(
	struct der *d, const unsigned char *salt, unsigned iterations, const struct cipher *cipher)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_PBES2);
	der_open(d, DER_SEQUENCE);
	write_pbkdf2(d, salt, iterations);
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_AES256_CBC);
	der_string(d, DER_OCTET_STRING, cipher->iv, cipher->block_size);
	der_close(d);
	der_close(d);
	der_close(d);
}

static enum err derive_modern(
	const struct pkcs12_pbe *pbe, unsigned char *salt, struct cipher *out, struct error *e)
{
	const gnutls_datum_t password = {pbe->password.data, (unsigned)pbe->password.len};
	const gnutls_datum_t salt_datum = {salt, PKCS12_SALT_SIZE};
	enum err err;
	int rc;

	out->algorithm = GNUTLS_CIPHER_AES_256_CBC;
	out->key_size = 32;
	out->block_size = 16;
	err = secret_random(out->iv, out->block_size, e);
	if (err)
		return err;
	rc = gnutls_pbkdf2(GNUTLS_MAC_SHA256, &password, &salt_datum, pbe->iterations, out->key,
		out->key_size);
	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "PBKDF2: %s", gnutls_strerror(rc));
	return ERR_OK;
}

/* PKCS#7 padding (RFC 8018, 6.1.1, step 4): one byte or more, each with their number as its value.
 */
static void append_padded(struct buf *out, const struct blob *plain, size_t block_size)
{
	size_t padding = block_size - plain->len % block_size;

	buf_append(out, plain->data, plain->len);
	for (size_t i = 0; i < padding; i++)
		buf_putc(out, (char)padding);
}

/* CBC, in place. */
static enum err encrypt(struct cipher *cipher, struct buf *data, struct error *e)
{
	gnutls_datum_t key = {cipher->key, (unsigned)cipher->key_size};
	gnutls_datum_t iv = {cipher->iv, (unsigned)cipher->block_size};
	gnutls_cipher_hd_t handle = NULL;
	int rc = gnutls_cipher_init(&handle, cipher->algorithm, &key, &iv);

	if (rc >= 0) {
		rc = gnutls_cipher_encrypt(handle, data->data, data->len);
		gnutls_cipher_deinit(handle);
	}
	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s",
			gnutls_cipher_get_name(cipher->algorithm), gnutls_strerror(rc));
	return ERR_OK;
}

enum err pkcs12_pbe_encrypt(const struct pkcs12_pbe *pbe, const struct blob *plain,
	enum der_tag tag, struct der *d, struct error *e)
{
	struct buf data = BUF_INIT(plain->len + BLOCK_MAX);
	unsigned char salt[PKCS12_SALT_SIZE];
	struct cipher cipher = {.algorithm = GNUTLS_CIPHER_UNKNOWN};
	enum err err = secret_random(salt, sizeof(salt), e);

	if (err)
		return err;
	if (pbe->profile == PKCS12_LEGACY) {
		err = derive_legacy(pbe, salt, &cipher, e);
		write_legacy_algorithm(d, salt, pbe->iterations);
	} else {
		err = derive_modern(pbe, salt, &cipher, e);
		write_modern_algorithm(d, salt, pbe->iterations, &cipher);
	}
	if (err)
		goto out;
	append_padded(&data, plain, cipher.block_size);
	err = data.failed ? error_memory(e) : encrypt(&cipher, &data, e);
	if (err)
		goto out;
	der_string(d, tag, data.data, data.len);
out:
	secret_wipe(&cipher, sizeof(cipher));
	buf_free(&data);
	return err;
}
