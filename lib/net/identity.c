#include "net/identity.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memfile.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "pki/token.h"

struct identity {
	struct token *token; /* NULL: the key is in file, too */
	struct memfile file;
	struct blob certificate;
	int64_t not_after;
};

#define PEM_MAX (256 * 1024)

/* What a PKCS#12 file holds, as GnuTLS sees it. */
struct content {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t *chain; /* the key's certificate first */
	unsigned chain_len;
};

static void content_free(struct content *c)
{
	for (unsigned i = 0; i < c->chain_len; i++)
		gnutls_x509_crt_deinit(c->chain[i]);
	gnutls_free(c->chain);
	gnutls_x509_privkey_deinit(c->key);
	*c = (struct content){0};
}

/*
 * Private keys that can be seen without a password: in the usual layout each
 * key is encrypted by itself in a safe that is not.
 */
static int count_keys(gnutls_pkcs12_t p12)
{
	int keys = 0, ret = 0;

	for (int i = 0; ret >= 0; i++) {
		gnutls_pkcs12_bag_t bag = NULL;

		ret = gnutls_pkcs12_bag_init(&bag);
		if (ret >= 0)
			ret = gnutls_pkcs12_get_bag(p12, i, bag);
		for (int j = 0; ret >= 0 && j < gnutls_pkcs12_bag_get_count(bag); j++) {
			int type = gnutls_pkcs12_bag_get_type(bag, (unsigned)j);

			if (type == GNUTLS_BAG_PKCS8_KEY || type == GNUTLS_BAG_PKCS8_ENCRYPTED_KEY)
				keys++;
		}
		if (bag)
			gnutls_pkcs12_bag_deinit(bag);
	}
	return keys;
}

/* A GnuTLS code. The MAC proves the password and the content; some files have none. */
static int check_mac(gnutls_pkcs12_t p12, const char *password)
{
	int ret = gnutls_pkcs12_mac_info(p12, NULL, NULL, NULL, NULL, NULL);

	if (ret < 0)
		return 0;
	ret = gnutls_pkcs12_verify_mac(p12, password);
	/* "No password" has two encodings, and files that mix them. */
	if (ret < 0 && !password)
		ret = gnutls_pkcs12_verify_mac(p12, "");
	return ret;
}

static int parse(gnutls_pkcs12_t p12, const char *password, struct content *out)
{
	return gnutls_pkcs12_simple_parse(
		p12, password, &out->key, &out->chain, &out->chain_len, NULL, NULL, NULL, 0);
}

/* What a GnuTLS code means for one who has to mend the file. */
static enum err parse_error(
	gnutls_pkcs12_t p12, int code, const char *file, const char *password_file, struct error *e)
{
	if (code == GNUTLS_E_MEMORY_ERROR)
		return error_memory(e);
	if (code == GNUTLS_E_MAC_VERIFY_FAILED || code == GNUTLS_E_DECRYPTION_FAILED)
		return password_file
			       ? error_set(e, ERR_CONFIG, "%s: the password in %s is wrong for it",
					 file, password_file)
			       : error_set(e, ERR_CONFIG,
					 "%s has a password; name the file that holds it "
					 "(identity-password-file)",
					 file);
	if (code != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return error_set(e, ERR_CONFIG, "%s: %s", file, gnutls_strerror(code));
	if (count_keys(p12) == 0)
		return error_set(e, ERR_CONFIG,
			"%s has no private key; export the certificate with its key", file);
	return error_set(e, ERR_CONFIG,
		"%s has no certificate that belongs to its private key; export both together",
		file);
}

static enum err open_content(gnutls_pkcs12_t p12, const char *file, const char *password,
	const char *password_file, struct content *out, struct error *e)
{
	int ret = check_mac(p12, password);

	if (ret >= 0)
		ret = parse(p12, password, out);
	if (ret == GNUTLS_E_DECRYPTION_FAILED && !password)
		ret = parse(p12, "", out);
	if (ret < 0)
		return parse_error(p12, ret, file, password_file, e);
	if (count_keys(p12) > 1)
		return error_set(e, ERR_CONFIG,
			"%s has several private keys; it must have just the one to use", file);
	return ERR_OK;
}

static enum err read_password(const char *password_file, struct blob *out, struct error *e)
{
	struct blob password = {NULL, 0};
	enum err err = file_read_password(password_file, &password, e);

	if (!err && !utf8_is_valid((const char *)password.data, password.len)) {
		blob_free(&password);
		err = error_set(
			e, ERR_CONFIG, "%s: the password is not valid UTF-8", password_file);
	}
	if (!err)
		*out = password;
	return err;
}

/* Reads the file into key and chain. */
static enum err read_content(
	const char *file, const char *password_file, struct content *out, struct error *e)
{
	struct blob der = {NULL, 0}, password = {NULL, 0};
	gnutls_pkcs12_t p12 = NULL;
	gnutls_datum_t datum;
	enum err err = file_read_secret(file, &der, e);

	if (!err && password_file)
		err = read_password(password_file, &password, e);
	if (err)
		goto out;
	datum = (gnutls_datum_t){der.data, (unsigned)der.len};
	if (gnutls_pkcs12_init(&p12) < 0)
		err = error_memory(e);
	else if (gnutls_pkcs12_import(p12, &datum, GNUTLS_X509_FMT_DER, 0) < 0)
		err = error_set(e, ERR_CONFIG,
			"%s is not a PKCS#12 file (.pfx, .p12); make one with openssl pkcs12 "
			"-export",
			file);
	else
		err = open_content(p12, file, (const char *)password.data, password_file, out, e);
out:
	if (p12)
		gnutls_pkcs12_deinit(p12);
	blob_free(&password);
	blob_free(&der);
	return err;
}

/* Appends what GnuTLS exported, wipes and frees it. */
static void append_export(struct buf *out, int code, gnutls_datum_t *data)
{
	if (code < 0) {
		out->failed = true;
		return;
	}
	buf_append(out, data->data, data->size);
	secret_wipe(data->data, data->size);
	gnutls_free(data->data);
}

/* Certificates, the key's own first, then the key. */
static enum err open_file(const struct content *c, struct memfile *out, struct error *e)
{
	struct buf pem = BUF_INIT(PEM_MAX);
	gnutls_datum_t data = {NULL, 0};
	enum err err;
	int ret;

	for (unsigned i = 0; i < c->chain_len; i++) {
		ret = gnutls_x509_crt_export2(c->chain[i], GNUTLS_X509_FMT_PEM, &data);
		append_export(&pem, ret, &data);
	}
	ret = gnutls_x509_privkey_export2_pkcs8(
		c->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &data);
	append_export(&pem, ret, &data);
	err = pem.failed ? error_set(e, ERR_CONFIG, "certificates and key cannot be used together")
			 : memfile_open("identity", pem.data, pem.len, out, e);
	buf_free(&pem);
	return err;
}

static enum err copy_certificate(gnutls_x509_crt_t leaf, struct blob *out, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	enum err err;

	if (gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &der) < 0)
		return error_memory(e);
	err = blob_copy(der.data, der.size, out, e);
	gnutls_free(der.data);
	return err;
}

static enum err open_pkcs12(const char *pkcs12_file, const char *password_file,
	struct identity *identity, struct error *e)
{
	struct content content = {0};
	enum err err = read_content(pkcs12_file, password_file, &content, e);

	if (err)
		goto out;
	err = copy_certificate(content.chain[0], &identity->certificate, e);
	if (!err)
		err = open_file(&content, &identity->file, e);
	if (err)
		error_context(e, "%s", pkcs12_file);
	else
		identity->not_after = gnutls_x509_crt_get_expiration_time(content.chain[0]);
out:
	content_free(&content);
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

static enum err write_chain(const struct chain *chain, struct memfile *out, struct error *e)
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
		err = buf_check(&pem, e);
	if (!err)
		err = memfile_open("identity", pem.data, pem.len, out, e);
	buf_free(&pem);
	return err;
}

static enum err read_token(struct identity *identity, struct error *e)
{
	struct memfile file = MEMFILE_INIT;
	struct certificate_info info;
	struct chain chain = {0};
	enum err err = token_chain(identity->token, &chain, e);

	if (!err)
		err = certificate_info(&chain.certificate[0], &info, e);
	if (!err)
		err = write_chain(&chain, &file, e);
	if (!err) {
		memfile_close(&identity->file);
		blob_free(&identity->certificate);
		identity->file = file;
		identity->certificate = chain.certificate[0];
		identity->not_after = info.not_after;
		chain.certificate[0] = (struct blob){NULL, 0};
	}
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
	/* Another pair may have been put there. */
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

/* --- what it is */

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

/* --- for signatures */

/* pem: certificates, and the key unless it is in a token. */
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
