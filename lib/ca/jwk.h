#ifndef CA_JWK_H
#define CA_JWK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* A private key of JOSE's (RFC 7517) on a curve: P-256, P-384 or P-521 (RFC 7518, 6.2). */
struct gnutls_privkey_st;

struct jwk {
	struct gnutls_privkey_st *key;
	char *kid; /* its name, or else its thumbprint (RFC 7638), by which step goes */
};

/*
 * From JSON: the key itself, or one encrypted with a password (RFC 7516, compact or flattened JSON)
 * as step does it: PBES2-HS256+A128KW, PBES2-HS384+A192KW or PBES2-HS512+A256KW, and A128GCM,
 * A192GCM or A256GCM. password: NUL-terminated, or NULL. ERR_CONFIG, saying what is wrong.
 */
enum err jwk_read(
	const struct blob *text, const char *password, struct jwk *out, struct error *e) must_check;
void jwk_free(struct jwk *jwk);

/* The plain text of an encrypted one. */
enum err jwe_decrypt(const struct blob *text, const char *password, struct blob *out,
	struct error *e) must_check;

#endif
