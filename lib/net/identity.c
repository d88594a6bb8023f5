/* Our TLS client certificate and key, from a PKCS#12 file or a token. */
#include "net/identity.h"

#include <gnutls/abstract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memfile.h"
#include "pki/certificate.h"
#include "pki/pkcs12_read.h"
#include "pki/token.h"
#include "pki/token_objects.h"

#define ISSUER_SHOWN 128

struct identity {
	struct token *token; /* NULL: file has the key, too */
	struct memfile file;
	struct blob certificate;
	int64_t not_after;
	bool for_clients;
	char issuer[DN_TEXT_SIZE]; /* of the last certificate, unless it is self-signed; or "" */
};

#define PEM_MAX (256 * 1024)

/* The issuer whose certificate would be next in the chain; "" if there can be none. */
static enum err missing_issuer(const struct chain *chain, char out[DN_TEXT_SIZE], struct error *e)
{
	struct certificate_info last;
	enum err err = certificate_info(&chain->certificate[chain->count - 1], &last, e);

	if (err)
		return err;
	out[0] = '\0';
	if (strcmp(last.issuer, last.subject) != 0)
		snprintf(out, DN_TEXT_SIZE, "%s", last.issuer);
	return ERR_OK;
}

static enum err take(
	struct identity *identity, const struct blob *pem, struct memfile *file, struct error *e)
{
	struct certificate_info info;
	struct chain chain = {0};
	char issuer[DN_TEXT_SIZE];
	enum err err = chain_from_pem(pem, &chain, e);

	if (!err)
		err = certificate_info(&chain.certificate[0], &info, e);
	if (!err)
		err = missing_issuer(&chain, issuer, e);
	if (!err)
		err = memfile_open("identity", pem->data, pem->len, file, e);
	if (!err) {
		blob_free(&identity->certificate);
		identity->certificate = chain.certificate[0];
		identity->not_after = info.not_after;
		identity->for_clients = info.for_clients;
		memcpy(identity->issuer, issuer, sizeof(issuer));
		chain.certificate[0] = (struct blob){NULL, 0};
	}
	chain_free(&chain);
	return err;
}

static enum err open_pkcs12(
	const char *file, const char *password_file, struct identity *identity, struct error *e)
{
	struct blob pem = {NULL, 0};
	enum err err = pkcs12_read(file, password_file, &pem, e);

	if (!err && take(identity, &pem, &identity->file, e))
		err = error_set(e, ERR_CONFIG, "%s: %s", file, e->text);
	blob_free(&pem);
	return err;
}

enum err identity_open(
	const char *source, const char *password_file, struct identity **out, struct error *e)
{
	struct identity *identity = calloc(1, sizeof(*identity));
	enum err err;

	if (!identity)
		return error_memory(e);
	identity->file = (struct memfile)MEMFILE_INIT;
	identity->not_after = INT64_MAX;
	err = token_is_url(source) ? token_new(source, &identity->token, e)
				   : open_pkcs12(source, password_file, identity, e);
	if (err)
		identity_close(identity);
	else
		*out = identity;
	return err;
}

void identity_close(struct identity *identity)
{
	if (!identity)
		return;
	token_free(identity->token);
	memfile_close(&identity->file);
	blob_free(&identity->certificate);
	free(identity);
}

/* --- in a token */

static enum err write_chain(const struct chain *chain, struct blob *out, struct error *e)
{
	struct buf pem = BUF_INIT(PEM_MAX);
	enum err err = ERR_OK;

	for (size_t i = 0; i < chain->count && !err; i++) {
		struct blob text = {NULL, 0};

		err = certificate_to_pem(&chain->certificate[i], &text, e);
		if (!err)
			buf_append(&pem, text.data, text.len);
		blob_free(&text);
	}
	if (!err)
		err = blob_take(&pem, out, e);
	buf_free(&pem);
	return err;
}

static enum err read_token(struct identity *identity, struct error *e)
{
	struct memfile file = MEMFILE_INIT;
	struct blob pem = {NULL, 0};
	struct chain chain = {0};
	enum err err = token_chain(identity->token, &chain, e);

	if (!err)
		err = write_chain(&chain, &pem, e);
	if (!err)
		err = take(identity, &pem, &file, e);
	if (!err) {
		memfile_close(&identity->file);
		identity->file = file;
	}
	blob_free(&pem);
	chain_free(&chain);
	return err;
}

enum err identity_ready(struct identity *identity, struct error *e)
{
	enum err err = ERR_OK;

	if (!identity->token)
		return ERR_OK;
	if (identity->certificate.data)
		err = token_probe(identity->token, e);
	/* The token may have another pair now. */
	if (!identity->certificate.data || err == ERR_CONFIG) {
		err = read_token(identity, e);
		if (!err)
			err = token_probe(identity->token, e);
	}
	if (!err)
		token_lend(identity->token);
	return err;
}

bool identity_in_token(const struct identity *identity)
{
	return identity->token;
}

/* --- its facts */

const char *identity_path(const struct identity *identity)
{
	return identity->file.path;
}

const char *identity_key(const struct identity *identity)
{
	return identity->token ? token_lend(identity->token) : identity->file.path;
}

const struct blob *identity_certificate(const struct identity *identity)
{
	return &identity->certificate;
}

int64_t identity_not_after(const struct identity *identity)
{
	return identity->not_after;
}

void identity_flaws(const struct identity *identity, char out[IDENTITY_FLAWS_SIZE])
{
	int len = 0;

	out[0] = '\0';
	if (!identity->certificate.data)
		return;
	if (!identity->for_clients)
		len = snprintf(out, IDENTITY_FLAWS_SIZE,
			"; it is not meant for TLS clients: have it issued with extended key usage "
			"clientAuth");
	if (identity->issuer[0])
		snprintf(out + len, IDENTITY_FLAWS_SIZE - (size_t)len,
			"; the certificate of %.*s is not in its file: if that is an intermediate "
			"CA, export it with the whole chain",
			ISSUER_SHOWN, identity->issuer);
}

/* --- for signatures */

/* pem has certificates, and the key unless that is in a token. */
static enum err open_key(const struct identity *identity, const struct blob *pem,
	gnutls_privkey_t *out, struct error *e)
{
	const gnutls_datum_t data = {pem->data, (unsigned)pem->len};
	gnutls_privkey_t key = NULL;
	int rc = gnutls_privkey_init(&key);

	if (rc >= 0 && identity->token)
		rc = gnutls_privkey_import_url(key, token_lend(identity->token), 0);
	else if (rc >= 0)
		rc = gnutls_privkey_import_x509_raw(key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc >= 0) {
		*out = key;
		return ERR_OK;
	}
	gnutls_privkey_deinit(key);
	return error_set(
		e, ERR_UNAVAILABLE, "the identity's key cannot be used: %s", gnutls_strerror(rc));
}

enum err identity_signer(const struct identity *identity, struct gnutls_privkey_st **key,
	struct chain *chain, struct error *e)
{
	struct chain certificates = {0};
	struct blob pem = {NULL, 0};
	enum err err = file_read(identity->file.path, &pem, e);

	if (!err)
		err = chain_from_pem(&pem, &certificates, e);
	if (!err)
		err = open_key(identity, &pem, key, e);
	if (err)
		chain_free(&certificates);
	else
		*chain = certificates;
	blob_free(&pem);
	return err;
}
