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
	bool known; /* set by barred_peer_enter(): the peer is barred, and this is the try of all */
};

/* The barred peers, as the provider has come to know them. */
enum err barred_peer_of_provider(struct provider *provider,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e) must_check;

/* Before it: ERR_BARRED where it is not to be sent now, with e->retry_after. */
enum err barred_peer_enter(
	struct provider *p, struct barred_peer_try *request, struct error *e) must_check;

/* Behind it: what came of it, e is filled where that is an error; e->retry_after may be set. */
void barred_peer_leave(
	struct provider *p, const struct barred_peer_try *request, enum err came, struct error *e);

#endif
