#include "pki/pkcs12_read.h"

#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "pki/x509.h"

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
	for (unsigned i = 0; i < out->chain_len; i++)
		if (x509_check_cost(out->chain[i], ERR_CONFIG, e))
			return error_context(e, "%s", file);
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
