/* The simulated certificate authority: its certificates, the right ones and the wrong ones. */

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "tests/peers/certificate-authority-core.h"

#define DAY (24 * 3600)
#define VALIDITY (90 * DAY)
#define VALIDITY_TOO_LONG (3000 * DAY)
#define BACKDATED 60
#define SERIAL_LEN 16
#define KEY_ID_LEN 20

static enum err check(int rc, const char *what, struct error *e)
{
	return rc < 0 ? error_set(e, ERR_INTERNAL, "%s: %s", what, gnutls_strerror(rc)) : ERR_OK;
}

struct issuer {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

static enum err load_file(
	const struct exchange *x, const char *name, gnutls_datum_t *out, struct error *e)
{
	char path[2048];

	snprintf(path, sizeof(path), "%s/%s", x->issuers, name);
	return check(gnutls_load_file(path, out), path, e);
}

static enum err load_certificate(
	const struct exchange *x, const char *name, gnutls_x509_crt_t *out, struct error *e)
{
	gnutls_datum_t pem = {NULL, 0};
	enum err err = load_file(x, name, &pem, e);

	if (!err)
		err = check(gnutls_x509_crt_init(out), name, e);
	if (!err)
		err = check(gnutls_x509_crt_import(*out, &pem, GNUTLS_X509_FMT_PEM), name, e);
	gnutls_free(pem.data);
	return err;
}

static enum err load_key(
	const struct exchange *x, const char *name, gnutls_x509_privkey_t *out, struct error *e)
{
	gnutls_datum_t pem = {NULL, 0};
	enum err err = load_file(x, name, &pem, e);

	if (!err)
		err = check(gnutls_x509_privkey_init(out), name, e);
	if (!err)
		err = check(gnutls_x509_privkey_import(*out, &pem, GNUTLS_X509_FMT_PEM), name, e);
	gnutls_free(pem.data);
	return err;
}

static void issuer_close(struct issuer *issuer)
{
	if (issuer->certificate)
		gnutls_x509_crt_deinit(issuer->certificate);
	if (issuer->key)
		gnutls_x509_privkey_deinit(issuer->key);
}

static enum err issuer_open(const struct exchange *x, struct issuer *out, struct error *e)
{
	enum fault fault = x->mode.fault;
	bool foreign = fault == FAULT_FOREIGN_ISSUER;
	enum err err =
		load_certificate(x, foreign ? "foreign.crt" : "issuing.crt", &out->certificate, e);

	if (!err)
		err = load_key(x,
			foreign || fault == FAULT_BROKEN_CHAIN ? "foreign.key" : "issuing.key",
			&out->key, e);
	return err;
}

/* --- a leaf */

static int set_times(gnutls_x509_crt_t leaf, const struct mode *mode)
{
	enum fault fault = mode->fault;
	time_t begin = time(NULL) - BACKDATED, last = begin + VALIDITY;
	int rc;

	if (fault == FAULT_NOT_YET_VALID)
		begin += 2 * DAY;
	if (fault == FAULT_TOO_LONG)
		last = begin + VALIDITY_TOO_LONG;
	if (fault == FAULT_LONGER)
		last = time(NULL) + 365 * DAY + mode->number * 3600;
	rc = gnutls_x509_crt_set_activation_time(leaf, begin);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(leaf, last);
	return rc;
}

static int set_other_key(gnutls_x509_crt_t leaf)
{
	gnutls_x509_privkey_t key = NULL;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc >= 0)
		rc = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(leaf, key);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return rc;
}

/* As it was asked for, whatever form it has. */
static int set_mail(gnutls_x509_crt_t leaf, gnutls_x509_crq_t crq, enum fault fault)
{
	static const char other[] = "somebody.else@example.com";
	gnutls_datum_t der = {NULL, 0};
	int rc;

	if (fault == FAULT_WRONG_ADDRESS)
		return gnutls_x509_crt_set_subject_alt_name(
			leaf, GNUTLS_SAN_RFC822NAME, other, sizeof(other) - 1, GNUTLS_FSAN_SET);
	rc = gnutls_x509_crq_get_extension_by_oid2(crq, GNUTLS_X509EXT_OID_SAN, 0, &der, NULL);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_extension_by_oid(
			leaf, GNUTLS_X509EXT_OID_SAN, der.data, der.size, 0);
	gnutls_free(der.data);
	return rc;
}

static int set_usage(
	gnutls_x509_crt_t leaf, gnutls_x509_crq_t crq, enum usage asked, enum fault fault)
{
	bool rsa = gnutls_x509_crq_get_pk_algorithm(crq, NULL) == GNUTLS_PK_RSA;
	bool signing = (asked == USAGE_SIGNING) != (fault == FAULT_WRONG_USAGE);
	unsigned bits = GNUTLS_KEY_DIGITAL_SIGNATURE;
	int rc;

	if (!signing)
		bits = rsa ? GNUTLS_KEY_KEY_ENCIPHERMENT : GNUTLS_KEY_KEY_AGREEMENT;
	if (fault == FAULT_IS_CA)
		bits |= GNUTLS_KEY_KEY_CERT_SIGN;
	rc = gnutls_x509_crt_set_key_usage(leaf, bits);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(leaf,
			fault == FAULT_NO_EMAIL_PROTECTION ? GNUTLS_KP_TLS_WWW_CLIENT
							   : GNUTLS_KP_EMAIL_PROTECTION,
			0);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_basic_constraints(leaf, fault == FAULT_IS_CA, -1);
	return rc;
}

static int set_key_ids(gnutls_x509_crt_t leaf, gnutls_x509_crt_t issuer)
{
	unsigned char id[KEY_ID_LEN];
	size_t len = sizeof(id);
	int rc = gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA1, id, &len);

	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_key_id(leaf, id, len);
	len = sizeof(id);
	if (rc >= 0)
		rc = gnutls_x509_crt_get_subject_key_id(issuer, id, &len, NULL);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_authority_key_id(leaf, id, len);
	return rc;
}

/* Positive, and without a leading zero octet (RFC 5280, 4.1.2.2). */
static int set_serial(gnutls_x509_crt_t leaf, char hex[SERIAL_HEX_MAX])
{
	unsigned char serial[SERIAL_LEN];
	int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(leaf, serial, sizeof(serial));
	text_hex(serial, sizeof(serial), hex);
	return rc;
}

static int fill(gnutls_x509_crt_t leaf, gnutls_x509_crq_t crq, enum usage usage,
	const struct mode *mode, const struct issuer *issuer, char serial[SERIAL_HEX_MAX])
{
	enum fault fault = mode->fault;
	int rc = gnutls_x509_crt_set_crq(leaf, crq);

	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(leaf, 3);
	if (rc >= 0)
		rc = set_serial(leaf, serial);
	if (rc >= 0)
		rc = set_times(leaf, mode);
	if (rc >= 0 && fault == FAULT_WRONG_KEY)
		rc = set_other_key(leaf);
	if (rc >= 0)
		rc = set_mail(leaf, crq, fault);
	if (rc >= 0)
		rc = set_usage(leaf, crq, usage, fault);
	if (rc >= 0)
		rc = set_key_ids(leaf, issuer->certificate);
	if (rc >= 0)
		rc = gnutls_x509_crt_sign2(
			leaf, issuer->certificate, issuer->key, GNUTLS_DIG_SHA256, 0);
	return rc;
}

static int make(gnutls_x509_crt_t leaf, const struct asked *asked, const struct blob *der,
	const struct mode *mode, const struct issuer *issuer, char serial[SERIAL_HEX_MAX])
{
	gnutls_datum_t request = {der->data, (unsigned)der->len};
	gnutls_x509_crq_t crq = NULL;
	int rc = gnutls_x509_crq_init(&crq);

	if (rc >= 0)
		rc = gnutls_x509_crq_import(crq, &request, GNUTLS_X509_FMT_DER);
	if (rc >= 0)
		rc = fill(leaf, crq, asked->usage, mode, issuer, serial);
	if (crq)
		gnutls_x509_crq_deinit(crq);
	return rc;
}

static enum err take_der(gnutls_x509_crt_t certificate, struct blob *out, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	enum err err =
		check(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der), "export", e);

	if (!err)
		err = blob_copy(der.data, der.size, out, e);
	gnutls_free(der.data);
	return err;
}

enum err leaf_make(struct exchange *x, const struct blob *crq, const struct asked *asked,
	struct decision *out, struct error *e)
{
	struct mode mode = x->mode;
	struct issuer issuer = {NULL, NULL};
	gnutls_x509_crt_t leaf = NULL;
	enum err err = issuer_open(x, &issuer, e);

	if (*mode.at)
		mode.fault = FAULT_NONE;
	if (!err)
		err = check(gnutls_x509_crt_init(&leaf), "leaf", e);
	if (!err)
		err = check(make(leaf, asked, crq, &mode, &issuer, out->serial), "leaf", e);
	if (!err)
		err = take_der(leaf, &out->certificate, e);
	if (leaf)
		gnutls_x509_crt_deinit(leaf);
	issuer_close(&issuer);
	return err;
}

/* --- the chain above it */

static enum err read_der(
	const struct exchange *x, const char *name, struct blob *out, struct error *e)
{
	gnutls_x509_crt_t certificate = NULL;
	enum err err = load_certificate(x, name, &certificate, e);

	if (!err)
		err = take_der(certificate, out, e);
	if (certificate)
		gnutls_x509_crt_deinit(certificate);
	return err;
}

enum err authority_chain(
	const struct exchange *x, struct blob out[AUTHORITY_CHAIN], struct error *e)
{
	bool foreign = x->mode.fault == FAULT_FOREIGN_ISSUER;
	int first = x->mode.fault == FAULT_WRONG_ORDER ? 1 : 0;
	const char *issuing = x->mode.fault == FAULT_NO_INTERMEDIATE ? "root.crt"
			      : foreign				     ? "foreign.crt"
								     : "issuing.crt";
	enum err err = read_der(x, issuing, &out[first], e);

	if (!err)
		err = read_der(x, foreign ? "foreign-root.crt" : "root.crt", &out[1 - first], e);
	return err;
}

void authority_chain_free(struct blob chain[AUTHORITY_CHAIN])
{
	for (size_t i = 0; i < AUTHORITY_CHAIN; i++)
		blob_free(&chain[i]);
}

enum err authority_issuer(const struct exchange *x, char out[512], struct error *e)
{
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t dn = {NULL, 0};
	enum err err = load_certificate(x, "issuing.crt", &certificate, e);

	if (!err)
		err = check(gnutls_x509_crt_get_dn3(certificate, &dn, 0), "subject", e);
	if (!err)
		snprintf(out, 512, "%s", (char *)dn.data);
	gnutls_free(dn.data);
	if (certificate)
		gnutls_x509_crt_deinit(certificate);
	return err;
}
