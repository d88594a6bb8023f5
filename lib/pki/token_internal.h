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
 * An operation with the open key: a GnuTLS code. A failed operation is tried once more with the key
 * opened again, so ctx must allow that.
 */
typedef int token_operation(gnutls_privkey_t key, void *ctx);
enum err token_run(
	struct token *token, token_operation *run, void *ctx, struct error *e) must_check;

/*
 * Runs another request to the token, with its PIN: a GnuTLS code in *rc. An error means only that
 * the PIN must not be tried.
 */
typedef int token_question(struct token *token, void *ctx);
enum err token_ask(
	struct token *token, token_question *ask, void *ctx, int *rc, struct error *e) must_check;

/* The error for a GnuTLS code of either. ERR_NOT_FOUND: the token is there, the object is not. */
enum err token_explain(const struct token *token, int rc, struct error *e);

#endif
