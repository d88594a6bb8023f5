/* Certificates that an administrator revokes, and the devices that then get nothing more. */

#include "provider/revoke_by_hand.h"

#include <string.h>

#include "provider/provider.h"
#include "provider/provider_parts.h"
#include "provider/revoke.h"
#include "provider/unenroll_by_hand.h"

/*
 * Called when no active certificate matches. If no certificate at all matches, the name or serial
 * number is probably mistyped: an error.
 */
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

		if (revoke_credential(p, &found[i], options->reason, &done, &one)) {
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
