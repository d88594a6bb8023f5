#ifndef CA_JWK_H
#define CA_JWK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* A private key of JOSE's (RFC 7517) on a curve: P-256, P-384 or P-521 (RFC 7518, 6.2). */
struct gnutls_privkey_st;

struct jwk {
	struct gnutls_privkey_st *key;
	char *kid; /* its name, or else its thumbprint (RFC 7638), as step names it */
};

/*
 * Reads a private key, JSON. ERR_CONFIG, saying what is wrong; also for one that is encrypted (JWE,
 * RFC 7516): the administrator decrypts it once.
 */
enum err jwk_read(const struct blob *text, struct jwk *out, struct error *e) must_check;
void jwk_free(struct jwk *jwk);

#endif
