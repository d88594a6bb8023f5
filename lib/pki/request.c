/* Makes PKCS#10 requests for external CAs. */

#include "pki/request.h"

#include <string.h>

#include "pki/key_usage.h"
#include "pki/x509.h"

/* gnutls_x509_crq_set_key_purpose_oid() always makes it critical. */
static int set_purpose(gnutls_x509_crq_t crq)
{
	static const unsigned char mail[] = {
		/* SEQUENCE OF one OBJECT IDENTIFIER: 1.3.6.1.5.5.7.3.4 */
		0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04};

	return gnutls_x509_crq_set_extension_by_oid(
		crq, GNUTLS_X509EXT_OID_EXTENDED_KEY_USAGE, mail, sizeof(mail), 0);
}

static int set_subject(gnutls_x509_crq_t crq, const struct name *name)
{
	int rc = 0;

	for (size_t i = 0; i < name->count && rc >= 0; i++) {
		const char *value = name->attribute[i].value;

		rc = gnutls_x509_crq_set_dn_by_oid(
			crq, name->attribute[i].oid, 0, value, (unsigned)strlen(value));
	}
	return rc;
}

static int set_address(gnutls_x509_crq_t crq, const struct address *address)
{
	unsigned len = (unsigned)strlen(address->text);

	if (address->ascii_local)
		return gnutls_x509_crq_set_subject_alt_name(
			crq, GNUTLS_SAN_RFC822NAME, address->text, len, GNUTLS_FSAN_SET);
	return gnutls_x509_crq_set_subject_alt_othername(crq, OID_SMTP_UTF8_MAILBOX, address->text,
		len, GNUTLS_FSAN_SET | GNUTLS_FSAN_ENCODE_UTF8_STRING);
}

static int sign(gnutls_x509_crq_t crq, const struct key *key)
{
	gnutls_privkey_t private = NULL;
	int rc = gnutls_privkey_init(&private);

	if (rc >= 0)
		rc = gnutls_privkey_import_x509(private, key_handle(key), 0);
	if (rc >= 0)
		rc = gnutls_x509_crq_privkey_sign(crq, private, GNUTLS_DIG_SHA256, 0);
	gnutls_privkey_deinit(private);
	return rc;
}

static int fill(gnutls_x509_crq_t crq, const struct key *key, enum usage usage,
	const struct name *subject, const struct address *address)
{
	int algorithm = gnutls_x509_privkey_get_pk_algorithm(key_handle(key));
	unsigned bits = key_usage_bits(usage, algorithm);
	int rc = gnutls_x509_crq_set_version(crq, 1);

	if (rc >= 0)
		rc = gnutls_x509_crq_set_key(crq, key_handle(key));
	if (rc >= 0)
		rc = set_subject(crq, subject);
	if (rc >= 0)
		rc = gnutls_x509_crq_set_key_usage(crq, bits);
	if (rc >= 0)
		rc = set_purpose(crq);
	if (rc >= 0)
		rc = set_address(crq, address);
	return rc;
}

enum err request_make(const struct key *key, enum usage usage, const struct name *subject,
	const struct address *address, struct blob *out, struct error *e)
{
	gnutls_x509_crq_t crq = NULL;
	gnutls_datum_t der = {NULL, 0};
	int rc = gnutls_x509_crq_init(&crq);

	if (rc >= 0)
		rc = fill(crq, key, usage, subject, address);
	if (rc >= 0)
		rc = sign(crq, key);
	if (rc >= 0)
		rc = gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &der);
	if (crq)
		gnutls_x509_crq_deinit(crq);
	if (rc < 0)
		return x509_error(e, ERR_INTERNAL, rc, "making a certificate request");
	return x509_take(&der, out, e);
}
