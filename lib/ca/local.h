#ifndef CA_LOCAL_H
#define CA_LOCAL_H

#include "base/error.h"
#include "config/config.h"

/* The local CA beyond its table of operations, ca_local: see ca_kind.h. */

/*
 * First set-up of the local CA: makes key and self-signed certificate (ten
 * years) at the places that the configuration names. ERR_CONFIG if either is
 * there already; but a key that is in a token already is used.
 */
enum err ca_local_init(const struct config_ca *ca, const char *subject, enum key_type type,
	struct error *e) must_check;

/*
 * For a local CA with its key in a token: checks that it is there and belongs to the certificate.
 * Errors as token_probe().
 */
enum err ca_local_check_key(const struct config_ca *ca, struct error *e) must_check;

#endif
