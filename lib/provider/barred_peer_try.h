#ifndef PROVIDER_BARRED_PEER_TRY_H
#define PROVIDER_BARRED_PEER_TRY_H

#include "provider/barred_peer.h"

struct provider;

/* A request that is about to be sent to a CA or to UEM. */
struct barred_peer_try {
	const char *section; /* of the peer in the configuration */
	int64_t timeout;     /* seconds that the request may take */
	bool once;  /* set before barred_peer_leave(): the peer is not tried again before the
		       configuration changes */
	bool known; /* set by barred_peer_enter(): the peer is barred; this request tries it for all
		     */
};

/* Like barred_peer_find(), with the provider's configuration and fingerprint. */
enum err barred_peer_of_provider(struct provider *provider,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e) must_check;

/* Called before the request. ERR_BARRED: do not send it now; e->retry_after is set. */
enum err barred_peer_enter(
	struct provider *p, struct barred_peer_try *request, struct error *e) must_check;

/*
 * Called after the request, with its result in came; if that is an error, e is its text. Bars the
 * peer, or lifts the bar. If the peer is barred, e->retry_after is set.
 */
void barred_peer_leave(
	struct provider *p, const struct barred_peer_try *request, enum err came, struct error *e);

#endif
