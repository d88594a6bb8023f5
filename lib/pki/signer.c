/* A key that signs certificates and lists, in memory or in a token. */

#include "pki/signer.h"

#include "pki/token_session.h"
#include "pki/x509.h"

enum err signer_load(const struct key *key, struct signer *out, struct error *e)
{
	gnutls_privkey_t private = NULL;
	int rc = gnutls_privkey_init(&private);

	if (rc >= 0)
		rc = gnutls_privkey_import_x509(
			private, key_handle(key), GNUTLS_PRIVKEY_IMPORT_COPY);
	if (rc < 0) {
		gnutls_privkey_deinit(private);
		return x509_error(e, ERR_INTERNAL, rc, "the CA's key");
	}
	*out = (struct signer){.key = private};
	return ERR_OK;
}

void signer_free(struct signer *signer)
{
	gnutls_privkey_deinit(signer->key);
	token_free(signer->token);
}

enum err signer_run(const struct signer *signer, signer_operation *operation, void *ctx,
	const char *what, struct error *e)
{
	int rc;

	if (signer->token)
		return token_try_later(token_run(signer->token, operation, ctx, e), e)
			       ? error_context(e, "%s", what)
			       : ERR_OK;
	rc = operation(signer->key, ctx);
	return rc < 0 ? x509_error(e, ERR_INTERNAL, rc, what) : ERR_OK;
}
