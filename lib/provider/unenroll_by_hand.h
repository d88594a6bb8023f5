#ifndef PROVIDER_UNENROLL_BY_HAND_H
#define PROVIDER_UNENROLL_BY_HAND_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

struct provider;

/*
 * Records an unenrollment of the device: it gets nothing more until it enrolls again, and its
 * certificates are revoked as [events] on-unenroll says. ERR_NOT_FOUND: nobody has enrolled it.
 * ERR_UNAVAILABLE, ERR_BARRED: delivery has stopped; certprov deliver finishes the revocation.
 */
enum err provider_unenroll(
	const struct config *config, const char *device_uuid, struct error *e) must_check;

/* The same by an open provider. compromised: its keys are revoked as such. */
enum err unenroll_device(
	struct provider *p, const char *device_uuid, bool compromised, struct error *e) must_check;

#endif
