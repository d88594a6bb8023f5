#ifndef NET_IDENTITY_H
#define NET_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "pki/chain.h"

/*
 * A TLS client identity, as libcurl's GnuTLS backend can use it: from a PKCS#12 file, certificate
 * chain and key as PEM in a sealed memory file, never on disk; or from a PKCS#11 token, where the
 * key stays (see pki/token.h).
 */
struct identity;

/*
 * Opens the file with the password in password_file (NULL: none), or takes a pkcs11: URL without
 * opening its token yet. ERR_CONFIG.
 */
enum err identity_open(const char *source, const char *password_file, struct identity **out,
	struct error *e) must_check;
void identity_close(struct identity *identity);

/*
 * Call it before each use. It checks that a key in a token is present and fits its certificate,
 * which is read from the token at the first success. Errors as token_probe().
 */
enum err identity_ready(struct identity *identity, struct error *e) must_check;

/* In a token; then no connection may outlive its request, as it holds the token's session. */
bool identity_in_token(const struct identity *identity);

/* For CURLOPT_SSLCERT and CURLOPT_SSLKEY, once it is ready. They live as long as identity. */
const char *identity_path(const struct identity *identity);
const char *identity_key(const struct identity *identity);

/*
 * For our own signatures, once it is ready: a gnutls_privkey_t, for gnutls_privkey_deinit(), and
 * its certificates. ERR_UNAVAILABLE: the token is gone.
 */
struct gnutls_privkey_st;
enum err identity_signer(const struct identity *identity, struct gnutls_privkey_st **key,
	struct chain *chain, struct error *e) must_check;

/* The client certificate, DER; lives as long as identity. data is NULL: in a token, not read yet.
 */
const struct blob *identity_certificate(const struct identity *identity);

/*
 * When the client certificate expires, in seconds since 1970; INT64_MAX: not known yet. An expired
 * identity still opens.
 */
int64_t identity_not_after(const struct identity *identity);

#define IDENTITY_FLAWS_SIZE 320

/*
 * Other reasons why a server may reject the certificate, as the last part of a sentence: it is not
 * for TLS clients, or its issuer is not in the file. "" if there are none, or not known yet.
 */
void identity_flaws(const struct identity *identity, char out[IDENTITY_FLAWS_SIZE]);

#endif
