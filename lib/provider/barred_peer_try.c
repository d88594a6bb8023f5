/* Requests to a peer that is barred: one process tries it for all, when its time has come. */

#include "provider/barred_peer_try.h"

#include "base/clock.h"
#include "base/log.h"
#include "provider/backoff.h"
#include "provider/provider_parts.h"

/* backoff_seconds() then begins with four minutes: an account may be locked by a few tries. */
#define HEAD_START 2

/* Seconds after the request's time limit when another process may try. */
#define TRY_MARGIN 60

static struct store_peer peer_of(const struct provider *p, const struct barred_peer_try *request)
{
	return (struct store_peer){.section = request->section,
		.inputs = p->fingerprint,
		.run = p->now && p->run ? p->run : ""};
}

/* --- a request */

static enum err not_now(
	const struct barred_peer_try *request, const struct store_barred *b, struct error *e)
{
	int64_t wait = b->until - clock_now();
	struct barred_peer barred = {.section = request->section, .state = *b};
	struct buf text = BUF_INIT(ERROR_TEXT_MAX);

	barred_peer_text(&barred, &text);
	error_set(e, ERR_BARRED, "%s", text.failed ? b->cause : text.data);
	e->retry_after = wait < 1 ? 1 : wait < BACKOFF_MAX ? (int)wait : BACKOFF_MAX;
	buf_free(&text);
	return e->code;
}

enum err barred_peer_enter(struct provider *p, struct barred_peer_try *request, struct error *e)
{
	const struct store_peer peer = peer_of(p, request);
	struct store_barred barred;
	bool ours = false;
	enum err err = store_barred_find(p->store, &peer, &barred, e);

	request->known = false;
	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	err = store_barred_try(p->store, &peer, request->timeout + TRY_MARGIN, &ours, e);
	if (err)
		return err;
	if (!ours)
		return not_now(request, &barred, e);
	request->known = true;
	return ERR_OK;
}

static enum err bar(struct provider *p, const struct barred_peer_try *request, struct error *why,
	struct error *e)
{
	const struct store_peer peer = peer_of(p, request);
	struct store_barred barred = {.tries = 0};
	enum err err = store_barred_find(p->store, &peer, &barred, e);
	int64_t wait;

	if (err && err != ERR_NOT_FOUND)
		return err;
	wait = backoff_seconds(barred.tries + HEAD_START, why->retry_after);
	err = store_barred_set(
		p->store, &peer, request->once ? STORE_WAIT_ENDLESS : wait, why->text, e);
	if (!err)
		why->retry_after = (int)wait;
	return err;
}

/* Returns true for results that only a peer gives that has processed the request. */
static bool is_judged(enum err err)
{
	return err == ERR_OK || err == ERR_PENDING || err == ERR_REFUSED || err == ERR_FORBIDDEN;
}

void barred_peer_leave(
	struct provider *p, const struct barred_peer_try *request, enum err came, struct error *e)
{
	const struct store_peer peer = peer_of(p, request);
	enum err err = ERR_OK;
	struct error unwritten;

	if (came == ERR_BARRED || came == ERR_CONFIG)
		err = bar(p, request, e, &unwritten);
	else if (request->known && is_judged(came))
		err = store_barred_clear(p->store, &peer, &unwritten);
	if (err)
		log_error("how the peer of [%s] took it: %s", request->section, unwritten.text);
}

/* --- which they are */

enum err barred_peer_of_provider(struct provider *p, struct barred_peer out[BARRED_PEERS_MAX],
	size_t *count, struct error *e)
{
	return barred_peer_find(p->config, p->fingerprint, p->store, out, count, e);
}
