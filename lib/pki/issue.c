/* Makes certificates with the local CA's key: S/MIME leaves and the CA's own root. */

#include "pki/issue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "pki/key_usage.h"
#include "pki/signer.h"
#include "pki/x509.h"

#define SERIAL_OCTETS 16

/* --- every certificate */

static enum err set_serial(gnutls_x509_crt_t crt, struct error *e)
{
	unsigned char serial[SERIAL_OCTETS];
	enum err err = secret_random(serial, sizeof(serial), e);
	int rc;

	if (err)
		return err;
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always 16 octets */
	rc = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	return rc < 0 ? x509_error(e, ERR_INTERNAL, rc, "serial number") : ERR_OK;
}

static enum err set_subject(gnutls_x509_crt_t crt, const struct name *name, struct error *e)
{
	for (size_t i = 0; i < name->count; i++) {
		const char *value = name->attribute[i].value;
		int rc = gnutls_x509_crt_set_dn_by_oid(
			crt, name->attribute[i].oid, 0, value, (unsigned)strlen(value));

		if (rc < 0)
			return x509_error(e, ERR_INTERNAL, rc, "subject");
	}
	return ERR_OK;
}

static enum err set_public_key(
	gnutls_x509_crt_t crt, const struct blob *public_key, struct error *e)
{
	unsigned char key_id[X509_KEY_ID_SIZE];
	gnutls_pubkey_t pubkey = NULL;
	enum err err = x509_key_id(public_key, key_id, e);
	int rc;

	if (!err)
		err = x509_import_public(public_key, ERR_INTERNAL, &pubkey, e);
	if (err)
		return err;
	rc = gnutls_x509_crt_set_pubkey(crt, pubkey);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_key_id(crt, key_id, sizeof(key_id));
	gnutls_pubkey_deinit(pubkey);
	return rc < 0 ? x509_error(e, ERR_INTERNAL, rc, "public key") : ERR_OK;
}

/* A certificate without its extensions and its signature. */
static enum err begin(const struct name *subject, const struct blob *public_key, int64_t not_before,
	int64_t not_after, gnutls_x509_crt_t *out, struct error *e)
{
	gnutls_x509_crt_t crt = NULL;
	enum err err = ERR_OK;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_activation_time(crt, (time_t)not_before);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(crt, (time_t)not_after);
	if (rc < 0)
		err = x509_error(e, ERR_INTERNAL, rc, "certificate");
	if (!err)
		err = set_serial(crt, e);
	if (!err)
		err = set_subject(crt, subject, e);
	if (!err)
		err = set_public_key(crt, public_key, e);
	if (err)
		gnutls_x509_crt_deinit(crt);
	else
		*out = crt;
	return err;
}

struct signing {
	gnutls_x509_crt_t crt;
	gnutls_x509_crt_t issuer;
	gnutls_digest_algorithm_t digest;
};

static int sign_certificate(gnutls_privkey_t key, void *ctx)
{
	const struct signing *s = ctx;

	return gnutls_x509_crt_privkey_sign(s->crt, s->issuer, key, s->digest, 0);
}

/* Signs the certificate and gives its DER. */
static enum err finish(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, const struct signer *signer,
	gnutls_digest_algorithm_t digest, struct blob *out, struct error *e)
{
	struct signing signing = {crt, issuer, digest};
	gnutls_datum_t der = {NULL, 0};
	enum err err = signer_run(signer, sign_certificate, &signing, "signing a certificate", e);
	int rc;

	if (err)
		return err;
	rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "signing a certificate");
	return x509_take(&der, out, e);
}

/* --- leaves */

/* RFC 5280, 4.2.1.6, and RFC 9598, 3. */
static int set_address(gnutls_x509_crt_t crt, const struct address *address)
{
	unsigned len = (unsigned)strlen(address->text);

	if (address->ascii_local)
		return gnutls_x509_crt_set_subject_alt_name(
			crt, GNUTLS_SAN_RFC822NAME, address->text, len, GNUTLS_FSAN_SET);
	return gnutls_x509_crt_set_subject_alt_othername(crt, OID_SMTP_UTF8_MAILBOX, address->text,
		len, GNUTLS_FSAN_SET | GNUTLS_FSAN_ENCODE_UTF8_STRING);
}

/* S/MIME Baseline Requirements, 7.1.2.3; key ids are set elsewhere. */
static enum err set_purpose(
	gnutls_x509_crt_t crt, enum usage usage, const struct address *address, struct error *e)
{
	int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, NULL);
	unsigned bits = key_usage_bits(usage, algorithm);
	int rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);

	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_usage(crt, bits);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_EMAIL_PROTECTION, 0);
	if (rc >= 0)
		rc = set_address(crt, address);
	return rc < 0 ? x509_error(e, ERR_INTERNAL, rc, "certificate extensions") : ERR_OK;
}

static enum err set_policies(gnutls_x509_crt_t crt, char *const *policies, struct error *e)
{
	for (; policies && *policies; policies++) {
		struct gnutls_x509_policy_st policy = {.oid = *policies};
		int rc = 0;

		if (!text_is_oid(*policies))
			return error_set(e, ERR_CONFIG,
				"policy \"%s\" is not an object identifier such as 1.3.6.1.4.1.32473.1",
				*policies);
		rc = gnutls_x509_crt_set_policy(crt, &policy, 0);
		if (rc < 0)
			return x509_error(e, ERR_CONFIG, rc, *policies);
	}
	return ERR_OK;
}

/* Where a mail client finds the issuer and its list. */
static enum err set_pointers(gnutls_x509_crt_t crt, const struct issuer *issuer,
	const struct leaf_order *order, struct error *e)
{
	int rc = gnutls_x509_crt_set_authority_key_id(crt, issuer->key_id, issuer->key_id_len);

	if (rc >= 0 && order->crl_url)
		rc = gnutls_x509_crt_set_crl_dist_points2(
			crt, GNUTLS_SAN_URI, order->crl_url, (unsigned)strlen(order->crl_url), 0);
	if (rc >= 0 && order->issuer_url) {
		struct buf url = BUF_INIT(2048);
		gnutls_datum_t data;

		buf_puts(&url, order->issuer_url);
		data = (gnutls_datum_t){(unsigned char *)url.data, (unsigned)url.len};
		rc = gnutls_x509_crt_set_authority_info_access(crt, GNUTLS_IA_CAISSUERS_URI, &data);
		buf_free(&url);
	}
	return rc < 0 ? x509_error(e, ERR_INTERNAL, rc, "the issuer's addresses") : ERR_OK;
}

enum err issue_leaf(const struct issuer *issuer, const struct leaf_order *order, struct blob *out,
	struct error *e)
{
	int64_t from = order->not_before, to = order->not_after;
	gnutls_x509_crt_t crt = NULL;
	enum err err = issuer_check_time(issuer, e);

	if (err)
		return err;
	if (from < issuer->not_before)
		from = issuer->not_before;
	if (to > issuer->not_after)
		to = issuer->not_after;
	if (to <= from)
		return error_set(e, ERR_INTERNAL, "a certificate that ends before it begins");
	err = begin(order->subject, order->public_key, from, to, &crt, e);
	if (!err)
		err = set_purpose(crt, order->usage, order->address, e);
	if (!err)
		err = set_pointers(crt, issuer, order, e);
	if (!err)
		err = set_policies(crt, order->policies, e);
	if (!err)
		err = finish(crt, issuer->crt, &issuer->signer, issuer->digest, out, e);
	gnutls_x509_crt_deinit(crt);
	return err;
}

/* --- the root */

static enum err sign_root(const struct signer *signer, const struct blob *public_key,
	const struct name *subject, int64_t not_before, int64_t not_after, struct blob *out,
	struct error *e)
{
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_UNKNOWN;
	gnutls_x509_crt_t crt = NULL;
	enum err err = x509_digest(public_key, &digest, e);
	int rc = 0;

	if (!err)
		err = begin(subject, public_key, not_before, not_after, &crt, e);
	if (!err) {
		rc = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
		if (rc >= 0)
			rc = gnutls_x509_crt_set_key_usage(
				crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
		if (rc < 0)
			err = x509_error(e, ERR_INTERNAL, rc, "the CA's extensions");
	}
	if (!err)
		err = finish(crt, crt, signer, digest, out, e);
	gnutls_x509_crt_deinit(crt);
	return err;
}

enum err issue_root(const struct key *key, const struct name *subject, int64_t not_before,
	int64_t not_after, struct blob *out, struct error *e)
{
	struct signer signer = {.key = NULL};
	struct blob public_key = {NULL, 0};
	enum err err = key_public(key, &public_key, e);

	if (!err)
		err = signer_load(key, &signer, e);
	if (!err)
		err = sign_root(&signer, &public_key, subject, not_before, not_after, out, e);
	signer_free(&signer);
	blob_free(&public_key);
	return err;
}

enum err issue_root_token(struct token *token, const struct name *subject, int64_t not_before,
	int64_t not_after, struct blob *out, struct error *e)
{
	const struct signer signer = {.token = token};
	struct blob public_key = {NULL, 0};
	enum err err = token_public(token, &public_key, e);

	if (!err)
		err = token_expect(token, &public_key, e);
	if (!err)
		err = sign_root(&signer, &public_key, subject, not_before, not_after, out, e);
	blob_free(&public_key);
	return err;
}
