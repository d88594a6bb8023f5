/*
 * A private key in a PKCS#11 token, as the rest of the program uses it. How the token is reached is
 * in token_session.c.
 */

#include "pki/token.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>

#include "pki/token_session.h"
#include "pki/token_url.h"
#include "pki/x509.h"

#define URL_PREFIX "pkcs11:"

bool token_is_url(const char *text)
{
	return strncmp(text, URL_PREFIX, strlen(URL_PREFIX)) == 0;
}

enum err token_new(const char *url, struct token **out, struct error *e)
{
	struct token *token = calloc(1, sizeof(*token));
	enum err err;

	if (!token)
		return error_memory(e);
	token->pin.lock = -1;
	err = token_parse(url, token, e);
	if (err)
		token_free(token);
	else
		*out = token;
	return err;
}

void token_free(struct token *token)
{
	if (!token)
		return;
	token_forget(token);
	gnutls_pubkey_deinit(token->expected);
	pin_fini(&token->pin);
	blob_free(&token->id);
	free(token->key_url);
	free(token->public_url);
	free(token->certificate_url);
	free(token->token_url);
	free(token);
}

const char *token_name(const struct token *token)
{
	return token->name;
}

bool token_same(const struct token *a, const struct token *b)
{
	return strcmp(a->key_url, b->key_url) == 0;
}

enum err token_expect(struct token *token, const struct blob *public_key, struct error *e)
{
	gnutls_pubkey_t public = NULL;
	enum err err = x509_import_public(public_key, ERR_CONFIG, &public, e);

	if (err)
		return err;
	token_close_key(token);
	gnutls_pubkey_deinit(token->expected);
	token->expected = public;
	return ERR_OK;
}

const char *token_lend(struct token *token)
{
	token_ask_pin_for(token);
	return token->key_url;
}

/* --- using its key */

static int sign_something(gnutls_privkey_t key, void *ctx)
{
	const struct token *token = ctx;

	return token_prove(key, token->expected);
}

enum err token_find(struct token *token, struct error *e)
{
	return token_run(token, sign_something, token, e);
}

enum err token_probe(struct token *token, struct error *e)
{
	return token_try_later(token_find(token, e), e);
}

static int export_public(gnutls_privkey_t key, void *ctx)
{
	return x509_export_public(key, ctx);
}

enum err token_public(struct token *token, struct blob *out, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	enum err err = token_try_later(token_run(token, export_public, &der, e), e);

	return err ? err : x509_take(&der, out, e);
}
