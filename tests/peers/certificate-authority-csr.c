/*
 * The simulated certificate authority: what a PKCS#10 asks for, by GnuTLS
 * alone. One of our product's asks for all that the certificate shall have, and
 * for nothing else.
 */

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "tests/peers/certificate-authority.h"

#define OID_EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define OID_SMTP_UTF8_MAILBOX "1.3.6.1.5.5.7.8.9"
#define OID_SIZE 128
#define RSA_BITS_MIN 2048

/* What is wrong; false, so that a refusal is one line. */
static bool wrong(char text[256], const char *fmt, ...) printf_like(2, 3);
static bool wrong(char text[256], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, 256, fmt, args);
	va_end(args);
	return false;
}

/* Nothing behind it, and DER: what GnuTLS writes is what it has read. */
static bool read_der(gnutls_x509_crq_t crq, const struct blob *der, char text[256])
{
	gnutls_datum_t in = {der->data, (unsigned)der->len}, out = {NULL, 0};
	bool same;

	if (gnutls_x509_crq_import(crq, &in, GNUTLS_X509_FMT_DER) < 0)
		return wrong(text, "request: not a PKCS#10");
	same = gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &out) >= 0 &&
	       out.size == der->len && memcmp(out.data, der->data, der->len) == 0;
	gnutls_free(out.data);
	return same ? true : wrong(text, "request: more than a PKCS#10 in DER");
}

static bool judge_signature(gnutls_x509_crq_t crq, char text[256])
{
	int algorithm = gnutls_x509_crq_get_signature_algorithm(crq);

	if (gnutls_x509_crq_get_version(crq) != 1)
		return wrong(text, "request: not of version 1");
	if (gnutls_x509_crq_verify(crq, 0) < 0)
		return wrong(text, "request: it is not signed with its key");
	if (algorithm < 0 || !gnutls_sign_is_secure((gnutls_sign_algorithm_t)algorithm))
		return wrong(text, "request: weakly signed");
	return true;
}

static bool read_key(gnutls_x509_crq_t crq, struct asked *asked, char text[256])
{
	struct error e = {.code = ERR_OK};
	gnutls_datum_t der = {NULL, 0};
	gnutls_pubkey_t key = NULL;
	unsigned bits = 0;
	int algorithm = gnutls_x509_crq_get_pk_algorithm(crq, &bits);
	bool good = gnutls_pubkey_init(&key) >= 0 &&
		    gnutls_pubkey_import_x509_crq(key, crq, 0) >= 0 &&
		    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) >= 0 &&
		    digest_hex(der.data, der.size, asked->key, &e) == ERR_OK;

	gnutls_free(der.data);
	gnutls_pubkey_deinit(key);
	if (!good)
		return wrong(text, "key: unreadable");
	if (algorithm == GNUTLS_PK_RSA && bits < RSA_BITS_MIN)
		return wrong(text, "key: RSA with %u bits", bits);
	if (algorithm != GNUTLS_PK_RSA && algorithm != GNUTLS_PK_ECDSA)
		return wrong(text, "key: neither RSA nor EC");
	return true;
}

static bool judge_attributes(gnutls_x509_crq_t crq, char text[256])
{
	char oid[OID_SIZE];
	size_t len = sizeof(oid);

	for (unsigned i = 0; gnutls_x509_crq_get_attribute_info(crq, i, oid, &len) >= 0; i++) {
		if (i > 0 || strcmp(oid, OID_EXTENSION_REQUEST) != 0)
			return wrong(text, "attributes: more than an extension request: %s", oid);
		len = sizeof(oid);
	}
	return true;
}

static bool judge_extensions(gnutls_x509_crq_t crq, char text[256])
{
	static const char *const wanted[] = {GNUTLS_X509EXT_OID_SAN, GNUTLS_X509EXT_OID_KEY_USAGE,
		GNUTLS_X509EXT_OID_EXTENDED_KEY_USAGE};
	enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };
	bool seen[WANTED] = {false};
	char oid[OID_SIZE];
	size_t len = sizeof(oid), k;

	for (unsigned i = 0; gnutls_x509_crq_get_extension_info(crq, i, oid, &len, NULL) >= 0;
		i++) {
		for (k = 0; k < WANTED && strcmp(wanted[k], oid) != 0; k++)
			;
		if (k == WANTED || seen[k])
			return wrong(text, "extensions: %s is not wanted here", oid);
		seen[k] = true;
		len = sizeof(oid);
	}
	for (k = 0; k < WANTED; k++)
		if (!seen[k])
			return wrong(text, "extensions: %s is missing", wanted[k]);
	return true;
}

/* An UTF8String of less than 128 bytes, or of one octet's length, in DER. */
static bool read_utf8_string(const unsigned char *der, size_t len, char *out, size_t size)
{
	size_t head = len > 1 && der[1] == 0x81 ? 3 : 2;

	if (len < head || der[0] != 0x0c || der[head - 1] != len - head || len - head >= size ||
		(head == 2 && der[1] >= 0x80))
		return false;
	memcpy(out, der + head, len - head);
	out[len - head] = '\0';
	return true;
}

static bool read_mail(gnutls_x509_crq_t crq, struct asked *asked, char text[256])
{
	unsigned char name[256];
	char oid[OID_SIZE];
	size_t len = sizeof(name), size = sizeof(oid);
	unsigned type = 0;
	int rc = gnutls_x509_crq_get_subject_alt_name(crq, 0, name, &len, &type, NULL);

	if (rc < 0)
		return wrong(text, "subjectAltName: unreadable");
	if (type == GNUTLS_SAN_RFC822NAME && len < sizeof(asked->mail)) {
		memcpy(asked->mail, name, len);
		asked->mail[len] = '\0';
	} else if (type == GNUTLS_SAN_OTHERNAME) {
		if (gnutls_x509_crq_get_subject_alt_othername_oid(crq, 0, oid, &size) < 0 ||
			strcmp(oid, OID_SMTP_UTF8_MAILBOX) != 0 ||
			!read_utf8_string(name, len, asked->mail, sizeof(asked->mail)))
			return wrong(text, "subjectAltName: no SmtpUTF8Mailbox");
	} else {
		return wrong(text, "subjectAltName: not a mail address");
	}
	len = sizeof(name);
	if (gnutls_x509_crq_get_subject_alt_name(crq, 1, name, &len, &type, NULL) !=
		GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return wrong(text, "subjectAltName: more than one name");
	return strchr(asked->mail, '@') ? true : wrong(text, "subjectAltName: no mail address");
}

static bool judge_purpose(gnutls_x509_crq_t crq, char text[256])
{
	char oid[OID_SIZE];
	size_t len = sizeof(oid);

	if (gnutls_x509_crq_get_key_purpose_oid(crq, 0, oid, &len, NULL) < 0 ||
		strcmp(oid, GNUTLS_KP_EMAIL_PROTECTION) != 0)
		return wrong(text, "extendedKeyUsage: not emailProtection");
	len = sizeof(oid);
	if (gnutls_x509_crq_get_key_purpose_oid(crq, 1, oid, &len, NULL) !=
		GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return wrong(text, "extendedKeyUsage: more than emailProtection");
	return true;
}

/* RFC 8551, 4.4.2: signing and encryption have a certificate each, so bits for either. */
static bool read_usage(gnutls_x509_crq_t crq, struct asked *asked, char text[256])
{
	bool rsa = gnutls_x509_crq_get_pk_algorithm(crq, NULL) == GNUTLS_PK_RSA;
	unsigned bits = 0;

	if (gnutls_x509_crq_get_key_usage(crq, &bits, NULL) < 0)
		return wrong(text, "keyUsage: unreadable");
	if ((bits & ~(unsigned)GNUTLS_KEY_NON_REPUDIATION) == GNUTLS_KEY_DIGITAL_SIGNATURE)
		asked->usage = USAGE_SIGNING;
	else if (bits == (rsa ? GNUTLS_KEY_KEY_ENCIPHERMENT : GNUTLS_KEY_KEY_AGREEMENT))
		asked->usage = USAGE_ENCRYPTION;
	else
		return wrong(text, "keyUsage: neither signing nor encryption: 0x%x", bits);
	return true;
}

static bool read_subject(gnutls_x509_crq_t crq, struct asked *asked, char text[256])
{
	gnutls_datum_t dn = {NULL, 0};
	bool good = gnutls_x509_crq_get_dn3(crq, &dn, 0) >= 0 && dn.size > 0 &&
		    dn.size < sizeof(asked->subject);

	if (good)
		snprintf(asked->subject, sizeof(asked->subject), "%s", (char *)dn.data);
	gnutls_free(dn.data);
	return good ? true : wrong(text, "subject: none, or unreadable");
}

bool authority_read(const struct blob *der, struct asked *out, char text[256])
{
	struct asked asked = {.usage = USAGE_SIGNING};
	gnutls_x509_crq_t crq = NULL;
	bool good = gnutls_x509_crq_init(&crq) >= 0 && read_der(crq, der, text) &&
		    judge_signature(crq, text) && read_key(crq, &asked, text) &&
		    judge_attributes(crq, text) && judge_extensions(crq, text) &&
		    read_mail(crq, &asked, text) && judge_purpose(crq, text) &&
		    read_usage(crq, &asked, text) && read_subject(crq, &asked, text);

	if (crq)
		gnutls_x509_crq_deinit(crq);
	if (good)
		*out = asked;
	return good;
}
