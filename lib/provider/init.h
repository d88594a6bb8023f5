#ifndef PROVIDER_INIT_H
#define PROVIDER_INIT_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "pki/key.h"

/* A finding of a set-up: err is ERR_OK if it holds, also if it warns. */
typedef void provider_report(
	void *ctx, const char *what, enum err err, bool warning, const char *text);

struct provider_init {
	const char *subject;
	enum key_type key;   /* of a new one */
	const char *key_url; /* NULL, or the pkcs11: URL that the configuration must have, too */
};

/*
 * First set-up of the embedded default: the store, its master key and a local CA, where the
 * configuration names them. Existing files are kept.
 */
enum err provider_init(const struct config *config, const struct provider_init *what,
	provider_report *report, void *ctx, struct error *e) must_check;

#endif
