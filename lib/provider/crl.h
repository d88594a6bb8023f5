#ifndef PROVIDER_CRL_H
#define PROVIDER_CRL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

struct provider;

struct provider_crl {
	struct blob der; /* blob_free() */
	size_t size;
	int64_t number;
	char authority[STORE_AUTHORITY_SIZE]; /* the signer's SHA-256 thumbprint */
	int64_t this_update, next_update;
};

/*
 * The local CA's revocation list: the one that is out, or a new one where something was revoked
 * since, or half of [ca] crl-validity has passed. With USAGE_SIGNING, of the only local CA, for any
 * usage; of two, that of the usage. ERR_NOT_FOUND: external CAs publish their own lists.
 */
enum err provider_crl(
	struct provider *p, enum usage usage, struct provider_crl *out, struct error *e) must_check;
/* The same without reading the list, which may be long: der is empty. */
enum err provider_crl_head(
	struct provider *p, enum usage usage, struct provider_crl *out, struct error *e) must_check;
enum err provider_crl_of(const struct config *config, enum usage usage, struct provider_crl *out,
	struct error *e) must_check;

#endif
