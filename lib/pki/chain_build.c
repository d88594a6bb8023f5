#include <gnutls/pkcs7.h>
#include <string.h>

#include "base/file.h"
#include "pki/certificate.h"
#include "pki/x509.h"

/* From what a CA sends to a chain: leaf first, each followed by its issuer. */

void certificates_free(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		blob_free(&certificates->certificate[i]);
	certificates->count = 0;
}

static enum err add(struct certificates *certificates, const void *der, size_t len, struct error *e)
{
	enum err err = ERR_OK;

	if (certificates->count == CERTIFICATES_MAX)
		return error_set(e, ERR_REFUSED, "more than %d certificates", CERTIFICATES_MAX);
	err = blob_copy(der, len, &certificates->certificate[certificates->count], e);
	certificates->count += !err;
	return err;
}

enum err certificates_add_der(
	struct certificates *certificates, const void *der, size_t len, struct error *e)
{
	const struct blob blob = {(unsigned char *)(uintptr_t)der, len};
	gnutls_x509_crt_t crt = NULL;
	enum err err = x509_import(&blob, ERR_REFUSED, &crt, e);

	if (err)
		return err;
	gnutls_x509_crt_deinit(crt);
	return add(certificates, der, len, e);
}

static enum err add_crt(struct certificates *certificates, gnutls_x509_crt_t crt, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	enum err err = x509_check_cost(crt, ERR_REFUSED, e);
	int rc;

	if (err)
		return err;
	rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	if (rc < 0)
		return x509_error(e, ERR_REFUSED, rc, "certificate");
	err = add(certificates, der.data, der.size, e);
	gnutls_free(der.data);
	return err;
}

enum err certificates_add_pem(
	struct certificates *certificates, const void *pem, size_t len, struct error *e)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)pem, (unsigned)len};
	gnutls_x509_crt_t *list = NULL;
	unsigned count = 0;
	enum err err = ERR_OK;
	int rc = gnutls_x509_crt_list_import2(&list, &count, &data, GNUTLS_X509_FMT_PEM, 0);

	if (rc < 0)
		return x509_error(e, ERR_REFUSED, rc, "no certificate in PEM that can be read");
	for (unsigned i = 0; i < count && !err; i++)
		err = add_crt(certificates, list[i], e);
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return err;
}

enum err certificates_add_file(struct certificates *certificates, const char *path, struct error *e)
{
	struct blob pem = {NULL, 0};
	enum err err = file_read(path, &pem, e);

	if (err)
		return err;
	err = certificates_add_pem(certificates, pem.data, pem.len, e);
	blob_free(&pem);
	return err ? error_set(e, ERR_CONFIG, "%s: %s", path, e->text) : ERR_OK;
}

static enum err add_all(struct certificates *certificates, gnutls_pkcs7_t pkcs7, struct error *e)
{
	int count = gnutls_pkcs7_get_crt_count(pkcs7);
	enum err err = ERR_OK;

	if (count < 1)
		return error_set(e, ERR_REFUSED, "a PKCS#7 message without a certificate");
	for (int i = 0; i < count && !err; i++) {
		gnutls_datum_t der = {NULL, 0};
		int rc = gnutls_pkcs7_get_crt_raw2(pkcs7, (unsigned)i, &der);

		if (rc < 0)
			return x509_error(e, ERR_REFUSED, rc, "certificate in PKCS#7");
		err = certificates_add_der(certificates, der.data, der.size, e);
		gnutls_free(der.data);
	}
	return err;
}

enum err certificates_add_pkcs7(
	struct certificates *certificates, const void *bytes, size_t len, struct error *e)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)bytes, (unsigned)len};
	bool pem = len > 0 && *data.data != 0x30;
	gnutls_pkcs7_t pkcs7 = NULL;
	enum err err;
	int rc = gnutls_pkcs7_init(&pkcs7);

	if (rc >= 0)
		rc = gnutls_pkcs7_import(
			pkcs7, &data, pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
	err = rc < 0 ? x509_error(e, ERR_REFUSED, rc, "no PKCS#7 message that can be read")
		     : add_all(certificates, pkcs7, e);
	if (pkcs7)
		gnutls_pkcs7_deinit(pkcs7);
	return err;
}

/* --- in order */

/* All of them, as GnuTLS reads them. */
struct pool {
	size_t count;
	gnutls_x509_crt_t crt[CERTIFICATES_MAX];
	bool used[CERTIFICATES_MAX]; /* in the chain: CAs may certify one another */
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

/* Did that one sign it? Of two CAs with the same name only one has the key. */
static bool has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt)
{
	const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
			       GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT |
			       GNUTLS_VERIFY_ALLOW_BROKEN;
	unsigned status = 0;

	return gnutls_x509_crt_check_issuer(crt, issuer) &&
	       gnutls_x509_crt_verify(crt, &issuer, 1, flags, &status) >= 0 && status == 0;
}

/* pool->count: it is not there, or is a root, which is its own, though there may be two of it. */
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
