#ifndef PKI_X509_H
#define PKI_X509_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * Shared by the files of this folder, and private to it: GnuTLS shows in no other header, and its
 * codes end here.
 */

#define OID_SMTP_UTF8_MAILBOX "1.3.6.1.5.5.7.8.9" /* RFC 9598, 3 */

/* The code, and "what: GnuTLS's words". */
enum err x509_error(struct error *e, enum err code, int rc, const char *what);

/* The whole length of the DER SEQUENCE at p; 0: none begins there, or it is cut (X.690, 8.1). */
size_t x509_sequence_length(const unsigned char *p, size_t len);

/* The same bytes in GnuTLS's words; borrowed. */
gnutls_datum_t x509_datum(const struct blob *blob);

/* Moves GnuTLS's memory into our blob; the original is wiped and freed. */
enum err x509_take(gnutls_datum_t *from, struct blob *out, struct error *e) must_check;

/*
 * Before anything is verified with a certificate's key: a modulus of 65,536 bits takes minutes. The
 * given code for more than 16,384 bits, or an RSA exponent of more than 64.
 */
enum err x509_check_cost(gnutls_x509_crt_t crt, enum err code, struct error *e) must_check;

/* PEM with that label (RFC 7468). ERR_INTERNAL. */
enum err x509_to_pem(
	const char *label, const struct blob *der, struct blob *pem, struct error *e) must_check;

/* Reads one certificate, DER. The given code if it cannot be read or its key costs too much. */
enum err x509_import(const struct blob *der, enum err code, gnutls_x509_crt_t *out,
	struct error *e) must_check; /* caller must use gnutls_x509_crt_deinit() */

/* RFC 4514, always UTF-8; cut at a character if longer than size (at least 1) allows. */
void x509_subject(gnutls_x509_crt_t crt, char *out, size_t size);
void x509_issuer(gnutls_x509_crt_t crt, char *out, size_t size);

/* RSA under 2048 bits, curves under 256, and unknown kinds. */
bool x509_is_weak(gnutls_pk_algorithm_t algorithm, unsigned bits);

/* Reads a SubjectPublicKeyInfo, DER. The given code if it cannot be read. */
enum err x509_import_public(const struct blob *der, enum err code, gnutls_pubkey_t *out,
	struct error *e) must_check; /* caller must use gnutls_pubkey_deinit() */

/* The public half of a key, SubjectPublicKeyInfo, DER: a GnuTLS code. See x509_take(). */
int x509_export_public(gnutls_privkey_t key, gnutls_datum_t *out);

/* SubjectPublicKeyInfo, DER, of the key in a certificate. */
enum err x509_public_key(gnutls_x509_crt_t crt, struct blob *out, struct error *e) must_check;

/*
 * The key identifier of a public key (SubjectPublicKeyInfo, DER): the leftmost 160 bits of its
 * SHA-256 (RFC 7093, 2).
 */
#define X509_KEY_ID_SIZE 20
enum err x509_key_id(const struct blob *public_key, unsigned char out[X509_KEY_ID_SIZE],
	struct error *e) must_check;

/* The hash that such a key signs with: SHA-256, SHA-384 for P-384. */
enum err x509_digest(
	const struct blob *public_key, gnutls_digest_algorithm_t *out, struct error *e) must_check;

#endif
