#ifndef PROVIDER_REVOKE_BY_HAND_H
#define PROVIDER_REVOKE_BY_HAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

struct revoke_options {
	const char *serial;		     /* in any state; "": not by it */
	const char *user_uuid, *device_uuid; /* the active ones; "": not by it */
	enum revocation_reason reason;
	/* Called once if any is to be revoked; false stops it. NULL: go on. */
	bool (*confirm)(void *ctx, size_t count);
	/* Called for each one. done is false if it was revoked before; err if it cannot be. */
	void (*report)(void *ctx, const struct credential *credential, bool done, enum err err,
		const char *text);
	void *ctx;
};

/*
 * Revokes certificates at the CA and in the store; nothing is sent to a gateway. With
 * REVOKED_KEY_COMPROMISE the devices whose own certificates are among them, or the device that was
 * asked for, are unenrolled first, so that they get nothing more. ERR_NOT_FOUND
 * if no certificate has that serial number, user or device; else the last failure of one of them.
 */
enum err provider_revoke(const struct config *config, const struct revoke_options *options,
	struct error *e) must_check;

#endif
