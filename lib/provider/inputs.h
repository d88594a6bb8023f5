#ifndef PROVIDER_INPUTS_H
#define PROVIDER_INPUTS_H

#include "base/config.h"
#include "base/digest.h"
#include "base/error.h"

/*
 * A digest of all of ours that decides what becomes of an event: the program's version, and path,
 * size and time of change of the configuration file and of those that it names for the CA and the
 * gateways. What failed is worth another try when it is another one.
 */
enum err inputs_digest(
	const struct config *config, char out[DIGEST_HEX_SIZE], struct error *e) must_check;

#endif
