/* Revokes certificates at the CA and in the store. Which ones by hand is revoke_by_hand.c's. */

#include "provider/revoke.h"

#include <string.h>

#include "base/log.h"
#include "provider/provider_parts.h"

/* Asks the usage's CA, then the other usage's: the two CAs may have been exchanged since. */
static enum err revoke_at_ca(struct provider *p, const struct credential *credential,
	enum revocation_reason reason, struct error *e)
{
	enum err err = ERR_REFUSED;

	for (int i = 0; i < USAGE_COUNT && err == ERR_REFUSED; i++) {
		struct ca *ca = p->ca[(credential->usage + (unsigned)i) % USAGE_COUNT];
		const struct ca_revocation revocation = {
			.serial = credential->serial,
			.issuer = credential->issuer,
			.reason = reason,
			.deadline = ca_deadline(ca),
		};

		if (i == 0 || ca != p->ca[credential->usage])
			err = ca_revoke(ca, &revocation, e);
	}
	return err;
}

/* The CA comes first: what the store calls revoked must be revoked for everybody. */
enum err revoke_credential(struct provider *p, const struct credential *credential,
	enum revocation_reason reason, bool *done, struct error *e)
{
	bool revoked = false;
	enum err err = ERR_OK;

	if (credential->state != CREDENTIAL_REVOKED) {
		err = revoke_at_ca(p, credential, reason, e);
		if (!err)
			err = store_credential_revoke(
				p->store, credential->id, reason, &revoked, e);
	}
	if (!err && revoked)
		log_info("revoked: %s certificate with serial %s of device \"%s\", user %s: %s",
			usage_names[credential->usage], credential->serial, credential->device_uuid,
			credential->user_uuid, revocation_reason_names[reason]);
	if (!err)
		*done = revoked;
	return err;
}

enum err revoke_unenrolled(
	struct provider *p, int64_t event_id, enum revocation_reason reason, struct error *e)
{
	bool all = p->config->events.on_unenroll == UNENROLL_REVOKE_ALL;
	struct credential *found = NULL;
	size_t count = 0;
	enum err err = store_credential_unenrolled(p->store, event_id, all, &found, &count, e);

	for (size_t i = 0; !err && i < count; i++) {
		bool done = false;

		err = revoke_credential(p, &found[i], reason, &done, e);
		if (err == ERR_REFUSED) {
			log_warning(
				"not revoked: %s certificate with serial %s of device \"%s\", user "
				"%s: %s",
				usage_names[found[i].usage], found[i].serial, found[i].device_uuid,
				found[i].user_uuid, e->text);
			err = ERR_OK;
		}
	}
	credentials_free(found, count);
	return err;
}
