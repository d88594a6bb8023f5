#ifndef PROVIDER_BARRED_PEER_H
#define PROVIDER_BARRED_PEER_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

/*
 * Barred peers: CAs, UEM and a directory that process no request, as they reject our credentials or
 * are not where they should be. An administrator has to act. Until then one process tries for all,
 * every few minutes at first, and at last every hour.
 */
#define BARRED_PEERS_MAX (USAGE_COUNT + 2)
#define BARRED_UEM "uem"
#define BARRED_LDAP "ldap"

struct barred_peer {
	const char *section; /* borrowed from the configuration */
	struct store_barred state;
};

/* Finds the barred ones of the configured peers. fingerprint: config_fingerprint() of config. */
enum err barred_peer_find(const struct config *config, const char *fingerprint, struct store *store,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e) must_check;
/* Like barred_peer_find(), but computes the configuration's fingerprint itself, now. */
enum err barred_peer_gather(const struct config *config, struct store *store,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e) must_check;

/* "the CA of [ca] has processed no request since …, is tried again at …: cause", or "UEM has" */
void barred_peer_text(const struct barred_peer *peer, struct buf *out);

#endif
