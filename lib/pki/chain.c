/*
 * A chain of certificates: copied, read from PEM, joined for the store. chain_build.c finds it,
 * certificate_check.c judges it.
 */

#include "pki/chain.h"

#include "pki/x509.h"

#define JOINED_MAX (CHAIN_MAX * 64 * 1024)

void chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		blob_free(&chain->certificate[i]);
	chain->count = 0;
}

static enum err append(struct chain *chain, const void *der, size_t len, struct error *e)
{
	enum err err = ERR_OK;

	if (chain->count == CHAIN_MAX)
		return error_set(
			e, ERR_CONFIG, "more than %d certificates in one chain", CHAIN_MAX);
	err = blob_copy(der, len, &chain->certificate[chain->count], e);
	if (!err)
		chain->count++;
	return err;
}

enum err chain_copy(const struct chain *from, struct chain *out, struct error *e)
{
	struct chain copy = {0};
	enum err err = ERR_OK;

	for (size_t i = 0; i < from->count && !err; i++)
		err = append(&copy, from->certificate[i].data, from->certificate[i].len, e);
	if (err)
		chain_free(&copy);
	else
		*out = copy;
	return err;
}

enum err chain_join(const struct chain *chain, struct blob *out, struct error *e)
{
	struct buf joined = BUF_INIT(JOINED_MAX);

	for (size_t i = 0; i < chain->count; i++)
		buf_append(&joined, chain->certificate[i].data, chain->certificate[i].len);
	return blob_take(&joined, out, e);
}

enum err chain_split(const struct blob *joined, struct chain *out, struct error *e)
{
	struct chain chain = {0};
	enum err err = ERR_OK;

	for (size_t at = 0, len; at < joined->len && !err; at += len) {
		len = x509_sequence_length(joined->data + at, joined->len - at);
		if (len == 0)
			err = error_set(e, ERR_INTERNAL, "a stored certificate chain is damaged");
		else
			err = append(&chain, joined->data + at, len, e);
	}
	if (err)
		chain_free(&chain);
	else
		*out = chain;
	return err;
}

static enum err append_crt(struct chain *chain, gnutls_x509_crt_t crt, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	enum err err = x509_check_cost(crt, ERR_CONFIG, e);
	int rc;

	if (err)
		return err;
	rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	if (rc < 0)
		return x509_error(e, ERR_CONFIG, rc, "certificate");
	err = append(chain, der.data, der.size, e);
	gnutls_free(der.data);
	return err;
}

enum err chain_from_pem(const struct blob *pem, struct chain *out, struct error *e)
{
	const gnutls_datum_t data = x509_datum(pem);
	gnutls_x509_crt_t *list = NULL;
	struct chain chain = {0};
	unsigned count = 0;
	enum err err = ERR_OK;
	int rc = gnutls_x509_crt_list_import2(&list, &count, &data, GNUTLS_X509_FMT_PEM, 0);

	if (rc < 0)
		return x509_error(e, ERR_CONFIG, rc, "no certificate in PEM that can be read");
	for (unsigned i = 0; i < count && !err; i++)
		err = append_crt(&chain, list[i], e);
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	if (err)
		chain_free(&chain);
	else
		*out = chain;
	return err;
}
