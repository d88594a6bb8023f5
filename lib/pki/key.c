/* Private keys in memory: made, read, written. */

#include "pki/key.h"

#include <stdlib.h>

#include "pki/x509.h"

struct key {
	gnutls_x509_privkey_t handle;
};

static const struct {
	gnutls_pk_algorithm_t algorithm;
	unsigned bits;
	gnutls_ecc_curve_t curve;
} kinds[KEY_TYPE_COUNT] = {
	[KEY_RSA_2048] = {GNUTLS_PK_RSA, 2048, GNUTLS_ECC_CURVE_INVALID},
	[KEY_RSA_3072] = {GNUTLS_PK_RSA, 3072, GNUTLS_ECC_CURVE_INVALID},
	[KEY_RSA_4096] = {GNUTLS_PK_RSA, 4096, GNUTLS_ECC_CURVE_INVALID},
	[KEY_EC_P256] = {GNUTLS_PK_ECDSA, 256, GNUTLS_ECC_CURVE_SECP256R1},
	[KEY_EC_P384] = {GNUTLS_PK_ECDSA, 384, GNUTLS_ECC_CURVE_SECP384R1},
};

struct gnutls_x509_privkey_int *key_handle(const struct key *key)
{
	return key->handle;
}

void key_parameters(enum key_type type, int *algorithm, unsigned *bits)
{
	gnutls_ecc_curve_t curve = kinds[type].curve;

	*algorithm = kinds[type].algorithm;
	*bits = curve == GNUTLS_ECC_CURVE_INVALID ? kinds[type].bits : GNUTLS_CURVE_TO_BITS(curve);
}

static enum err key_new(struct key **out, struct error *e)
{
	struct key *key = calloc(1, sizeof(*key));
	int rc = key ? gnutls_x509_privkey_init(&key->handle) : GNUTLS_E_MEMORY_ERROR;

	if (rc < 0) {
		free(key);
		return x509_error(e, ERR_INTERNAL, rc, "private key");
	}
	*out = key;
	return ERR_OK;
}

void key_free(struct key *key)
{
	if (!key)
		return;
	gnutls_x509_privkey_deinit(key->handle); /* wipes the numbers */
	free(key);
}

enum err key_generate(enum key_type type, struct key **out, struct error *e)
{
	int algorithm = GNUTLS_PK_UNKNOWN;
	unsigned bits = 0;
	struct key *key = NULL;
	enum err err = key_new(&key, e);
	int rc;

	if (err)
		return err;
	key_parameters(type, &algorithm, &bits);
	rc = gnutls_x509_privkey_generate(key->handle, (gnutls_pk_algorithm_t)algorithm, bits, 0);
	if (rc < 0) {
		key_free(key);
		return x509_error(e, ERR_INTERNAL, rc, "making a key pair");
	}
	*out = key;
	return ERR_OK;
}

static enum err write_pkcs8(
	const struct key *key, gnutls_x509_crt_fmt_t format, struct blob *out, struct error *e)
{
	gnutls_datum_t data = {NULL, 0};
	int rc = gnutls_x509_privkey_export2_pkcs8(
		key->handle, format, NULL, GNUTLS_PKCS_PLAIN, &data);

	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "writing a private key");
	return x509_take(&data, out, e);
}

enum err key_export(const struct key *key, struct blob *out, struct error *e)
{
	return write_pkcs8(key, GNUTLS_X509_FMT_DER, out, e);
}

enum err key_export_pem(const struct key *key, struct blob *out, struct error *e)
{
	return write_pkcs8(key, GNUTLS_X509_FMT_PEM, out, e);
}

enum err key_import(const struct blob *pkcs8, struct key **out, struct error *e)
{
	const gnutls_datum_t data = x509_datum(pkcs8);
	struct key *key = NULL;
	enum err err = key_new(&key, e);
	int rc;

	if (err)
		return err;
	rc = gnutls_x509_privkey_import_pkcs8(
		key->handle, &data, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
	if (rc < 0) {
		key_free(key);
		return x509_error(e, ERR_INTERNAL, rc, "a stored private key cannot be read");
	}
	*out = key;
	return ERR_OK;
}

enum err key_import_pem(const struct blob *pem, struct key **out, struct error *e)
{
	const gnutls_datum_t data = x509_datum(pem);
	struct key *key = NULL;
	enum err err = key_new(&key, e);
	int rc;

	if (err)
		return err;
	rc = gnutls_x509_privkey_import2(key->handle, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc == GNUTLS_E_DECRYPTION_FAILED)
		err = error_set(e, ERR_CONFIG,
			"the private key is encrypted; store it without a password, mode 0600");
	else if (rc < 0)
		err = x509_error(e, ERR_CONFIG, rc, "no private key in PEM that can be read");
	if (err) {
		key_free(key);
		return err;
	}
	*out = key;
	return ERR_OK;
}

int key_type(const struct key *key)
{
	unsigned bits = 0;
	int algorithm = gnutls_x509_privkey_get_pk_algorithm2(key->handle, &bits);

	for (int type = 0; type < KEY_TYPE_COUNT; type++)
		if ((int)kinds[type].algorithm == algorithm && kinds[type].bits == bits)
			return type;
	return -1;
}

enum err key_public(const struct key *key, struct blob *out, struct error *e)
{
	gnutls_privkey_t private = NULL;
	gnutls_datum_t der = {NULL, 0};
	int rc = gnutls_privkey_init(&private);

	if (rc >= 0)
		rc = gnutls_privkey_import_x509(private, key->handle, 0);
	if (rc >= 0)
		rc = x509_export_public(private, &der);
	gnutls_privkey_deinit(private);
	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "reading a public key");
	return x509_take(&der, out, e);
}
