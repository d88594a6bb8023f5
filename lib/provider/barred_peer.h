#ifndef PROVIDER_BARRED_PEER_H
#define PROVIDER_BARRED_PEER_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

/*
 * CAs, UEM and a directory that judge no request, as they reject our credentials or are not where
 * they should be: a person has to see to it. Until then they are tried slowly, from some minutes to
 * an hour, by one process for all.
 */
#define BARRED_PEERS_MAX (USAGE_COUNT + 2)
#define BARRED_UEM "uem"
#define BARRED_LDAP "ldap"

struct barred_peer {
	const char *section; /* borrowed from the configuration */
	struct store_barred state;
};

/* Those of the configuration; *count of them. fingerprint: config_fingerprint() of it. */
enum err barred_peer_find(const struct config *config, const char *fingerprint, struct store *store,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e) must_check;
/* The same with the fingerprint of this moment. */
enum err barred_peer_gather(const struct config *config, struct store *store,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e) must_check;

/* "the CA of [ca] has processed no request since …, is tried again at …: cause", or "UEM has" */
void barred_peer_text(const struct barred_peer *peer, struct buf *out);

#endif
