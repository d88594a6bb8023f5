#ifndef PKI_SIGNER_H
#define PKI_SIGNER_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdint.h>

#include "base/error.h"
#include "pki/key.h"
#include "pki/token.h"

/* Private to this folder: GnuTLS's side of what signs certificates and lists. */

/* The key that signs a certificate or a list: one of them is set. */
struct signer {
	gnutls_privkey_t key;
	struct token *token;
};

/* A copy of a key in memory. Freed with signer_free(), which frees the token, too. */
enum err signer_load(const struct key *key, struct signer *out, struct error *e) must_check;
void signer_free(struct signer *signer);

/* An operation with the private key: a GnuTLS code. It may be done twice. */
typedef int signer_operation(gnutls_privkey_t key, void *ctx);

/* ERR_INTERNAL with "what: …", or what the token has to say. */
enum err signer_run(const struct signer *signer, signer_operation *operation, void *ctx,
	const char *what, struct error *e) must_check;

#define KEY_ID_MAX 64 /* of a CA that was made elsewhere */

/* A signer with its certificate: see issuer.h. */
struct issuer {
	gnutls_x509_crt_t crt;
	struct signer signer;
	gnutls_digest_algorithm_t digest;
	unsigned char key_id[KEY_ID_MAX];
	size_t key_id_len;
	int64_t not_before, not_after;
};

#endif
