#ifndef PKI_X509_H
#define PKI_X509_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/key.h"
#include "pki/token.h"

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

/* Reads one certificate, DER. The given code if it cannot be read or its key costs too much. */
enum err x509_import(const struct blob *der, enum err code, gnutls_x509_crt_t *out,
	struct error *e) must_check; /* caller must use gnutls_x509_crt_deinit() */

/* RFC 4514, always UTF-8; cut at a character if longer than size (at least 1) allows. */
void x509_subject(gnutls_x509_crt_t crt, char *out, size_t size);
void x509_issuer(gnutls_x509_crt_t crt, char *out, size_t size);

/* RSA under 2048 bits, curves under 256, and unknown kinds. */
bool x509_is_weak(gnutls_pk_algorithm_t algorithm, unsigned bits);

/* The bits that a certificate for this purpose has (RFC 5280, 4.2.1.3). */
unsigned x509_key_usage(enum usage usage, gnutls_pk_algorithm_t algorithm);

/* SubjectPublicKeyInfo, DER, of the key in a certificate. */
enum err x509_public_key(gnutls_x509_crt_t crt, struct blob *out, struct error *e) must_check;

#define KEY_ID_MAX 64 /* of a CA that was made elsewhere */

/* The key that signs a certificate or a list: one of them is set. */
struct signer {
	gnutls_privkey_t key;
	struct token *token;
};

/* A copy of a key in memory. Freed with signer_free(), which frees the token, too. */
enum err signer_load(const struct key *key, struct signer *out, struct error *e) must_check;
void signer_free(struct signer *signer);

/* An operation with the private key: a GnuTLS code. It may be done twice. */
typedef int signer_operation(gnutls_privkey_t key, void *ctx);

/* ERR_INTERNAL with "what: …", or what the token has to say. */
enum err signer_run(const struct signer *signer, signer_operation *operation, void *ctx,
	const char *what, struct error *e) must_check;

/* See issue.h. */
struct issuer {
	gnutls_x509_crt_t crt;
	struct signer signer;
	gnutls_digest_algorithm_t digest;
	unsigned char key_id[KEY_ID_MAX];
	size_t key_id_len;
	int64_t not_before, not_after;
};

/* GnuTLS's name for it. */
void key_parameters(enum key_type type, gnutls_pk_algorithm_t *algorithm, unsigned *bits);

/* Borrowed; lives as long as the key. */
gnutls_x509_privkey_t key_handle(const struct key *key);

#endif
