#ifndef PKI_TOKEN_INTERNAL_H
#define PKI_TOKEN_INTERNAL_H

#include <gnutls/abstract.h>

#include "pki/token.h"
#include "pki/token_pin.h"

/* Inside of token.h: what its files and those that sign share. */

#define TOKEN_NAME_SIZE 160
#define TOKEN_LABEL_SIZE 128

struct token {
	char *key_url; /* none of these has a PIN or its source in it */
	char *public_url;
	char *certificate_url;
	char *token_url;
	char label[TOKEN_LABEL_SIZE]; /* the object's; "": not said */
	struct blob id;
	char name[TOKEN_NAME_SIZE];
	struct pin pin;
	gnutls_pubkey_t expected; /* NULL: any */
	gnutls_privkey_t key;	  /* NULL: not open */
	struct token *next;	  /* of those that are open */
};

/* Fills all that the URL says: token_url.c. */
enum err token_parse(const char *url, struct token *out, struct error *e) must_check;

/*
 * An operation with the open key: a GnuTLS code. What fails is tried once more with the key opened
 * anew, so ctx must bear that.
 */
typedef int token_operation(gnutls_privkey_t key, void *ctx);
enum err token_run(
	struct token *token, token_operation *run, void *ctx, struct error *e) must_check;

/*
 * What asks the token for something else: a GnuTLS code in *rc, with the PIN at hand. An error is
 * only that the PIN must not be tried.
 */
typedef int token_question(struct token *token, void *ctx);
enum err token_ask(
	struct token *token, token_question *ask, void *ctx, int *rc, struct error *e) must_check;

/* What a GnuTLS code of either means. ERR_NOT_FOUND: the token is there, the object is not. */
enum err token_explain(const struct token *token, int rc, struct error *e);

#endif
