#ifndef PROVIDER_ISSUE_CREDENTIAL_H
#define PROVIDER_ISSUE_CREDENTIAL_H

#include <stdbool.h>

#include "base/error.h"
#include "provider/provider.h"
#include "provider/subject_of_event.h"
#include "store/credential.h"

/*
 * Gets the CA's certificate for a new key into a place in the store. *won is false if another
 * process has made one meanwhile; *out is then left alone. An external CA gets the same request as
 * before; ERR_PENDING while it has not decided, with e->retry_after if it said when to ask again.
 */
enum err issue_credential(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, const struct store_place *place, bool *won,
	struct credential *out, struct error *e) must_check;

#endif
