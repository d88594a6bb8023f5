/*
 * Writes PKCS#12 files (RFC 7292). We have our own writer because GnuTLS's takes 600,000 iterations
 * for the MAC and for each bag and cannot be told otherwise: 0.2 to 0.8 seconds of CPU for an
 * upload that takes a few milliseconds here, and files that newer .NET refuses.
 */

#include "pki/pkcs12.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdlib.h>
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
#define FILE_MAX (4 * 1024 * 1024)
#define FRIENDLY_NAME_MAX 4096
#define SHA1_SIZE 20
#define MAC_MAX 32

/* An entry, with the attributes that link its key to its certificate. */
struct part {
	const struct blob *pkcs8;
	const struct chain *chain;
	unsigned char local_key_id[SHA1_SIZE];
	struct buf friendly_name; /* BMPString; may be empty */
};

struct parts {
	struct part *part;
	size_t count;
};

static void parts_free(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		buf_free(&parts->part[i].friendly_name);
	free(parts->part);
}

static enum err part_init(struct part *part, const struct pkcs12_entry *entry, struct error *e)
{
	const char *name = entry->friendly_name ? entry->friendly_name : "";
	const struct blob *leaf = &entry->chain->certificate[0];
	int rc;

	if (entry->pkcs8->len == 0 || entry->chain->count == 0)
		return error_set(e, ERR_INTERNAL, "PKCS#12: without a key or a certificate");
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA1, leaf->data, leaf->len, part->local_key_id);
	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "SHA-1: %s", gnutls_strerror(rc));
	if (!utf8_is_valid(name, strlen(name)))
		return error_set(e, ERR_INTERNAL, "PKCS#12 friendlyName: not UTF-8");
	part->pkcs8 = entry->pkcs8;
	part->chain = entry->chain;
	pkcs12_bmp_string(name, &part->friendly_name);
	if (part->friendly_name.failed)
		return error_set(e, ERR_INTERNAL,
			"PKCS#12 friendlyName: over %d bytes, or no memory", FRIENDLY_NAME_MAX);
	return ERR_OK;
}

static enum err parts_init(
	struct parts *parts, const struct pkcs12_entry *entries, size_t count, struct error *e)
{
	enum err err = ERR_OK;

	parts->part = calloc(count, sizeof(*parts->part));
	if (!parts->part)
		return error_memory(e);
	parts->count = count;
	for (size_t i = 0; i < count; i++)
		buf_init(&parts->part[i].friendly_name, FRIENDLY_NAME_MAX);
	for (size_t i = 0; !err && i < count; i++)
		err = part_init(&parts->part[i], &entries[i], e);
	return err;
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

static void write_friendly_name(struct der *d, const struct part *part)
{
	const struct buf *name = &part->friendly_name;

	if (name->len > 0)
		write_attribute(d, OID_FRIENDLY_NAME, DER_BMP_STRING, name->data, name->len);
}

/*
 * DER wants a SET OF sorted by its encodings (X.690, 11.6), and some readers
 * insist. Here the shorter comes first; of equal ones friendlyName, by its OID.
 */
static void write_attributes(struct der *d, const struct part *part)
{
	bool name_first = part->friendly_name.len <= SHA1_SIZE;

	der_open(d, DER_SET);
	if (name_first)
		write_friendly_name(d, part);
	write_attribute(d, OID_LOCAL_KEY_ID, DER_OCTET_STRING, part->local_key_id, SHA1_SIZE);
	if (!name_first)
		write_friendly_name(d, part);
	der_close(d);
}

/* SafeBag with a CertBag in it (RFC 7292, 4.2.3); part is NULL for all but a key's own. */
static void write_certificate_bag(
	struct der *d, const struct blob *certificate, const struct part *part)
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
	if (part)
		write_attributes(d, part);
	der_close(d);
}

/*
 * Returns true if the same certificate stands earlier in the chains; place counts from each
 * chain's issuer on.
 */
static bool is_repeated(const struct parts *parts, size_t part, size_t place)
{
	const struct blob *certificate = &parts->part[part].chain->certificate[place];

	for (size_t i = 0; i <= part; i++) {
		const struct chain *chain = parts->part[i].chain;
		size_t end = i < part ? chain->count : place;

		for (size_t j = 1; j < end; j++)
			if (blob_equal(&chain->certificate[j], certificate))
				return true;
	}
	return false;
}

/* SafeContents (RFC 7292, 4.2) of the certificates: the keys' own, then those of CAs. */
static enum err certificate_safe(const struct parts *parts, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(FILE_MAX);

	der_open(&d, DER_SEQUENCE);
	for (size_t i = 0; i < parts->count; i++)
		write_certificate_bag(&d, &parts->part[i].chain->certificate[0], &parts->part[i]);
	for (size_t i = 0; i < parts->count; i++)
		for (size_t j = 1; j < parts->part[i].chain->count; j++)
			if (!is_repeated(parts, i, j))
				write_certificate_bag(
					&d, &parts->part[i].chain->certificate[j], NULL);
	der_close(&d);
	return der_take(&d, out, e);
}

/* SafeBag with a PKCS8ShroudedKeyBag (RFC 7292, 4.2.2) */
static enum err write_key_bag(
	struct der *d, const struct pkcs12_pbe *pbe, const struct part *part, struct error *e)
{
	enum err err;

	der_open(d, DER_SEQUENCE);
	der_oid(d, OID_SHROUDED_KEY_BAG);
	der_open(d, DER_CONTEXT_0);
	der_open(d, DER_SEQUENCE);
	err = pkcs12_pbe_encrypt(pbe, part->pkcs8, DER_OCTET_STRING, d, e);
	der_close(d);
	der_close(d);
	write_attributes(d, part);
	der_close(d);
	return err;
}

/* SafeContents of the keys. */
static enum err key_safe(
	const struct pkcs12_pbe *pbe, const struct parts *parts, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(FILE_MAX);
	enum err err = ERR_OK;

	der_open(&d, DER_SEQUENCE);
	for (size_t i = 0; !err && i < parts->count; i++)
		err = write_key_bag(&d, pbe, &parts->part[i], e);
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

/* AuthenticatedSafe (RFC 7292, 4.1): the certificates encrypted, each key in a bag of its own. */
static enum err authenticated_safe(
	const struct pkcs12_pbe *pbe, const struct parts *parts, struct blob *out, struct error *e)
{
	struct blob certificates = {NULL, 0}, keys = {NULL, 0};
	struct der d = DER_INIT(FILE_MAX);
	enum err err = certificate_safe(parts, &certificates, e);

	if (!err)
		err = key_safe(pbe, parts, &keys, e);
	if (err)
		goto out;
	der_open(&d, DER_SEQUENCE);
	err = write_encrypted_data(&d, pbe, &certificates, e);
	write_data(&d, &keys);
	der_close(&d);
	if (!err)
		err = der_take(&d, out, e);
out:
	der_free(&d);
	blob_free(&keys);
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

enum err pkcs12_encode(const struct pkcs12_entry *entries, size_t count,
	const struct pkcs12_options *options, struct blob *out, struct error *e)
{
	struct pkcs12_pbe pbe = {.iterations = 0};
	struct parts parts = {NULL, 0};
	struct blob safe = {NULL, 0};
	enum err err;

	if (count == 0 || options->iterations == 0)
		return error_set(e, ERR_INTERNAL, "PKCS#12: without entries or iterations");
	err = pkcs12_pbe_init(options->profile, options->iterations, options->password, &pbe, e);
	if (!err)
		err = parts_init(&parts, entries, count, e);
	if (!err)
		err = authenticated_safe(&pbe, &parts, &safe, e);
	if (!err)
		err = pfx(&pbe, &safe, out, e);
	blob_free(&safe);
	parts_free(&parts);
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
