#ifndef PKI_ISSUE_H
#define PKI_ISSUE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/address.h"
#include "pki/issuer.h"
#include "pki/name.h"
#include "pki/token.h"

/* Certificates of the local CA: RFC 5280, S/MIME as in RFC 8550. */

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
