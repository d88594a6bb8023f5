#include "pki/certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pki/x509.h"

#define SERIAL_OCTETS 20
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

enum err certificate_to_pem(const struct blob *der, struct blob *pem, struct error *e)
{
	const gnutls_datum_t data = x509_datum(der);
	gnutls_datum_t text = {NULL, 0};
	int rc = gnutls_pem_base64_encode2("CERTIFICATE", &data, &text);

	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "certificate to PEM");
	return x509_take(&text, pem, e);
}

/* Some CAs pad: the zero octets in front are not part of the number. */
static enum err serial_text(gnutls_x509_crt_t crt, char out[SERIAL_HEX_SIZE], struct error *e)
{
	unsigned char serial[64];
	size_t len = sizeof(serial), skip = 0;
	int rc = gnutls_x509_crt_get_serial(crt, serial, &len);

	if (rc < 0)
		return x509_error(e, ERR_REFUSED, rc, "the certificate's serial number");
	while (skip + 1 < len && serial[skip] == 0)
		skip++;
	if (len - skip > SERIAL_OCTETS)
		return error_set(e, ERR_REFUSED,
			"the certificate's serial number is longer than %d octets", SERIAL_OCTETS);
	text_hex(serial + skip, len - skip, out);
	return ERR_OK;
}

static enum err thumbprint(
	const struct blob *der, gnutls_digest_algorithm_t algorithm, char *out, struct error *e)
{
	const gnutls_datum_t data = x509_datum(der);
	unsigned char digest[64];
	size_t len = sizeof(digest);
	int rc = gnutls_fingerprint(algorithm, &data, digest, &len);

	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "thumbprint");
	text_hex(digest, len, out);
	return ERR_OK;
}

static void key_id_text(gnutls_x509_crt_t crt, char out[KEY_ID_HEX_SIZE])
{
	unsigned char id[KEY_ID_HEX_SIZE / 2];
	size_t len = sizeof(id);

	if (gnutls_x509_crt_get_subject_key_id(crt, id, &len, NULL) >= 0)
		text_hex(id, len, out);
	else
		*out = '\0';
}

static bool is_for_clients(gnutls_x509_crt_t crt)
{
	char oid[128];
	int rc = 0;

	for (unsigned i = 0; rc >= 0 || rc == GNUTLS_E_SHORT_MEMORY_BUFFER; i++) {
		size_t size = sizeof(oid);

		rc = gnutls_x509_crt_get_key_purpose_oid(crt, i, oid, &size, NULL);
		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return i == 0;
		if (rc >= 0 && (strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT) == 0 ||
				       strcmp(oid, GNUTLS_KP_ANY) == 0))
			return true;
	}
	return false;
}

enum err certificate_info(const struct blob *der, struct certificate_info *out, struct error *e)
{
	struct certificate_info info = {.not_before = 0};
	gnutls_x509_crt_t crt = NULL;
	enum err err = x509_import(der, ERR_REFUSED, &crt, e);

	if (err)
		return err;
	err = serial_text(crt, info.serial, e);
	if (!err)
		err = thumbprint(der, GNUTLS_DIG_SHA1, info.sha1, e);
	if (!err)
		err = thumbprint(der, GNUTLS_DIG_SHA256, info.sha256, e);
	if (!err) {
		x509_subject(crt, info.subject, sizeof(info.subject));
		x509_issuer(crt, info.issuer, sizeof(info.issuer));
		key_id_text(crt, info.key_id);
		info.for_clients = is_for_clients(crt);
		info.not_before = gnutls_x509_crt_get_activation_time(crt);
		info.not_after = gnutls_x509_crt_get_expiration_time(crt);
		*out = info;
	}
	gnutls_x509_crt_deinit(crt);
	return err;
}

enum err certificate_check_cost(const struct blob *der, enum err code, struct error *e)
{
	gnutls_x509_crt_t crt = NULL;
	enum err err = x509_import(der, code, &crt, e);

	if (!err)
		gnutls_x509_crt_deinit(crt);
	return err;
}
