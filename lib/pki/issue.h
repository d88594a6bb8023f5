#ifndef PKI_ISSUE_H
#define PKI_ISSUE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/address.h"
#include "pki/certificate.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/token.h"

/* Making certificates ourselves: RFC 5280, S/MIME as in RFC 8550. */

/* A signer: its certificate and key, loaded once and kept. */
struct issuer;

/* ERR_CONFIG if the key does not fit or the certificate is not a CA certificate. */
enum err issuer_new(const struct blob *certificate, const struct key *key, struct issuer **out,
	struct error *e) must_check; /* borrows neither */

/*
 * With a key in a token, which becomes the issuer's on success. The token need not be there yet;
 * whether its key is the certificate's shows when it is.
 */
enum err issuer_new_token(const struct blob *certificate, struct token *token, struct issuer **out,
	struct error *e) must_check;
void issuer_free(struct issuer *issuer);

/* ERR_CONFIG unless its certificate is valid now; issue_leaf() asks for itself. */
enum err issuer_check_time(const struct issuer *issuer, struct error *e) must_check;

/* Its key can be used now: always so in memory, for one in a token see token_probe(). */
enum err issuer_check_key(const struct issuer *issuer, struct error *e) must_check;

struct leaf_order {
	enum usage usage;
	const struct name *subject;
	const struct address *address;
	const struct blob *public_key; /* SubjectPublicKeyInfo, DER */
	int64_t not_before;
	int64_t not_after;	/* cut to the issuer's own */
	char *const *policies;	/* OIDs, NULL-terminated; or NULL */
	const char *crl_url;	/* or NULL */
	const char *issuer_url; /* caIssuers, or NULL */
};

/*
 * Issues an S/MIME leaf: random serial of 127 bits, rfc822Name or SmtpUTF8Mailbox, extended
 * key usage emailProtection; key usage by purpose: digitalSignature +
 * nonRepudiation, or keyEncipherment (RSA), keyAgreement (EC); key ids. ERR_CONFIG if a policy
 * is no object identifier.
 */
enum err issue_leaf(const struct issuer *issuer, const struct leaf_order *order, struct blob *out,
	struct error *e) must_check;

/* A self-signed CA: pathlen 0, keyCertSign + cRLSign, key id; critical as RFC 5280, 4.2.1. */
enum err issue_root(const struct key *key, const struct name *subject, int64_t not_before,
	int64_t not_after, struct blob *out, struct error *e) must_check;

/* The same by a key in a token, with its public half. Errors as token_public(). */
enum err issue_root_token(struct token *token, const struct name *subject, int64_t not_before,
	int64_t not_after, struct blob *out, struct error *e) must_check;

#endif
