#ifndef PKI_ISSUER_H
#define PKI_ISSUER_H

#include "base/buf.h"
#include "base/error.h"
#include "pki/key.h"
#include "pki/token.h"

/* The certificate and key that the local CA signs with, loaded once and kept. */
struct issuer;

/* ERR_CONFIG if the key does not fit or the certificate is not a CA certificate. */
enum err issuer_new(const struct blob *certificate, const struct key *key, struct issuer **out,
	struct error *e) must_check; /* borrows neither */

/*
 * With a key in a token, which becomes the issuer's on success. The token need not be there yet;
 * whether its key is the certificate's is checked when it is.
 */
enum err issuer_new_token(const struct blob *certificate, struct token *token, struct issuer **out,
	struct error *e) must_check;
void issuer_free(struct issuer *issuer);

/* ERR_CONFIG unless its certificate is valid now; issue_leaf() checks it, too. */
enum err issuer_check_time(const struct issuer *issuer, struct error *e) must_check;

/* Checks that its key can be used now; for one in a token see token_probe(). */
enum err issuer_check_key(const struct issuer *issuer, struct error *e) must_check;

#endif
