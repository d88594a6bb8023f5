#ifndef STORE_CREDENTIAL_KEY_H
#define STORE_CREDENTIAL_KEY_H

#include "store/credential.h"
#include "store/seal.h"

/* The private key of a credential, at rest. */

/* out: what credential->key is, sealed. */
enum err credential_seal_key(const struct seal *seal, const struct credential *credential,
	struct blob *out, struct error *e) must_check;

/* Puts the plain key in the place of the sealed one. */
enum err credential_unseal_key(
	const struct seal *seal, struct credential *credential, struct error *e) must_check;

/* As seal_renew_blob(), for a sealed one. */
enum err credential_renew_key(const struct seal *seal, const struct credential *credential,
	struct blob *out, struct error *e) must_check;

#endif
