#ifndef PKI_TOKEN_OBJECTS_H
#define PKI_TOKEN_OBJECTS_H

#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/chain.h"
#include "pki/token.h"

/* The objects of a token beside the key that signs. */

/*
 * The certificate that has the key's label or id, and its issuers as far as the token has them:
 * of several the one that begins last. From then on its key is expected.
 */
enum err token_chain(struct token *token, struct chain *out, struct error *e) must_check;

/*
 * Makes the key pair in the token; it can never leave. ERR_CONFIG if there is an object of that
 * name, which is never overwritten.
 */
enum err token_generate(struct token *token, enum key_type type, struct error *e) must_check;

#endif
