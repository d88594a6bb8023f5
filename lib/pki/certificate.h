#ifndef PKI_CERTIFICATE_H
#define PKI_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/address.h"

#define CHAIN_MAX 8
#define SERIAL_HEX_SIZE 41 /* 20 octets (RFC 5280, 4.1.2.2) and a NUL */
#define DN_TEXT_SIZE 512
#define KEY_ID_HEX_SIZE 129 /* 64 octets: most have 20 */
#define SHA1_HEX_SIZE 41
#define SHA256_HEX_SIZE 65

/* Certificates as DER, leaf first, each followed by its issuer; the root may be left out. */
struct chain {
	size_t count;
	struct blob certificate[CHAIN_MAX];
};

/* Certificates as DER, in no order. */
#define CERTIFICATES_MAX 32
struct certificates {
	size_t count;
	struct blob certificate[CERTIFICATES_MAX];
};

void certificates_free(struct certificates *certificates);

/*
 * Adds the certificates in the output of a CA or a program, in any form: DER, one or several; a
 * PKCS#7 message with certificates (RFC 8551, 3.2.3); PEM of either (RFC 7468), whatever its label
 * says and whatever stands between the blocks; base64 of any of these, also twice, with or without
 * line breaks and padding. ERR_REFUSED if there is none, one cannot be read, or there are more than
 * CERTIFICATES_MAX; then some may have been added.
 */
enum err certificates_add(struct certificates *certificates, const void *bytes, size_t len,
	struct error *e) must_check;

/* Adds one certificate, DER. Errors as above. */
enum err certificates_add_der(
	struct certificates *certificates, const void *der, size_t len, struct error *e) must_check;

/* Adds those of a file, in any form. ERR_CONFIG, naming it. */
enum err certificates_add_file(
	struct certificates *certificates, const char *path, struct error *e) must_check;

void chain_free(struct chain *chain);

/*
 * The certificate for that public key (SubjectPublicKeyInfo, DER), and its issuers as far as they
 * are there, each behind what it certifies: CAs answer in any order, and with more than is needed.
 * Where there are several for the key, the one that begins last. Proves nothing:
 * certificate_check() does. ERR_REFUSED if there is none for that key.
 */
enum err chain_build(const struct certificates *from, const struct blob *public_key,
	struct chain *out, struct error *e) must_check;

/*
 * The longest chain that they make: of a set of CAs' certificates that of the CA that issues. Of
 * several the first. ERR_REFUSED if one of them cannot be read.
 */
enum err chain_longest(
	const struct certificates *from, struct chain *out, struct error *e) must_check;
enum err chain_copy(const struct chain *from, struct chain *out, struct error *e) must_check;

/*
 * As one blob for the store: the DER of each, one behind the other; and back.
 * ERR_INTERNAL if what was stored is damaged.
 */
enum err chain_join(const struct chain *chain, struct blob *out, struct error *e) must_check;
enum err chain_split(const struct blob *joined, struct chain *out, struct error *e) must_check;

/* PEM certificates. ERR_CONFIG if there is none, one cannot be read, or more than CHAIN_MAX. */
enum err chain_from_pem(const struct blob *pem, struct chain *out, struct error *e) must_check;
enum err certificate_to_pem(const struct blob *der, struct blob *pem, struct error *e) must_check;

/* The contents of a certificate for people and the store. */
struct certificate_info {
	char serial[SERIAL_HEX_SIZE]; /* lower-case hexadecimal, no leading zero octet */
	char subject[DN_TEXT_SIZE];   /* RFC 4514; cut if longer */
	char issuer[DN_TEXT_SIZE];
	char key_id[KEY_ID_HEX_SIZE]; /* subject key identifier, lower-case; "": it has none */
	int64_t not_before;	      /* seconds UTC */
	int64_t not_after;
	char sha1[SHA1_HEX_SIZE]; /* thumbprints of the DER */
	char sha256[SHA256_HEX_SIZE];
	bool for_clients; /* its extended key usage, if any, allows TLS clients (RFC 5280, 4.2.1.12)
			   */
};

/* ERR_REFUSED if it cannot be read. */
enum err certificate_info(
	const struct blob *der, struct certificate_info *out, struct error *e) must_check;

/*
 * Before a peer's certificate is used: the given code if it cannot be read, or if to verify a
 * signature with its key would take long.
 */
enum err certificate_check_cost(const struct blob *der, enum err code, struct error *e) must_check;

/* The requirements for a certificate that a CA returned. */
struct certificate_demand {
	enum usage usage;
	const struct address *address;
	const struct blob *public_key; /* SubjectPublicKeyInfo, DER */
	int64_t now;
	int64_t validity; /* seconds: the longest that we asked for */
	int64_t leeway;	  /* seconds that it may last longer */
	const struct certificates
		*issuers; /* one of them issued it, directly or through others; NULL: any */
};

/*
 * The one check of everything a CA returns, before it is stored: the leaf's public key
 * is ours; address is its only mail name (RFC 8550, 3); extended key usage is or
 * contains emailProtection, without anyExtendedKeyUsage; key usage fits the purpose and
 * excludes the other; it is no CA; it is valid now (its CA's clock may be five minutes
 * ahead) and not for longer than asked, but for the leeway and those
 * five minutes; each certificate of the
 * chain is signed by the next, which is a CA (RFC 5280, 6.1) and valid; no weak keys or
 * hashes; one of the issuers that are demanded is above it. The chain must have at least the leaf's
 * issuer: the last one is not judged by us but by whoever put it there. ERR_REFUSED, naming what is
 * wrong.
 */
enum err certificate_check(const struct chain *chain, const struct certificate_demand *demand,
	struct error *e) must_check;

#endif
