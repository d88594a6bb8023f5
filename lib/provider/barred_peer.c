/* Which peers are barred, and the words for it. How one is tried again is barred_peer_try.c's. */

#include "provider/barred_peer.h"

#include <string.h>

#include "base/clock.h"
#include "provider/config_fingerprint.h"

void barred_peer_text(const struct barred_peer *peer, struct buf *out)
{
	char since[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];

	clock_rfc3339(peer->state.since, since);
	clock_rfc3339(peer->state.until, until);
	if (strcmp(peer->section, BARRED_UEM) == 0)
		buf_puts(out, "UEM");
	else if (strcmp(peer->section, BARRED_LDAP) == 0)
		buf_puts(out, "the directory");
	else
		buf_printf(out, "the CA of [%s]", peer->section);
	buf_printf(out, " has processed no request since %s and is ", since);
	if (peer->state.until == STORE_WAIT_ENDLESS)
		buf_puts(out, "not tried again before the configuration changes, as its account "
			      "could be locked ");
	else
		buf_printf(out, "tried again at %s ", until);
	buf_printf(out, "(deliver --now tries at once): %s", peer->state.cause);
}

static enum err find_one(struct store *store, const struct store_peer *peer,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e)
{
	enum err err = store_barred_find(store, peer, &out[*count].state, e);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	out[(*count)++].section = peer->section;
	return ERR_OK;
}

enum err barred_peer_find(const struct config *config, const char *fingerprint, struct store *store,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e)
{
	const struct store_peer uem = {BARRED_UEM, fingerprint, ""};
	const struct store_peer ldap = {BARRED_LDAP, fingerprint, ""};
	const struct config_ca *before = NULL;
	enum err err = ERR_OK;

	*count = 0;
	for (int usage = 0; usage < USAGE_COUNT && !err; usage++) {
		const struct config_ca *ca = config_ca(config, (enum usage)usage);
		const struct store_peer peer = {ca->section, fingerprint, ""};

		if (ca != before)
			err = find_one(store, &peer, out, count, e);
		before = ca;
	}
	if (!err && config->uem.url)
		err = find_one(store, &uem, out, count, e);
	if (!err && config->ldap.url)
		err = find_one(store, &ldap, out, count, e);
	return err;
}

enum err barred_peer_gather(const struct config *config, struct store *store,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e)
{
	char fingerprint[DIGEST_HEX_SIZE];
	enum err err = config_fingerprint(config, fingerprint, e);

	return err ? err : barred_peer_find(config, fingerprint, store, out, count, e);
}
