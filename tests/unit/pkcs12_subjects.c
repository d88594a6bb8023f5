/* Keys and certificates, made by GnuTLS, for the tests of PKCS#12 files. */
#include "tests/unit/pkcs12_subjects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/x509.h>

struct subject rsa, ec, sibling;

static struct blob own(gnutls_datum_t *datum)
{
	struct blob out = {NULL, 0};
	struct error e = {.code = ERR_OK};

	assert_int_equal(blob_copy(datum->data, datum->size, &out, &e), ERR_OK);
	gnutls_free(datum->data);
	return out;
}

static gnutls_x509_privkey_t make_key(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	gnutls_x509_privkey_t key = NULL;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, algorithm, bits, 0), 0);
	return key;
}

static gnutls_x509_crt_t make_certificate(const char *name, gnutls_x509_privkey_t key,
	gnutls_x509_crt_t issuer, gnutls_x509_privkey_t issuer_key)
{
	gnutls_x509_crt_t crt = NULL;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_dn(crt, name, NULL), 0);
	assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, 1700000000), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, 2000000000), 0);
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(crt, issuer == NULL, -1), 0);
	assert_int_equal(
		gnutls_x509_crt_sign2(crt, issuer ? issuer : crt, issuer_key, GNUTLS_DIG_SHA256, 0),
		0);
	return crt;
}

struct blob certificate_der(gnutls_x509_crt_t crt)
{
	gnutls_datum_t der = {NULL, 0};

	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	return own(&der);
}

/* A CA with its key. */
struct authority {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

static struct authority make_authority(void)
{
	struct authority ca = {.key = make_key(GNUTLS_PK_ECDSA, 256)};

	ca.crt = make_certificate("CN=CA", ca.key, NULL, ca.key);
	return ca;
}

static void free_authority(struct authority *ca)
{
	gnutls_x509_crt_deinit(ca->crt);
	gnutls_x509_privkey_deinit(ca->key);
}

static void make_subject(gnutls_pk_algorithm_t algorithm, unsigned bits, const struct authority *ca,
	struct subject *out)
{
	gnutls_x509_privkey_t key = make_key(algorithm, bits);
	gnutls_x509_crt_t crt = make_certificate("CN=Ann", key, ca->crt, ca->key);
	gnutls_datum_t pkcs8 = {NULL, 0};

	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
				 key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &pkcs8),
		0);
	out->pkcs8 = own(&pkcs8);
	out->chain.certificate[0] = certificate_der(crt);
	out->chain.certificate[1] = certificate_der(ca->crt);
	out->chain.count = 2;
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void free_subject(struct subject *s)
{
	blob_free(&s->pkcs8);
	blob_free(&s->chain.certificate[0]);
	blob_free(&s->chain.certificate[1]);
}

int subjects_make(void **state)
{
	const unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	struct authority one = make_authority(), other = make_authority();

	(void)state;
	make_subject(GNUTLS_PK_RSA, 2048, &one, &rsa);
	make_subject(GNUTLS_PK_ECDSA, p256, &other, &ec);
	make_subject(GNUTLS_PK_ECDSA, p256, &other, &sibling);
	free_authority(&one);
	free_authority(&other);
	return 0;
}

int subjects_free(void **state)
{
	(void)state;
	free_subject(&rsa);
	free_subject(&ec);
	free_subject(&sibling);
	return 0;
}
