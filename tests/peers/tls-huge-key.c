/* A certificate whose key is far too large to compute with, for tls-peer. */
#include "tls-huge-key.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <time.h>

#define CERTIFICATES 2 /* its own and the issuer's */
#define DAY 86400

static unsigned key_bits;

static int sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *ctx, unsigned flags,
	const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	(void)key;
	(void)algorithm;
	(void)ctx;
	(void)flags;
	(void)data;
	signature->size = key_bits / 8;
	signature->data = gnutls_malloc(signature->size);
	if (!signature->data)
		return GNUTLS_E_MEMORY_ERROR;
	return gnutls_rnd(GNUTLS_RND_NONCE, signature->data + 1, signature->size - 1);
}

static int tell(gnutls_privkey_t key, unsigned flags, void *ctx)
{
	(void)key;
	(void)ctx;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_RSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)key_bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return 1;
	return -1;
}

/* A random odd number of so many bits. */
static int make_number(unsigned bits, gnutls_datum_t *out)
{
	*out = (gnutls_datum_t){malloc(bits / 8), bits / 8};
	if (!out->data || gnutls_rnd(GNUTLS_RND_NONCE, out->data, out->size) < 0)
		return GNUTLS_E_MEMORY_ERROR;
	out->data[0] = (unsigned char)((out->data[0] & 0x7f) | 0x40);
	out->data[out->size - 1] |= 1;
	return 0;
}

static int set_public_key(gnutls_x509_crt_t certificate, unsigned exponent_bits)
{
	gnutls_datum_t modulus = {NULL, 0}, exponent = {NULL, 0};
	gnutls_pubkey_t key = NULL;
	int code = gnutls_pubkey_init(&key);

	if (code >= 0)
		code = make_number(key_bits, &modulus);
	if (code >= 0)
		modulus.data[0] |= 0x80;
	if (code >= 0)
		code = make_number(exponent_bits, &exponent);
	if (code >= 0)
		code = gnutls_pubkey_import_rsa_raw(key, &modulus, &exponent);
	if (code >= 0)
		code = gnutls_x509_crt_set_pubkey(certificate, key);
	gnutls_pubkey_deinit(key);
	free(modulus.data);
	free(exponent.data);
	return code;
}

static int make_certificate(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
	gnutls_x509_privkey_t issuer_key, unsigned exponent_bits)
{
	time_t now = time(NULL);
	int code = set_public_key(certificate, exponent_bits);

	if (code >= 0)
		code = gnutls_x509_crt_set_version(certificate, 3);
	if (code >= 0)
		code = gnutls_x509_crt_set_serial(certificate, "\1", 1);
	if (code >= 0)
		code = gnutls_x509_crt_set_activation_time(certificate, now - DAY);
	if (code >= 0)
		code = gnutls_x509_crt_set_expiration_time(certificate, now + DAY);
	if (code >= 0)
		code = gnutls_x509_crt_set_dn(certificate, "CN=huge", NULL);
	if (code >= 0)
		code = gnutls_x509_crt_sign2(certificate, issuer, issuer_key, GNUTLS_DIG_SHA256, 0);
	return code;
}

int huge_key_use(gnutls_certificate_credentials_t credentials, gnutls_x509_crt_t issuer,
	gnutls_x509_privkey_t issuer_key, unsigned bits, unsigned exponent_bits)
{
	gnutls_pcert_st *chain = calloc(CERTIFICATES, sizeof(*chain));
	gnutls_x509_crt_t certificate = NULL;
	gnutls_privkey_t key = NULL;
	int code = gnutls_x509_crt_init(&certificate);

	key_bits = bits;
	if (code >= 0)
		code = make_certificate(certificate, issuer, issuer_key, exponent_bits);
	if (code >= 0)
		code = gnutls_privkey_init(&key);
	if (code >= 0)
		code = gnutls_privkey_import_ext4(key, NULL, sign, sign, NULL, NULL, tell, 0);
	if (code >= 0)
		code = gnutls_pcert_import_x509(&chain[0], certificate, 0);
	if (code >= 0)
		code = gnutls_pcert_import_x509(&chain[1], issuer, 0);
	gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	if (code >= 0) /* takes chain and key */
		code = gnutls_certificate_set_key(credentials, NULL, 0, chain, CERTIFICATES, key);
	gnutls_x509_crt_deinit(certificate);
	return code;
}
