/* Revokes certificates at the CA and in the store, by hand or after an unenrollment. */

#include "provider/revoke.h"

#include <string.h>

#include "base/log.h"
#include "provider/provider_parts.h"
#include "provider/unenroll.h"

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
static enum err revoke(struct provider *p, const struct credential *credential,
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

/* --- by hand */

/* Nothing is to be revoked. If there is nothing at all, the name may be wrong. */
static enum err check_known(
	struct provider *p, const struct store_selection *selection, struct error *e)
{
	struct store_selection any = *selection;
	struct credential *found = NULL;
	size_t count = 0;
	enum err err;

	any.active = false;
	err = store_credential_find(p->store, &any, &found, &count, e);
	credentials_free(found, count);
	if (err || count)
		return err;
	if (*any.serial)
		return error_set(e, ERR_NOT_FOUND,
			"no certificate has the serial number %s; certprov list certificates "
			"shows them",
			any.serial);
	return *any.user_uuid
		       ? error_set(e, ERR_NOT_FOUND, "user %s has no certificates", any.user_uuid)
		       : error_set(e, ERR_NOT_FOUND, "device %s has no certificates of its own",
				 any.device_uuid);
}

/*
 * Keys that are compromised were lost with a device, so the device gets no more of them. A device
 * that the store does not know gets nothing anyway.
 */
static enum err stop_device(struct provider *p, const char *device_uuid, struct error *e)
{
	enum err err = *device_uuid ? unenroll_device(p, device_uuid, true, e) : ERR_OK;

	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err stop_devices(struct provider *p, const struct revoke_options *options,
	const struct credential *found, size_t count, struct error *e)
{
	enum err err = ERR_OK;

	if (options->reason != REVOKED_KEY_COMPROMISE)
		return ERR_OK;
	err = stop_device(p, options->device_uuid, e);
	for (size_t i = 0; !err && i < count; i++)
		if (strcmp(found[i].device_uuid, options->device_uuid) != 0)
			err = stop_device(p, found[i].device_uuid, e);
	return err;
}

static enum err revoke_selected(
	struct provider *p, const struct revoke_options *options, struct error *e)
{
	const struct store_selection selection = {
		.serial = options->serial,
		.user_uuid = options->user_uuid,
		.device_uuid = options->device_uuid,
		.active = !*options->serial,
	};
	struct credential *found = NULL;
	size_t count = 0;
	struct error stopped;
	enum err err = store_credential_find(p->store, &selection, &found, &count, e);

	if (!err && count == 0)
		err = check_known(p, &selection, e);
	if (count && options->confirm && !options->confirm(options->ctx, count)) {
		credentials_free(found, count);
		return ERR_OK;
	}
	if (stop_devices(p, options, found, count, &stopped)) {
		*e = stopped;
		err = stopped.code;
	}
	for (size_t i = 0; i < count; i++) {
		struct error one = {.code = ERR_OK};
		bool done = false;

		if (revoke(p, &found[i], options->reason, &done, &one)) {
			*e = one;
			err = one.code;
		}
		options->report(options->ctx, &found[i], done, one.code, one.text);
	}
	credentials_free(found, count);
	return err;
}

enum err provider_revoke(
	const struct config *config, const struct revoke_options *options, struct error *e)
{
	struct provider *p = NULL;
	enum err err = provider_open_ca(config, &p, e);

	if (!err)
		err = revoke_selected(p, options, e);
	provider_close(p);
	return err;
}

/* --- by an event */

enum err revoke_unenrolled(
	struct provider *p, int64_t event_id, enum revocation_reason reason, struct error *e)
{
	bool all = p->config->events.on_unenroll == UNENROLL_REVOKE_ALL;
	struct credential *found = NULL;
	size_t count = 0;
	enum err err = store_credential_unenrolled(p->store, event_id, all, &found, &count, e);

	for (size_t i = 0; !err && i < count; i++) {
		bool done = false;

		err = revoke(p, &found[i], reason, &done, e);
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
