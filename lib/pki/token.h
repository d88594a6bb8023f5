#ifndef PKI_TOKEN_H
#define PKI_TOKEN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/chain.h"

/*
 * A private key that stays in a PKCS#11 token (an HSM, a smart card), named by a URL (RFC 7512).
 *
 * The URL names the token (token= or serial=) and the object (object= or id=). The PIN comes from
 * the file that pin-source names, a secret file like any other; pin-value is refused. A PIN that
 * the token refused is not tried again, by any process, until that file changes: a file
 * beside it, FILE.refused-DIGITS, remembers it.
 *
 * Tokens are opened when they are needed, by the process that needs them: no session survives a
 * fork. A token that is gone is ERR_UNAVAILABLE, and found again by itself once it is back. A
 * process uses one at a time.
 */
struct token;

/* Returns true if it begins with "pkcs11:". */
bool token_is_url(const char *text);

/* Asks no token. ERR_CONFIG for a wrong URL or a PIN file that cannot be read. */
enum err token_new(const char *url, struct token **out, struct error *e) must_check;
void token_free(struct token *token);

/* For messages: object "ca" of token "hsm". */
const char *token_name(const struct token *token);

/* Returns true if both mean the same private key; the PIN's source does not matter. */
bool token_same(const struct token *a, const struct token *b);

/*
 * The key must be that of this SubjectPublicKeyInfo (DER), or it is not used: ERR_CONFIG from the
 * function that uses it. A signature proves it, each time that the key is opened.
 */
enum err token_expect(
	struct token *token, const struct blob *public_key, struct error *e) must_check;

/*
 * The key is there and signs. Finds it again where it was gone.
 * ERR_UNAVAILABLE: no token, no such key, PIN refused or locked.
 */
enum err token_probe(struct token *token, struct error *e) must_check;

/* The same, but ERR_NOT_FOUND where the token is there and has no such key. */
enum err token_find(struct token *token, struct error *e) must_check;

/* SubjectPublicKeyInfo, DER, of a key whose public half is in the token, too. */
enum err token_public(struct token *token, struct blob *out, struct error *e) must_check;

/*
 * The URL, without any PIN, for a library that opens the key by GnuTLS in this process; until the
 * next call for another token it is given the PIN, too. Call token_probe() before.
 */
const char *token_lend(struct token *token);

#endif
