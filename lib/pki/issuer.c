/* The local CA as a signer: its certificate with its key, in memory or in a token. */

#include "pki/issuer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "pki/signer.h"
#include "pki/x509.h"

static enum err unfit(struct error *e, const char *why)
{
	return error_set(e, ERR_CONFIG, "the CA's certificate %s", why);
}

static enum err check_is_ca(gnutls_x509_crt_t crt, struct error *e)
{
	unsigned ca = 0, usage = GNUTLS_KEY_KEY_CERT_SIGN, bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);

	if (gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, NULL) < 0 || !ca)
		return unfit(e,
			"is not a CA certificate (basicConstraints); set [ca] certificate to one");
	if (gnutls_x509_crt_get_key_usage(crt, &usage, NULL) >= 0 &&
		!(usage & GNUTLS_KEY_KEY_CERT_SIGN))
		return unfit(e, "does not allow signing certificates (keyUsage): have it "
				"issued with keyCertSign and cRLSign");
	if (algorithm < 0 || x509_is_weak((gnutls_pk_algorithm_t)algorithm, bits))
		return unfit(e, "has a key that is too weak, or of an unknown kind: use RSA from "
				"2048 bits on, or EC P-256 or P-384");
	return ERR_OK;
}

static enum err check_fits(const struct blob *certified, const struct key *key, struct error *e)
{
	struct blob own = {NULL, 0};
	enum err err = key_public(key, &own, e);

	if (!err && !blob_equal(certified, &own))
		err = unfit(e, "is for another key; set [ca] certificate and key to a pair");
	blob_free(&own);
	return err;
}

enum err issuer_check_time(const struct issuer *issuer, struct error *e)
{
	int64_t now = clock_now();
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];

	if (now >= issuer->not_before && now <= issuer->not_after)
		return ERR_OK;
	clock_rfc3339(issuer->not_before, from);
	clock_rfc3339(issuer->not_after, to);
	return error_set(e, ERR_CONFIG, "the CA's certificate %s: it is valid from %s to %s",
		now < issuer->not_before ? "is not valid yet" : "has expired", from, to);
}

/* The certificate's own key identifier, which the certificates that it issues refer to. */
static enum err set_key_id(struct issuer *issuer, const struct blob *public_key, struct error *e)
{
	size_t len = sizeof(issuer->key_id);

	if (gnutls_x509_crt_get_subject_key_id(issuer->crt, issuer->key_id, &len, NULL) >= 0) {
		issuer->key_id_len = len;
		return ERR_OK;
	}
	issuer->key_id_len = X509_KEY_ID_SIZE;
	return x509_key_id(public_key, issuer->key_id, e);
}

/* Fills what the certificate says. */
static enum err open_certificate(const struct blob *certificate, struct issuer *issuer,
	struct blob *public_key, struct error *e)
{
	enum err err = x509_import(certificate, ERR_CONFIG, &issuer->crt, e);

	if (!err)
		err = check_is_ca(issuer->crt, e);
	if (!err)
		err = x509_public_key(issuer->crt, public_key, e);
	if (err)
		return err;
	issuer->not_before = gnutls_x509_crt_get_activation_time(issuer->crt);
	issuer->not_after = gnutls_x509_crt_get_expiration_time(issuer->crt);
	err = set_key_id(issuer, public_key, e);
	return err ? err : x509_digest(public_key, &issuer->digest, e);
}

enum err issuer_new(
	const struct blob *certificate, const struct key *key, struct issuer **out, struct error *e)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));
	struct blob public_key = {NULL, 0};
	enum err err = issuer ? ERR_OK : error_memory(e);

	if (!err)
		err = open_certificate(certificate, issuer, &public_key, e);
	if (!err)
		err = check_fits(&public_key, key, e);
	if (!err)
		err = signer_load(key, &issuer->signer, e);
	blob_free(&public_key);
	if (err)
		issuer_free(issuer);
	else
		*out = issuer;
	return err;
}

enum err issuer_new_token(
	const struct blob *certificate, struct token *token, struct issuer **out, struct error *e)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));
	struct blob public_key = {NULL, 0};
	enum err err = issuer ? ERR_OK : error_memory(e);

	if (!err)
		err = open_certificate(certificate, issuer, &public_key, e);
	if (!err)
		err = token_expect(token, &public_key, e);
	blob_free(&public_key);
	if (err) {
		issuer_free(issuer);
		return err;
	}
	issuer->signer.token = token;
	*out = issuer;
	return ERR_OK;
}

enum err issuer_check_key(const struct issuer *issuer, struct error *e)
{
	return issuer->signer.token ? token_probe(issuer->signer.token, e) : ERR_OK;
}

void issuer_free(struct issuer *issuer)
{
	if (!issuer)
		return;
	signer_free(&issuer->signer);
	gnutls_x509_crt_deinit(issuer->crt);
	free(issuer);
}
