#ifndef PROVIDER_EXPIRY_GATHER_H
#define PROVIDER_EXPIRY_GATHER_H

#include "base/buf.h"
#include "config/config.h"
#include "provider/expiry.h"
#include "store/store.h"

struct provider;

/* The list of the CA with that certificate, DER. If store is NULL, it is opened meanwhile. */
struct expiry expiry_of_crl(
	const struct config *config, struct store *store, const struct blob *ca);

/*
 * Looks at all of it, from files and store alone: no CA and no gateway is asked. One that cannot be
 * read is EXPIRY_UNKNOWN and does not hinder the others. store as above. May take a second where
 * the identity's PKCS#12 file is slow to open.
 */
void expiry_gather(
	const struct config *config, struct store *store, struct expiry out[EXPIRY_COUNT]);

/* The same for a provider, of the client certificate that it has open: quick at any time. */
void expiry_of_provider(struct provider *provider, struct expiry out[EXPIRY_COUNT]);

#endif
