/*
 * What the files of this folder need of GnuTLS: errors, limits on what a key may cost, names,
 * public keys.
 */

#include "pki/x509.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/utf8.h"

#define RSA_BITS_MIN 2048
#define EC_BITS_MIN 256

/* Above these a signature takes seconds, then minutes, to check. */
#define KEY_BITS_MAX 16384
#define EXPONENT_BITS_MAX 64
#define DSA_ORDER_BITS_MAX 512

enum err x509_error(struct error *e, enum err code, int rc, const char *what)
{
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return error_memory(e);
	return error_set(e, code, "%s: %s", what, gnutls_strerror(rc));
}

gnutls_datum_t x509_datum(const struct blob *blob)
{
	return (gnutls_datum_t){blob->data, (unsigned)blob->len};
}

enum err x509_take(gnutls_datum_t *from, struct blob *out, struct error *e)
{
	enum err err = blob_copy(from->data, from->size, out, e);

	secret_wipe(from->data, from->size);
	gnutls_free(from->data);
	*from = (gnutls_datum_t){NULL, 0};
	return err;
}

size_t x509_sequence_length(const unsigned char *p, size_t len)
{
	size_t octets, content = 0;

	if (len < 2 || p[0] != 0x30)
		return 0;
	octets = p[1] < 0x80 ? 0 : p[1] & 0x7f;
	if (p[1] == 0x80 || octets > 4 || len < 2 + octets)
		return 0;
	if (octets == 0)
		content = p[1];
	for (size_t i = 0; i < octets; i++)
		content = content << 8 | p[2 + i];
	return content <= len - 2 - octets ? 2 + octets + content : 0;
}

enum err x509_to_pem(const char *label, const struct blob *der, struct blob *pem, struct error *e)
{
	const gnutls_datum_t data = x509_datum(der);
	gnutls_datum_t text = {NULL, 0};
	int rc = gnutls_pem_base64_encode2(label, &data, &text);

	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, label);
	return x509_take(&text, pem, e);
}

/* --- what a key may cost */

static size_t bits_of(const gnutls_datum_t *number)
{
	size_t zeros = 0, bits;

	while (zeros < number->size && number->data[zeros] == 0)
		zeros++;
	bits = (number->size - zeros) * 8;
	for (unsigned char mask = 0x80; bits && !(number->data[zeros] & mask); mask >>= 1)
		bits--;
	return bits;
}

struct limit {
	gnutls_datum_t number; /* freed with gnutls_free() */
	size_t max;
	const char *what;
};

static enum err check_limits(
	struct limit *limits, size_t count, int rc, enum err code, struct error *e)
{
	enum err err = rc < 0 ? x509_error(e, code, rc, "the certificate's public key") : ERR_OK;

	for (size_t i = 0; i < count; i++) {
		size_t bits = rc < 0 ? 0 : bits_of(&limits[i].number);

		if (!err && bits > limits[i].max)
			err = error_set(e, code,
				"a certificate's public key has %s of %zu bits, more than the %zu "
				"that are taken",
				limits[i].what, bits, limits[i].max);
		gnutls_free(limits[i].number.data);
	}
	return err;
}

static enum err check_rsa(gnutls_pubkey_t key, enum err code, struct error *e)
{
	struct limit limits[] = {
		{.max = KEY_BITS_MAX, .what = "an RSA modulus"},
		{.max = EXPONENT_BITS_MAX, .what = "an RSA exponent"},
	};
	int rc = gnutls_pubkey_export_rsa_raw(key, &limits[0].number, &limits[1].number);

	return check_limits(limits, ARRAY_LEN(limits), rc, code, e);
}

static enum err check_dsa(gnutls_pubkey_t key, enum err code, struct error *e)
{
	struct limit limits[] = {
		{.max = KEY_BITS_MAX, .what = "a DSA modulus"},
		{.max = DSA_ORDER_BITS_MAX, .what = "a DSA order"},
		{.max = KEY_BITS_MAX, .what = "a DSA generator"},
		{.max = KEY_BITS_MAX, .what = "a DSA number"},
	};
	int rc = gnutls_pubkey_export_dsa_raw(
		key, &limits[0].number, &limits[1].number, &limits[2].number, &limits[3].number);

	return check_limits(limits, ARRAY_LEN(limits), rc, code, e);
}

enum err x509_check_cost(gnutls_x509_crt_t crt, enum err code, struct error *e)
{
	int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, NULL);
	bool rsa = algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS;
	gnutls_pubkey_t key = NULL;
	enum err err;
	int rc;

	/* The sizes of curves are known; signatures of unknown algorithms are never checked. */
	if (!rsa && algorithm != GNUTLS_PK_DSA)
		return ERR_OK;
	rc = gnutls_pubkey_init(&key);
	if (rc >= 0)
		rc = gnutls_pubkey_import_x509(key, crt, 0);
	if (rc < 0)
		err = x509_error(e, code, rc, "the certificate's public key");
	else
		err = rsa ? check_rsa(key, code, e) : check_dsa(key, code, e);
	gnutls_pubkey_deinit(key);
	return err;
}

enum err x509_import(const struct blob *der, enum err code, gnutls_x509_crt_t *out, struct error *e)
{
	const gnutls_datum_t data = x509_datum(der);
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc >= 0)
		rc = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER);
	if (rc < 0) {
		gnutls_x509_crt_deinit(crt);
		return x509_error(e, code, rc, "certificate cannot be read");
	}
	if (x509_check_cost(crt, code, e)) {
		gnutls_x509_crt_deinit(crt);
		return e->code;
	}
	*out = crt;
	return ERR_OK;
}

/* Names come in many encodings; the result is always UTF-8. */
static void copy_text(const gnutls_datum_t *text, char *out, size_t size)
{
	size_t len = text->size < size ? text->size : size - 1;
	const char *s = (const char *)text->data;

	if (len)
		memcpy(out, s, len);
	if (len < text->size)
		len = utf8_cut(s, len);
	out[len] = '\0';
	if (utf8_is_valid(out, len))
		return;
	for (size_t i = 0; i < len; i++)
		if (out[i] == '\0' || (unsigned char)out[i] >= 0x80)
			out[i] = '?';
}

typedef int get_dn(gnutls_x509_crt_t crt, gnutls_datum_t *dn, unsigned flags);

static void dn_text(get_dn *get, gnutls_x509_crt_t crt, char *out, size_t size)
{
	gnutls_datum_t text = {NULL, 0};

	if (get(crt, &text, 0) < 0)
		*out = '\0'; /* the empty name */
	else
		copy_text(&text, out, size);
	gnutls_free(text.data);
}

void x509_subject(gnutls_x509_crt_t crt, char *out, size_t size)
{
	dn_text(gnutls_x509_crt_get_dn3, crt, out, size);
}

void x509_issuer(gnutls_x509_crt_t crt, char *out, size_t size)
{
	dn_text(gnutls_x509_crt_get_issuer_dn3, crt, out, size);
}

bool x509_is_weak(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	if (algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS)
		return bits < RSA_BITS_MIN;
	if (algorithm == GNUTLS_PK_ECDSA)
		return bits < EC_BITS_MIN;
	return algorithm != GNUTLS_PK_EDDSA_ED25519 && algorithm != GNUTLS_PK_EDDSA_ED448;
}

enum err x509_import_public(
	const struct blob *der, enum err code, gnutls_pubkey_t *out, struct error *e)
{
	const gnutls_datum_t data = x509_datum(der);
	gnutls_pubkey_t public = NULL;
	int rc = gnutls_pubkey_init(&public);

	if (rc >= 0)
		rc = gnutls_pubkey_import(public, &data, GNUTLS_X509_FMT_DER);
	if (rc < 0) {
		gnutls_pubkey_deinit(public);
		return x509_error(e, code, rc, "public key");
	}
	*out = public;
	return ERR_OK;
}

int x509_export_public(gnutls_privkey_t key, gnutls_datum_t *out)
{
	gnutls_pubkey_t public = NULL;
	int rc = gnutls_pubkey_init(&public);

	if (rc >= 0)
		rc = gnutls_pubkey_import_privkey(public, key, 0, 0);
	if (rc >= 0)
		rc = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, out);
	gnutls_pubkey_deinit(public);
	return rc;
}

enum err x509_public_key(gnutls_x509_crt_t crt, struct blob *out, struct error *e)
{
	gnutls_pubkey_t pubkey = NULL;
	gnutls_datum_t der = {NULL, 0};
	int rc = gnutls_pubkey_init(&pubkey);

	if (rc >= 0)
		rc = gnutls_pubkey_import_x509(pubkey, crt, 0);
	if (rc >= 0)
		rc = gnutls_pubkey_export2(pubkey, GNUTLS_X509_FMT_DER, &der);
	gnutls_pubkey_deinit(pubkey);
	if (rc < 0)
		return x509_error(e, ERR_REFUSED, rc, "the certificate's public key");
	return x509_take(&der, out, e);
}

enum err x509_key_id(
	const struct blob *public_key, unsigned char out[X509_KEY_ID_SIZE], struct error *e)
{
	unsigned char digest[32];
	int rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, public_key->data, public_key->len, digest);

	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "key id");
	memcpy(out, digest, X509_KEY_ID_SIZE);
	return ERR_OK;
}

enum err x509_digest(const struct blob *public_key, gnutls_digest_algorithm_t *out, struct error *e)
{
	gnutls_pubkey_t public = NULL;
	enum err err = x509_import_public(public_key, ERR_INTERNAL, &public, e);
	int rc;

	if (err)
		return err;
	rc = gnutls_pubkey_get_preferred_hash_algorithm(public, out, NULL);
	gnutls_pubkey_deinit(public);
	return rc < 0 ? x509_error(e, ERR_INTERNAL, rc, "the CA's key") : ERR_OK;
}
