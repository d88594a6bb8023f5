#include "pki/pkcs12.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <string.h>

#include "base/secret.h"
#include "base/utf8.h"
#include "pki/der.h"
#include "pki/pkcs12_kdf.h"
#include "pki/pkcs12_pbe.h"

#define OID_DATA "1.2.840.113549.1.7.1"
#define OID_ENCRYPTED_DATA "1.2.840.113549.1.7.6"
#define OID_SHROUDED_KEY_BAG "1.2.840.113549.1.12.10.1.2"
#define OID_CERT_BAG "1.2.840.113549.1.12.10.1.3"
#define OID_X509_CERTIFICATE "1.2.840.113549.1.9.22.1"
#define OID_FRIENDLY_NAME "1.2.840.113549.1.9.20"
#define OID_LOCAL_KEY_ID "1.2.840.113549.1.9.21"

#define PFX_VERSION 3
#define FILE_MAX (1024 * 1024)
#define FRIENDLY_NAME_MAX 4096
#define SHA1_SIZE 20
#define MAC_MAX 32

/* What ties the key to its certificate. */
struct label {
	unsigned char local_key_id[SHA1_SIZE];
	struct buf friendly_name; /* BMPString; may be empty */
};

static enum err label_init(struct label *label, const struct blob *certificate,
	const char *friendly_name, struct error *e)
{
	int rc = gnutls_hash_fast(
		GNUTLS_DIG_SHA1, certificate->data, certificate->len, label->local_key_id);

	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "SHA-1: %s", gnutls_strerror(rc));
	if (!friendly_name)
		friendly_name = "";
	if (!utf8_is_valid(friendly_name, strlen(friendly_name)))
		return error_set(e, ERR_INTERNAL, "PKCS#12 friendlyName: not UTF-8");
	pkcs12_bmp_string(friendly_name, &label->friendly_name);
	if (label->friendly_name.failed)
		return error_set(e, ERR_INTERNAL,
			"PKCS#12 friendlyName: over %d bytes, or no memory", FRIENDLY_NAME_MAX);
	return ERR_OK;
}

/* PKCS12Attribute ::= SEQUENCE { attrId OBJECT IDENTIFIER, attrValues SET OF ANY } */
static void write_attribute(
	struct der *d, const char *oid, enum der_tag tag, const void *value, size_t len)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, oid);
	der_open(d, DER_SET);
	der_string(d, tag, value, len);
	der_close(d);
	der_close(d);
}

static void write_friendly_name(struct der *d, const struct label *label)
{
	const struct buf *name = &label->friendly_name;

	if (name->len > 0)
		write_attribute(d, OID_FRIENDLY_NAME, DER_BMP_STRING, name->data, name->len);
}

/*
 * DER wants a SET OF sorted by its encodings (X.690, 11.6), and some readers
 * insist. Here the shorter comes first; of equal ones friendlyName, by its OID.
 */
static void write_attributes(struct der *d, const struct label *label)
{
	bool name_first = label->friendly_name.len <= SHA1_SIZE;

	der_open(d, DER_SET);
	if (name_first)
		write_friendly_name(d, label);
	write_attribute(d, OID_LOCAL_KEY_ID, DER_OCTET_STRING, label->local_key_id, SHA1_SIZE);
	if (!name_first)
		write_friendly_name(d, label);
	der_close(d);
}

/* SafeBag with a CertBag in it (RFC 7292, 4.2.3); label is NULL for all but the key's own. */
static void write_certificate_bag(
	struct der *d, const struct blob *certificate, const struct label *label)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_CERT_BAG);
	der_open(d, DER_CONTEXT_0);
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_X509_CERTIFICATE);
	der_open(d, DER_CONTEXT_0);
	der_string(d, DER_OCTET_STRING, certificate->data, certificate->len);
	der_close(d);
	der_close(d);
	der_close(d);
	if (label)
		write_attributes(d, label);
	der_close(d);
}

/* SafeContents (RFC 7292, 4.2) of the certificates, leaf first. */
static enum err certificate_safe(
	const struct chain *chain, const struct label *label, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(FILE_MAX);

	der_open(&d, DER_SEQUENCE);
	for (size_t i = 0; i < chain->count; i++)
		write_certificate_bag(&d, &chain->certificate[i], i == 0 ? label : NULL);
	der_close(&d);
	return der_take(&d, out, e);
}

/* SafeContents of one SafeBag, a PKCS8ShroudedKeyBag (RFC 7292, 4.2.2). */
static enum err key_safe(const struct pkcs12_pbe *pbe, const struct blob *pkcs8,
	const struct label *label, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(FILE_MAX);
	enum err err;

	der_open(&d, DER_SEQUENCE);
	der_open(&d, DER_SEQUENCE);
	der_oid(&d, OID_SHROUDED_KEY_BAG);
	der_open(&d, DER_CONTEXT_0);
	der_open(&d, DER_SEQUENCE);
	err = pkcs12_pbe_encrypt(pbe, pkcs8, DER_OCTET_STRING, &d, e);
	der_close(&d);
	der_close(&d);
	write_attributes(&d, label);
	der_close(&d);
	der_close(&d);
	if (!err)
		err = der_take(&d, out, e);
	der_free(&d);
	return err;
}

/* ContentInfo with Data (RFC 5652, 3 and 4) */
static void write_data(struct der *d, const struct blob *content)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_DATA);
	der_open(d, DER_CONTEXT_0);
	der_string(d, DER_OCTET_STRING, content->data, content->len);
	der_close(d);
	der_close(d);
}

/* ContentInfo with EncryptedData (RFC 5652, 3 and 8) */
static enum err write_encrypted_data(
	struct der *d, const struct pkcs12_pbe *pbe, const struct blob *content, struct error *e)
{
	enum err err;

	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_ENCRYPTED_DATA);
	der_open(d, DER_CONTEXT_0);
	der_open(d, DER_SEQUENCE);
	der_unsigned(d, 0); /* version */
	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_DATA);
	err = pkcs12_pbe_encrypt(pbe, content, DER_CONTEXT_PRIMITIVE_0, d, e);
	der_close(d);
	der_close(d);
	der_close(d);
	der_close(d);
	return err;
}

/* AuthenticatedSafe (RFC 7292, 4.1): the certificates encrypted, the key in its shroud. */
static enum err authenticated_safe(const struct pkcs12_pbe *pbe, const struct blob *pkcs8,
	const struct chain *chain, const struct label *label, struct blob *out, struct error *e)
{
	struct blob certificates = {NULL, 0}, key = {NULL, 0};
	struct der d = DER_INIT(FILE_MAX);
	enum err err = certificate_safe(chain, label, &certificates, e);

	if (!err)
		err = key_safe(pbe, pkcs8, label, &key, e);
	if (err)
		goto out;
	der_open(&d, DER_SEQUENCE);
	err = write_encrypted_data(&d, pbe, &certificates, e);
	write_data(&d, &key);
	der_close(&d);
	if (!err)
		err = der_take(&d, out, e);
out:
	der_free(&d);
	blob_free(&key);
	blob_free(&certificates);
	return err;
}

/* HMAC with one hash, which also derives its key (RFC 7292, 5.1) */
struct mac {
	const char *oid; /* of the hash */
	gnutls_digest_algorithm_t hash;
	gnutls_mac_algorithm_t hmac;
	size_t size;
};

static const struct mac macs[] = {
	[PKCS12_LEGACY] = {"1.3.14.3.2.26", GNUTLS_DIG_SHA1, GNUTLS_MAC_SHA1, 20},
	[PKCS12_MODERN] = {"2.16.840.1.101.3.4.2.1", GNUTLS_DIG_SHA256, GNUTLS_MAC_SHA256, 32},
};

static enum err compute_mac(const struct pkcs12_pbe *pbe, const struct blob *content,
	const unsigned char salt[PKCS12_SALT_SIZE], unsigned char value[MAC_MAX], struct error *e)
{
	const struct mac *mac = &macs[pbe->profile];
	const struct pkcs12_kdf kdf = {
		.hash = mac->hash,
		.password = &pbe->bmp_password,
		.salt = salt,
		.salt_len = PKCS12_SALT_SIZE,
		.iterations = pbe->iterations,
	};
	unsigned char key[MAC_MAX] = {0};
	enum err err = pkcs12_derive(&kdf, PKCS12_KDF_MAC, key, mac->size, e);
	int rc = 0;

	if (!err)
		rc = gnutls_hmac_fast(
			mac->hmac, key, mac->size, content->data, content->len, value);
	if (rc < 0)
		err = error_set(e, ERR_INTERNAL, "PKCS#12 MAC: %s", gnutls_strerror(rc));
	secret_wipe(key, sizeof(key));
	return err;
}

/*
 * MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 },
 * where DigestInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING } (RFC 7292, 4)
 */
static enum err write_mac(
	struct der *d, const struct pkcs12_pbe *pbe, const struct blob *content, struct error *e)
{
	const struct mac *mac = &macs[pbe->profile];
	unsigned char salt[PKCS12_SALT_SIZE], value[MAC_MAX];
	enum err err = secret_random(salt, sizeof(salt), e);

	if (!err)
		err = compute_mac(pbe, content, salt, value, e);
	if (err)
		return err;
	der_open(d, DER_SEQUENCE);
	der_open(d, DER_SEQUENCE);
	der_open(d, DER_SEQUENCE);
	der_oid(d, mac->oid);
	der_null(d);
	der_close(d);
	der_string(d, DER_OCTET_STRING, value, mac->size);
	der_close(d);
	der_string(d, DER_OCTET_STRING, salt, sizeof(salt));
	if (pbe->iterations != 1) /* DER leaves a default out */
		der_unsigned(d, pbe->iterations);
	der_close(d);
	return ERR_OK;
}

/* PFX ::= SEQUENCE { version INTEGER, authSafe ContentInfo, macData MacData } (RFC 7292, 4) */
static enum err pfx(
	const struct pkcs12_pbe *pbe, const struct blob *safe, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(FILE_MAX);
	enum err err;

	der_open(&d, DER_SEQUENCE);
	der_unsigned(&d, PFX_VERSION);
	write_data(&d, safe);
	err = write_mac(&d, pbe, safe, e);
	der_close(&d);
	if (!err)
		err = der_take(&d, out, e);
	der_free(&d);
	return err;
}

enum err pkcs12_encode(const struct blob *pkcs8, const struct chain *chain,
	const struct pkcs12_options *options, struct blob *out, struct error *e)
{
	struct pkcs12_pbe pbe = {.iterations = 0};
	struct label label = {.friendly_name = BUF_INIT(FRIENDLY_NAME_MAX)};
	struct blob safe = {NULL, 0};
	enum err err;

	if (pkcs8->len == 0 || chain->count == 0 || options->iterations == 0)
		return error_set(
			e, ERR_INTERNAL, "PKCS#12: without a key, a certificate or iterations");
	err = pkcs12_pbe_init(options->profile, options->iterations, options->password, &pbe, e);
	if (!err)
		err = label_init(&label, &chain->certificate[0], options->friendly_name, e);
	if (!err)
		err = authenticated_safe(&pbe, pkcs8, chain, &label, &safe, e);
	if (!err)
		err = pfx(&pbe, &safe, out, e);
	blob_free(&safe);
	buf_free(&label.friendly_name);
	pkcs12_pbe_free(&pbe);
	return err;
}

enum err pkcs12_check_password(const char *password, struct error *e)
{
	struct blob bmp = {NULL, 0};
	enum err err = pkcs12_password(password, &bmp, e);

	blob_free(&bmp);
	return err;
}
