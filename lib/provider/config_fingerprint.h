#ifndef PROVIDER_CONFIG_FINGERPRINT_H
#define PROVIDER_CONFIG_FINGERPRINT_H

#include "base/digest.h"
#include "base/error.h"
#include "config/config.h"

/*
 * A digest of all inputs that decide the outcome of an event: the program's version, and path, size
 * and time of change of the configuration file and of those that it names for the CA and the
 * gateways. Failed events are retried once it changes.
 */
enum err config_fingerprint(
	const struct config *config, char out[DIGEST_HEX_SIZE], struct error *e) must_check;

#endif
