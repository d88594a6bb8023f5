#ifndef PROVIDER_BARRED_CA_H
#define PROVIDER_BARRED_CA_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

/*
 * A CA is barred while it processes no request because it rejects our credentials or is not at its
 * URL: an administrator has to fix that. Until then one process tries it for all, first after some
 * minutes, later every hour.
 */
struct barred_ca {
	const char *section; /* borrowed from the configuration */
	struct store_barred state;
};

/* Finds the barred CAs of the configuration whose config_fingerprint() that is. */
enum err barred_ca_find(const struct config *config, const char *fingerprint, struct store *store,
	struct barred_ca out[USAGE_COUNT], size_t *count, struct error *e) must_check;
/* The same with the fingerprint of this moment. */
enum err barred_ca_gather(const struct config *config, struct store *store,
	struct barred_ca out[USAGE_COUNT], size_t *count, struct error *e) must_check;

/* "the CA of [ca] has processed no request since …, is tried again at …: cause" */
void barred_ca_text(const struct barred_ca *ca, struct buf *out);

#endif
