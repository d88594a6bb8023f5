#include "pki/token.h"

#include <gnutls/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pki/token_internal.h"
#include "pki/x509.h"

/*
 * GnuTLS and p11-kit find tokens when they start. One that was away is found again only by starting
 * them anew, which ends all sessions of the process.
 */

#define RESTART_PAUSE_MS 100

static pid_t started_by; /* the process that has started the library */
static int64_t restarted;
static struct token *open_tokens;
static struct token *asked; /* whose PIN the library may have */

/* --- the library */

static int on_pin(void *ctx, int attempt, const char *url, const char *label, unsigned flags,
	char *out, size_t size)
{
	(void)ctx;
	(void)url;
	(void)label;
	return asked ? pin_give(&asked->pin, attempt, flags, out, size) : GNUTLS_E_PKCS11_PIN_ERROR;
}

static void start_library(void)
{
	int rc;

	if (started_by == getpid())
		return;
	rc = gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_AUTO, NULL);
	if (rc < 0)
		log_warning("PKCS#11 modules cannot be loaded: %s", gnutls_strerror(rc));
	gnutls_pkcs11_set_pin_function(on_pin, NULL);
	started_by = getpid();
}

static void close_key(struct token *token)
{
	struct token **link = &open_tokens;

	if (!token->key)
		return;
	while (*link != token)
		link = &(*link)->next;
	*link = token->next;
	gnutls_privkey_deinit(token->key);
	token->key = NULL;
}

/* False: it was done a moment ago. */
static bool restart_library(void)
{
	int64_t now = clock_monotonic_ms();

	if (restarted && now - restarted < RESTART_PAUSE_MS)
		return false;
	while (open_tokens)
		close_key(open_tokens);
	gnutls_pkcs11_deinit();
	started_by = 0;
	start_library();
	restarted = now;
	return true;
}

/* --- what a code means */

static bool is_there(const struct token *token)
{
	unsigned flags = 0;

	return gnutls_pkcs11_token_get_flags(token->token_url, &flags) >= 0;
}

enum err token_explain(const struct token *token, int rc, struct error *e)
{
	const char *name = token->name, *file = token->pin.file;

	if (rc == GNUTLS_E_MEMORY_ERROR)
		return error_memory(e);
	if (rc == GNUTLS_E_PKCS11_PIN_ERROR && token->pin.given)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the token refused the PIN in %s: correct it there; it is not tried "
			"again until that file changes",
			name, file);
	if (rc == GNUTLS_E_PKCS11_PIN_ERROR)
		return error_set(e, ERR_UNAVAILABLE, "%s: %s", name,
			token->pin.why ? token->pin.why : "the token wants a PIN");
	if (rc == GNUTLS_E_PKCS11_PIN_LOCKED || rc == GNUTLS_E_PKCS11_PIN_EXPIRED)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the token has %s the PIN: let its security officer set a new one",
			name, rc == GNUTLS_E_PKCS11_PIN_LOCKED ? "locked" : "let expire");
	if (!is_there(token))
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the token is not there: connect it, or see that user %u may use it "
			"and that p11-kit knows its module",
			name, (unsigned)geteuid());
	if (rc == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE ||
		rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return error_set(e, ERR_NOT_FOUND,
			"%s: the token is there, and does not have it: correct the URL", name);
	return error_set(e, ERR_UNAVAILABLE, "%s: %s", name, gnutls_strerror(rc));
}

/* --- opening */

enum err token_ask(struct token *token, token_question *ask, void *ctx, int *rc, struct error *e)
{
	enum err err;

	start_library();
	err = pin_begin(&token->pin, token->name, e);
	if (err)
		return err;
	asked = token;
	*rc = ask(token, ctx);
	pin_end(&token->pin, *rc == GNUTLS_E_PKCS11_PIN_ERROR);
	return ERR_OK;
}

static int import(struct token *token, void *ctx)
{
	gnutls_privkey_t *out = ctx, key = NULL;
	int rc = gnutls_privkey_init(&key);

	if (rc >= 0)
		rc = gnutls_privkey_import_url(key, token->key_url, 0);
	if (rc < 0)
		gnutls_privkey_deinit(key);
	else
		*out = key;
	return rc;
}

static bool concerns_pin(int rc)
{
	return rc == GNUTLS_E_PKCS11_PIN_ERROR || rc == GNUTLS_E_PKCS11_PIN_LOCKED ||
	       rc == GNUTLS_E_PKCS11_PIN_EXPIRED;
}

/*
 * A signature is the one proof that needs no public half in the token; and the one sign of life, as
 * modules go on to speak of tokens that have gone. public NULL: of any key.
 */
static int prove(gnutls_privkey_t key, gnutls_pubkey_t public)
{
	static unsigned char text[] = "Is this the private key of that certificate?";
	const gnutls_datum_t data = {text, sizeof(text)};
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
	gnutls_datum_t signature = {NULL, 0};
	int algorithm = gnutls_privkey_get_pk_algorithm(key, NULL), rc = 0;

	if (public && gnutls_pubkey_get_pk_algorithm(public, NULL) != algorithm)
		return GNUTLS_E_PK_SIG_VERIFY_FAILED;
	if (public)
		rc = gnutls_pubkey_get_preferred_hash_algorithm(public, &digest, NULL);
	if (rc >= 0)
		rc = gnutls_privkey_sign_data(key, digest, 0, &data, &signature);
	if (rc >= 0 && public)
		rc = gnutls_pubkey_verify_data2(public,
			gnutls_pk_to_sign((gnutls_pk_algorithm_t)algorithm, digest), 0, &data,
			&signature);
	gnutls_free(signature.data);
	return rc;
}

static enum err check_proof(const struct token *token, int rc, struct error *e)
{
	if (rc == GNUTLS_E_PK_SIG_VERIFY_FAILED)
		return error_set(e, ERR_CONFIG,
			"%s is another key than the certificate's: name the two that belong "
			"together",
			token->name);
	return rc < 0 ? token_explain(token, rc, e) : ERR_OK;
}

static enum err open_key(struct token *token, struct error *e)
{
	gnutls_privkey_t key = NULL;
	int rc = 0;
	enum err err = token_ask(token, import, &key, &rc, e);

	if (!err && rc < 0 && !concerns_pin(rc) && restart_library())
		err = token_ask(token, import, &key, &rc, e);
	if (!err && rc < 0)
		err = token_explain(token, rc, e);
	if (err)
		return err;
	err = token->expected ? check_proof(token, prove(key, token->expected), e) : ERR_OK;
	if (err) {
		gnutls_privkey_deinit(key);
		return err;
	}
	token->key = key;
	token->next = open_tokens;
	open_tokens = token;
	return ERR_OK;
}

/* --- using */

static enum err run_once(
	struct token *token, token_operation *run, void *ctx, int *rc, struct error *e)
{
	enum err err = token->key ? ERR_OK : open_key(token, e);

	if (err)
		return err;
	asked = token;
	*rc = run(token->key, ctx);
	if (*rc < 0)
		close_key(token);
	return ERR_OK;
}

static enum err run(struct token *token, token_operation *operation, void *ctx, struct error *e)
{
	bool was_open = token->key;
	int rc = 0;
	enum err err = run_once(token, operation, ctx, &rc, e);

	if (!err && rc < 0 && was_open)
		err = run_once(token, operation, ctx, &rc, e);
	return !err && rc < 0 ? token_explain(token, rc, e) : err;
}

/* A key that is not there may be brought back as well as its token. */
static enum err try_later(struct error *e)
{
	if (e->code == ERR_NOT_FOUND)
		e->code = ERR_UNAVAILABLE;
	return e->code;
}

enum err token_run(struct token *token, token_operation *operation, void *ctx, struct error *e)
{
	return run(token, operation, ctx, e) ? try_later(e) : ERR_OK;
}

static int sign_something(gnutls_privkey_t key, void *ctx)
{
	const struct token *token = ctx;

	return prove(key, token->expected);
}

enum err token_find(struct token *token, struct error *e)
{
	return run(token, sign_something, token, e);
}

enum err token_probe(struct token *token, struct error *e)
{
	return token_find(token, e) ? try_later(e) : ERR_OK;
}

static int export_public(gnutls_privkey_t key, void *ctx)
{
	gnutls_pubkey_t public = NULL;
	int rc = gnutls_pubkey_init(&public);

	if (rc >= 0)
		rc = gnutls_pubkey_import_privkey(public, key, 0, 0);
	if (rc >= 0)
		rc = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, ctx);
	gnutls_pubkey_deinit(public);
	return rc;
}

enum err token_public(struct token *token, struct blob *out, struct error *e)
{
	gnutls_datum_t der = {NULL, 0};
	enum err err = token_run(token, export_public, &der, e);

	return err ? err : x509_take(&der, out, e);
}

const char *token_lend(struct token *token)
{
	asked = token;
	return token->key_url;
}

/* --- the whole */

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
	const gnutls_datum_t der = x509_datum(public_key);
	gnutls_pubkey_t public = NULL;
	int rc = gnutls_pubkey_init(&public);

	if (rc >= 0)
		rc = gnutls_pubkey_import(public, &der, GNUTLS_X509_FMT_DER);
	if (rc < 0) {
		gnutls_pubkey_deinit(public);
		return x509_error(e, ERR_CONFIG, rc, "public key");
	}
	close_key(token);
	gnutls_pubkey_deinit(token->expected);
	token->expected = public;
	return ERR_OK;
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
	close_key(token);
	if (asked == token)
		asked = NULL;
	gnutls_pubkey_deinit(token->expected);
	pin_fini(&token->pin);
	blob_free(&token->id);
	free(token->key_url);
	free(token->public_url);
	free(token->certificate_url);
	free(token->token_url);
	free(token);
}
