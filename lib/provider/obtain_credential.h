#ifndef PROVIDER_OBTAIN_CREDENTIAL_H
#define PROVIDER_OBTAIN_CREDENTIAL_H

#include "base/error.h"
#include "provider/subject_of_event.h"
#include "store/credential.h"

struct provider;

/* The owner of a credential of that usage, by [certificates] signing-scope. Borrows the UUIDs. */
struct credential_owner credential_owner_of(
	const struct provider *p, const char *device_uuid, const char *user_uuid, enum usage usage);

/*
 * The owner's current credential; one is made where it is missing, has expired or is for another
 * address. Every process that asks for the same gets the same: the store decides. *how is static:
 * "kept", "made", "replaced" or "returned".
 */
enum err obtain_credential(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, struct credential *out, const char **how,
	struct error *e) must_check;

/*
 * A new key and certificate in the place of an active one, for the subject's present name and
 * address. If another process was quicker, its credential is kept.
 */
enum err renew_credential(struct provider *p, const struct credential *old,
	const struct subject *subject, struct error *e) must_check;

#endif
