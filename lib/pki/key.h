#ifndef PKI_KEY_H
#define PKI_KEY_H

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"

/* A private key in memory. key_free() wipes it, and blob_free() wipes what it was exported to. */
struct key;
struct gnutls_x509_privkey_int;

/* Makes a new key pair, freed with key_free(). ERR_INTERNAL. */
enum err key_generate(enum key_type type, struct key **out, struct error *e) must_check;
void key_free(struct key *key);

/*
 * PKCS#8 PrivateKeyInfo, DER, not encrypted (RFC 5958). Secret: blob_free() it at once.
 * ERR_INTERNAL if what was stored cannot be read.
 */
enum err key_export(const struct key *key, struct blob *out, struct error *e) must_check;
enum err key_import(const struct blob *pkcs8, struct key **out, struct error *e) must_check;

/*
 * The same from and to PEM, for key files. Import also takes what certtool and openssl
 * write, but no encrypted key. ERR_CONFIG.
 */
enum err key_export_pem(const struct key *key, struct blob *out, struct error *e) must_check;
enum err key_import_pem(const struct blob *pem, struct key **out, struct error *e) must_check;

/* -1 if we do not make keys of that type. */
int key_type(const struct key *key);

/* SubjectPublicKeyInfo, DER (RFC 5280, 4.1.2.7). */
enum err key_public(const struct key *key, struct blob *out, struct error *e) must_check;

/*
 * For this folder: GnuTLS's names for a type (a gnutls_pk_algorithm_t and its bits), and GnuTLS's
 * key, borrowed.
 */
void key_parameters(enum key_type type, int *algorithm, unsigned *bits);
struct gnutls_x509_privkey_int *key_handle(const struct key *key);

#endif
