#ifndef FCGI_TRY_IN_CHILD_H
#define FCGI_TRY_IN_CHILD_H

#include "base/error.h"
#include "config/config.h"
#include "provider/expiry.h"
#include "provider/expiry_gather.h"

/*
 * Opens all that the configuration names in a child process, which then ends: the parent never
 * holds a key, a database or the state of a TLS library. Errors of service_open(), and
 * ERR_UNAVAILABLE if it takes too long.
 */
enum err try_in_child_open(const struct config *config, struct error *e) must_check;

/* expiry_gather() in the same way. ERR_UNAVAILABLE, ERR_INTERNAL if that cannot be done at all. */
enum err try_in_child_expiry(
	const struct config *config, struct expiry out[EXPIRY_COUNT], struct error *e) must_check;

#endif
