/* Reads our client identities from PKCS#12 files of any tool, with GnuTLS. */

#include "pki/pkcs12_read.h"

#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "pki/pkcs12_fault.h"
#include "pki/x509.h"

#define PEM_MAX (256 * 1024)

/* The contents of a PKCS#12 file, as GnuTLS sees it. */
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

static int parse(gnutls_pkcs12_t p12, const char *password, struct content *out)
{
	return gnutls_pkcs12_simple_parse(
		p12, password, &out->key, &out->chain, &out->chain_len, NULL, NULL, NULL, 0);
}

static enum err open_content(gnutls_pkcs12_t p12, const char *file, const char *password,
	const char *password_file, struct content *out, struct error *e)
{
	int ret = pkcs12_check_mac(p12, password);

	if (ret >= 0)
		ret = parse(p12, password, out);
	if (ret == GNUTLS_E_DECRYPTION_FAILED && !password)
		ret = parse(p12, "", out);
	if (ret < 0)
		return pkcs12_explain(
			&(struct pkcs12_fault){p12, ret, file, password_file, password}, e);
	for (unsigned i = 0; i < out->chain_len; i++)
		if (x509_check_cost(out->chain[i], ERR_CONFIG, e))
			return error_context(e, "%s", file);
	if (pkcs12_count_keys(p12) > 1)
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
		err = error_set(e, ERR_CONFIG,
			"%s: the password is not valid UTF-8 but, most likely, Latin-1: write it "
			"as UTF-8 (iconv -f WINDOWS-1252 -t UTF-8)",
			password_file);
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
static enum err to_pem(const struct content *c, struct blob *out, struct error *e)
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
	if (pem.failed)
		err = error_set(e, ERR_CONFIG, "certificates and key cannot be used together");
	else
		err = blob_take(&pem, out, e);
	buf_free(&pem);
	return err;
}

enum err pkcs12_read(const char *file, const char *password_file, struct blob *out, struct error *e)
{
	struct content content = {0};
	enum err err = read_content(file, password_file, &content, e);

	if (!err && to_pem(&content, out, e))
		err = error_context(e, "%s", file);
	content_free(&content);
	return err;
}
