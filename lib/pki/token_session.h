#ifndef PKI_TOKEN_SESSION_H
#define PKI_TOKEN_SESSION_H

#include <gnutls/abstract.h>

#include "base/error.h"
#include "pki/token.h"
#include "pki/token_pin.h"

/* Private to this folder: a token as GnuTLS and p11-kit see it, and requests to it. */

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

/*
 * An operation with the key, which is opened where it is not: a GnuTLS code. A failed operation is
 * tried once more with the key opened again, so ctx must allow that. Errors as token_explain().
 */
typedef int token_operation(gnutls_privkey_t key, void *ctx);
enum err token_run(
	struct token *token, token_operation *operation, void *ctx, struct error *e) must_check;

/*
 * Runs another request to the token, with its PIN: a GnuTLS code in *rc. An error means only that
 * the PIN must not be tried.
 */
typedef int token_question(struct token *token, void *ctx);
enum err token_ask(
	struct token *token, token_question *ask, void *ctx, int *rc, struct error *e) must_check;

/* The error for a GnuTLS code of either. ERR_NOT_FOUND: the token is there, the object is not. */
enum err token_explain(const struct token *token, int rc, struct error *e);

/* For an object that may be brought back like its token: ERR_NOT_FOUND becomes ERR_UNAVAILABLE. */
enum err token_try_later(enum err err, struct error *e);

/*
 * Signs something, which public verifies; NULL: any key will do. A GnuTLS code. Only a
 * signature proves the key without a public half in the token, and that the token is still there:
 * modules go on listing tokens that have gone.
 */
int token_prove(gnutls_privkey_t key, gnutls_pubkey_t public);

/* GnuTLS gets this token's PIN when it asks for one, until the next call for another token. */
void token_ask_pin_for(struct token *token);

void token_close_key(struct token *token);
/* Before the token is freed: closes its key; GnuTLS no longer gets its PIN. */
void token_forget(struct token *token);

#endif
