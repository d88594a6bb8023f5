/*
 * Finds the chain among the certificates that a CA sent: leaf first, each followed by its issuer.
 */

#include "pki/chain_build.h"

#include <string.h>

#include "pki/x509.h"

/* All certificates as GnuTLS reads them. */
struct pool {
	size_t count;
	gnutls_x509_crt_t crt[CERTIFICATES_MAX];
	bool used[CERTIFICATES_MAX]; /* in the chain already: CAs may certify one another */
};

static enum err load(const struct certificates *from, struct pool *pool, struct error *e)
{
	enum err err = ERR_OK;

	while (pool->count < from->count && !err) {
		err = x509_import(
			&from->certificate[pool->count], ERR_REFUSED, &pool->crt[pool->count], e);
		pool->count += !err;
	}
	return err;
}

static void unload(struct pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		gnutls_x509_crt_deinit(pool->crt[i]);
}

static enum err find_leaf(
	const struct pool *pool, const struct blob *public_key, size_t *out, struct error *e)
{
	size_t found = pool->count;

	for (size_t i = 0; i < pool->count; i++) {
		struct blob key = {NULL, 0};
		bool newer = found == pool->count ||
			     gnutls_x509_crt_get_activation_time(pool->crt[i]) >
				     gnutls_x509_crt_get_activation_time(pool->crt[found]);
		enum err err = x509_public_key(pool->crt[i], &key, e);

		if (!err && newer && blob_equal(&key, public_key))
			found = i;
		blob_free(&key);
		if (err)
			return err;
	}
	if (found == pool->count)
		return error_set(e, ERR_REFUSED, "the CA returned no certificate for our key");
	*out = found;
	return ERR_OK;
}

/* Checks the signature: of two CAs with the same name only one has the key. */
static bool has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt)
{
	const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
			       GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT |
			       GNUTLS_VERIFY_ALLOW_BROKEN;
	unsigned status = 0;

	return gnutls_x509_crt_check_issuer(crt, issuer) &&
	       gnutls_x509_crt_verify(crt, &issuer, 1, flags, &status) >= 0 && status == 0;
}

/* pool->count: the issuer is not there, or the certificate is a root, which issued itself. */
static size_t find_issuer(const struct pool *pool, size_t of)
{
	if (has_signed(pool->crt[of], pool->crt[of]))
		return pool->count;
	for (size_t i = 0; i < pool->count; i++)
		if (!pool->used[i] && has_signed(pool->crt[i], pool->crt[of]))
			return i;
	return pool->count;
}

static enum err follow(const struct certificates *from, struct pool *pool, size_t leaf,
	struct chain *out, struct error *e)
{
	struct chain chain = {0};
	enum err err = ERR_OK;

	for (size_t at = leaf; at < pool->count && !err; at = find_issuer(pool, at)) {
		pool->used[at] = true;
		if (chain.count == CHAIN_MAX)
			err = error_set(
				e, ERR_REFUSED, "a chain of more than %d certificates", CHAIN_MAX);
		else
			err = blob_copy(from->certificate[at].data, from->certificate[at].len,
				&chain.certificate[chain.count], e);
		chain.count += !err;
	}
	if (err)
		chain_free(&chain);
	else
		*out = chain;
	return err;
}

enum err chain_build(const struct certificates *from, const struct blob *public_key,
	struct chain *out, struct error *e)
{
	struct pool pool = {.count = 0};
	size_t leaf = 0;
	enum err err = load(from, &pool, e);

	if (!err)
		err = find_leaf(&pool, public_key, &leaf, e);
	if (!err)
		err = follow(from, &pool, leaf, out, e);
	unload(&pool);
	return err;
}

enum err chain_longest(const struct certificates *from, struct chain *out, struct error *e)
{
	struct chain longest = {.count = 0};
	struct pool pool = {.count = 0};
	enum err err = load(from, &pool, e);

	for (size_t i = 0; i < pool.count && !err; i++) {
		struct chain chain = {.count = 0};

		memset(pool.used, 0, sizeof(pool.used));
		err = follow(from, &pool, i, &chain, e);
		if (!err && chain.count > longest.count) {
			chain_free(&longest);
			longest = chain;
		} else {
			chain_free(&chain);
		}
	}
	unload(&pool);
	if (err)
		chain_free(&longest);
	else
		*out = longest;
	return err;
}
