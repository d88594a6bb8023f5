/*
 * Requests to a PKCS#11 token by GnuTLS and p11-kit, which find tokens when they start: one that
 * was away is found again only by starting them anew, which ends all sessions of the process.
 */

#include "pki/token_session.h"

#include <gnutls/pkcs11.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

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

void token_close_key(struct token *token)
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

/* Returns false if it was done a moment ago. */
static bool restart_library(void)
{
	int64_t now = clock_monotonic_ms();

	if (restarted && now - restarted < RESTART_PAUSE_MS)
		return false;
	while (open_tokens)
		token_close_key(open_tokens);
	gnutls_pkcs11_deinit();
	started_by = 0;
	start_library();
	restarted = now;
	return true;
}

void token_ask_pin_for(struct token *token)
{
	asked = token;
}

void token_forget(struct token *token)
{
	token_close_key(token);
	if (asked == token)
		asked = NULL;
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
			token->pin.why ? token->pin.why : "the token asks for a PIN");
	if (rc == GNUTLS_E_PKCS11_PIN_LOCKED || rc == GNUTLS_E_PKCS11_PIN_EXPIRED)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the token has %s the PIN: let its security officer set a new one",
			name, rc == GNUTLS_E_PKCS11_PIN_LOCKED ? "locked" : "let expire");
	if (!is_there(token))
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the token is not there: connect it, and check that user %u may use it "
			"and that p11-kit knows its module",
			name, (unsigned)geteuid());
	if (rc == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE ||
		rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return error_set(e, ERR_NOT_FOUND,
			"%s: the token does not have this object: correct the URL", name);
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

int token_prove(gnutls_privkey_t key, gnutls_pubkey_t public)
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
			"%s is another key than the certificate's: name a key and a certificate "
			"that belong together",
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
	err = token->expected ? check_proof(token, token_prove(key, token->expected), e) : ERR_OK;
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
		token_close_key(token);
	return ERR_OK;
}

enum err token_run(struct token *token, token_operation *operation, void *ctx, struct error *e)
{
	bool was_open = token->key;
	int rc = 0;
	enum err err = run_once(token, operation, ctx, &rc, e);

	if (!err && rc < 0 && was_open)
		err = run_once(token, operation, ctx, &rc, e);
	return !err && rc < 0 ? token_explain(token, rc, e) : err;
}

enum err token_try_later(enum err err, struct error *e)
{
	if (err == ERR_NOT_FOUND)
		e->code = err = ERR_UNAVAILABLE;
	return err;
}
