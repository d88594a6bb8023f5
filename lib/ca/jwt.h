#ifndef CA_JWT_H
#define CA_JWT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * Signed tokens: JWT (RFC 7519) in the compact form of JWS (RFC 7515). The key is a
 * gnutls_privkey_t wherever it lies: in memory or in a token of PKCS#11.
 */
struct gnutls_privkey_st;

/* base64url, without padding (RFC 7515, 2); nothing is appended if the result is false. */
void jwt_base64url(struct buf *out, const void *data, size_t len);
bool jwt_unbase64url(const char *s, size_t len, struct buf *out);

/* "RS256", "ES256", "ES384" or "ES512" (RFC 7518, 3.1); NULL: there is none for such a key. */
const char *jwt_algorithm(struct gnutls_privkey_st *key);

/* Appends the signature over the input: raw r and s for a curve (RFC 7518, 3.3 and 3.4). */
enum err jwt_signature(struct gnutls_privkey_st *key, const void *input, size_t len,
	struct buf *out, struct error *e) must_check;

/*
 * Appends a token. header: what stands behind "alg" and "typ" there, JSON: "\"kid\":…".
 * ERR_UNAVAILABLE if the key cannot sign now.
 */
enum err jwt_sign(struct gnutls_privkey_st *key, const char *header, const char *claims,
	struct buf *out, struct error *e) must_check;

#endif
