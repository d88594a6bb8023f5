/* Makes and reads the objects in a token beside the key that signs: key pairs and certificates. */

#include "pki/token_objects.h"

#include <gnutls/pkcs11.h>

#include "pki/key.h"
#include "pki/token_session.h"
#include "pki/x509.h"

/* --- a new key pair */

struct pair {
	int algorithm; /* gnutls_pk_algorithm_t */
	unsigned bits;
};

static int count(const char *url, unsigned *out)
{
	gnutls_pkcs11_obj_t *objects = NULL;
	unsigned found = 0;
	int rc = gnutls_pkcs11_obj_list_import_url4(
		&objects, &found, url, GNUTLS_PKCS11_OBJ_FLAG_LOGIN);

	for (unsigned i = 0; i < found; i++)
		gnutls_pkcs11_obj_deinit(objects[i]);
	gnutls_free(objects);
	*out += found;
	return rc;
}

static int count_both(struct token *token, void *ctx)
{
	int rc = count(token->key_url, ctx);

	return rc < 0 ? rc : count(token->public_url, ctx);
}

static int generate(struct token *token, void *ctx)
{
	const struct pair *pair = ctx;
	const gnutls_datum_t id = x509_datum(&token->id);

	return gnutls_pkcs11_privkey_generate3(token->token_url,
		(gnutls_pk_algorithm_t)pair->algorithm, pair->bits,
		token->label[0] ? token->label : NULL, id.size ? &id : NULL, GNUTLS_X509_FMT_DER,
		NULL, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN,
		GNUTLS_PKCS11_OBJ_FLAG_LOGIN | GNUTLS_PKCS11_OBJ_FLAG_MARK_PRIVATE |
			GNUTLS_PKCS11_OBJ_FLAG_MARK_SENSITIVE);
}

static enum err ask(struct token *token, token_question *question, void *ctx, struct error *e)
{
	int rc = 0;
	enum err err = token_ask(token, question, ctx, &rc, e);

	if (err || rc >= 0)
		return err;
	return token_try_later(token_explain(token, rc, e), e);
}

enum err token_generate(struct token *token, enum key_type type, struct error *e)
{
	struct pair pair = {GNUTLS_PK_RSA, 0};
	unsigned found = 0;
	enum err err = ask(token, count_both, &found, e);

	if (err)
		return err;
	if (found)
		return error_set(
			e, ERR_CONFIG, "%s is there already; it is never overwritten", token->name);
	key_parameters(type, &pair.algorithm, &pair.bits);
	return ask(token, generate, &pair, e);
}

/* --- certificates */

static bool is_newer(gnutls_x509_crt_t crt, gnutls_x509_crt_t than)
{
	return !than ||
	       gnutls_x509_crt_get_activation_time(crt) > gnutls_x509_crt_get_activation_time(than);
}

static int take_newer(gnutls_x509_crt_t *newest, gnutls_pkcs11_obj_t object)
{
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc >= 0)
		rc = gnutls_x509_crt_import_pkcs11(crt, object);
	if (rc >= 0 && is_newer(crt, *newest)) {
		gnutls_x509_crt_t older = *newest;

		*newest = crt;
		crt = older;
	}
	gnutls_x509_crt_deinit(crt);
	return rc;
}

static int find_leaf(struct token *token, void *newest)
{
	gnutls_pkcs11_obj_t *objects = NULL;
	unsigned count = 0;
	int rc = gnutls_pkcs11_obj_list_import_url4(&objects, &count, token->certificate_url, 0);

	for (unsigned i = 0; i < count; i++) {
		if (rc >= 0)
			rc = take_newer(newest, objects[i]);
		gnutls_pkcs11_obj_deinit(objects[i]);
	}
	gnutls_free(objects);
	return rc;
}

/* NULL: the issuer is not there, or the certificate issued itself. */
static gnutls_x509_crt_t find_issuer(const struct token *token, gnutls_x509_crt_t crt)
{
	gnutls_x509_crt_t issuer = NULL;
	gnutls_datum_t der = {NULL, 0};
	struct blob copy = {NULL, 0};
	struct error e;

	if (gnutls_x509_crt_check_issuer(crt, crt) ||
		gnutls_pkcs11_get_raw_issuer(token->token_url, crt, &der, GNUTLS_X509_FMT_DER, 0) <
			0)
		return NULL;
	if (!x509_take(&der, &copy, &e) && x509_import(&copy, ERR_CONFIG, &issuer, &e))
		issuer = NULL;
	blob_free(&copy);
	return issuer;
}

static enum err append(gnutls_x509_crt_t crt, struct chain *chain, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	int rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	enum err err;

	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "certificate");
	err = x509_take(&der, &chain->certificate[chain->count], e);
	chain->count += !err;
	return err;
}

/* Collects the chain from the leaf up; frees crt. */
static enum err climb(
	const struct token *token, gnutls_x509_crt_t crt, struct chain *chain, struct error *e)
{
	enum err err = ERR_OK;

	while (!err && crt && chain->count < CHAIN_MAX) {
		gnutls_x509_crt_t issuer = NULL;

		err = append(crt, chain, e);
		if (!err)
			issuer = find_issuer(token, crt);
		gnutls_x509_crt_deinit(crt);
		crt = issuer;
	}
	gnutls_x509_crt_deinit(crt);
	return err;
}

static enum err expect(struct token *token, gnutls_x509_crt_t crt, struct error *e)
{
	struct blob public_key = {NULL, 0};
	enum err err = x509_public_key(crt, &public_key, e);

	if (!err)
		err = token_expect(token, &public_key, e);
	blob_free(&public_key);
	return err;
}

enum err token_chain(struct token *token, struct chain *out, struct error *e)
{
	gnutls_x509_crt_t crt = NULL;
	struct chain chain = {0};
	/* Opening the key finds a token that was away. */
	enum err err = token->expected ? ERR_OK : token_probe(token, e);

	if (!err)
		err = ask(token, find_leaf, &crt, e);
	if (!err && !crt)
		err = error_set(e, ERR_UNAVAILABLE,
			"%s: there is no certificate with its label or id in the token: import it",
			token->name);
	if (!err)
		err = expect(token, crt, e);
	if (err) {
		gnutls_x509_crt_deinit(crt);
		return err;
	}
	err = climb(token, crt, &chain, e);
	if (err)
		chain_free(&chain);
	else
		*out = chain;
	return err;
}
