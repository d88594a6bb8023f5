#ifndef STORE_REQUEST_KEY_H
#define STORE_REQUEST_KEY_H

#include "store/request.h"
#include "store/seal.h"

/* The private key of a request to a CA, at rest. */

/* out: what request->key is, sealed. */
enum err request_seal_key(const struct seal *seal, const struct store_request *request,
	struct blob *out, struct error *e) must_check;

/* Puts the plain key in the place of the sealed one. */
enum err request_unseal_key(
	const struct seal *seal, struct store_request *request, struct error *e) must_check;

/* As seal_renew_blob(), for a sealed one. */
enum err request_renew_key(const struct seal *seal, const struct store_request *request,
	struct blob *out, struct error *e) must_check;

#endif
