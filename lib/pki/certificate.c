/*
 * One certificate: what it says, for people and the store. Whether it may be used is for
 * certificate_check.c.
 */

#include "pki/certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pki/x509.h"

#define SERIAL_OCTETS 20

enum err certificate_to_pem(const struct blob *der, struct blob *pem, struct error *e)
{
	return x509_to_pem("CERTIFICATE", der, pem, e);
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
