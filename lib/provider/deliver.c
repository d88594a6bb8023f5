#include <string.h>

#include "base/log.h"
#include "provider/bulk.h"
#include "provider/internal.h"

/* More only wait for each other: a process is in the gateway's hands most of the time. */
#define WORKERS 4

/* What all workers are given. */
struct delivery {
	const struct config *config;
	const struct deliver_options *options;
	int64_t total;
};

/* One of them. */
struct worker {
	const struct delivery *delivery;
	struct provider *provider;
	struct bulk *bulk;
	struct store_share share;
};

static void settle(
	const struct worker *w, const struct store_pair *pair, enum err err, const struct error *e)
{
	const struct deliver_options *options = w->delivery->options;

	if (err)
		options->report(options->ctx, pair, err, e->text);
	bulk_count(w->bulk, err);
}

static void settle_busy(const struct worker *w, const struct store_pair *pair)
{
	const struct deliver_options *options = w->delivery->options;

	options->report(
		options->ctx, pair, ERR_UNAVAILABLE, "another process has it in hand just now");
	bulk_count_busy(w->bulk);
}

/* --- recorded events */

static void set_pair(struct store_pair *pair, const char *device_uuid, const char *user_uuid)
{
	memcpy(pair->device_uuid, device_uuid, sizeof(pair->device_uuid));
	memcpy(pair->user_uuid, user_uuid, sizeof(pair->user_uuid));
}

/* It was understood when it was recorded; should this version not, a person must see it. */
static enum err finish_unread(struct provider *p, const struct store_claim *claim, struct error *e)
{
	enum err err = e->code;
	struct error unwritten;

	if (store_event_finish(p->store, claim->id, EVENT_STATE_FAILED, e->text, 0, &unwritten) ==
		ERR_OK)
		return err;
	*e = unwritten;
	return e->code;
}

static enum err attempt(struct provider *p, const struct store_claim *claim, struct error *e)
{
	struct work work = {.provider = p, .id = claim->id, .tries = claim->tries};
	struct outcome outcome = {0};
	struct event *event = NULL;
	enum err err =
		event_parse((const char *)claim->payload.data, claim->payload.len, &event, e);

	if (err)
		return finish_unread(p, claim, e);
	work.event = event;
	steps_start(&work.steps);
	log_set_request(claim->request_id);
	err = work_attempt(&work, &outcome, e);
	log_set_request(NULL);
	outcome_fini(&outcome);
	event_free(event);
	return err;
}

static enum err deliver_events(struct worker *w, struct error *e)
{
	int64_t after = 0;

	while (bulk_goes_on(w->bulk)) {
		struct store_claim claim = {0};
		struct store_pair pair;
		enum err err = store_event_claim(
			w->provider->store, w->delivery->options->now, after, &w->share, &claim, e);

		if (err)
			return err == ERR_NOT_FOUND ? ERR_OK : err;
		after = claim.id;
		set_pair(&pair, claim.device_uuid, claim.user_uuid);
		bulk_wait_turn(w->bulk);
		err = attempt(w->provider, &claim, e);
		settle(w, &pair, err, e);
		store_claim_fini(&claim);
	}
	return ERR_OK;
}

/* --- what the gateways have had already */

static enum err push(struct provider *p, const struct store_pair *pair, struct error *e)
{
	struct credential_set set = {0};
	struct steps steps;
	struct error unreleased;
	enum err err = credential_set_stored(p, pair, &set, e);

	steps_start(&steps);
	if (!err)
		err = upload_set(p, pair, &set, &steps, e);
	credential_set_fini(&set);
	/* What is not released ends by itself. */
	if (store_device_release(p->store, pair, &unreleased))
		log_warning("%s", unreleased.text);
	return err;
}

static enum err push_all(struct worker *w, struct error *e)
{
	struct store_pair at = {.device_uuid = ""};

	while (bulk_goes_on(w->bulk)) {
		bool claimed = false;
		enum err err = store_device_claim(w->provider->store, &w->delivery->options->filter,
			&w->share, &at, &claimed, e);

		if (err)
			return err == ERR_NOT_FOUND ? ERR_OK : err;
		if (!claimed) {
			settle_busy(w, &at);
			continue;
		}
		bulk_wait_turn(w->bulk);
		err = push(w->provider, &at, e);
		settle(w, &at, err, e);
	}
	return ERR_OK;
}

/* --- the workers */

static enum err run(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e)
{
	const struct delivery *delivery = ctx;
	struct worker w = {
		.delivery = delivery,
		.bulk = bulk,
		.share = {worker, workers, lease_seconds(delivery->config)},
	};
	enum err err = provider_open(delivery->config, &w.provider, e);

	if (!err)
		err = delivery->options->again ? push_all(&w, e) : deliver_events(&w, e);
	provider_close(w.provider);
	return err;
}

static struct deliver_tally tally_of(const struct delivery *delivery, const struct bulk_tally *bulk)
{
	return (struct deliver_tally){
		.total = delivery->total,
		.delivered = bulk->done,
		.pending = bulk->pending,
		.failed = bulk->failed,
		.stopped = bulk->stopped,
	};
}

static void show_progress(void *ctx, const struct bulk_tally *bulk)
{
	const struct delivery *delivery = ctx;
	struct deliver_tally tally = tally_of(delivery, bulk);

	delivery->options->progress(delivery->options->ctx, &tally);
}

/* Most runs of a timer end here: nothing is due. */
static enum err count_total(struct delivery *delivery, struct error *e)
{
	const struct deliver_options *options = delivery->options;
	struct store *store = NULL;
	enum err err = store_open(delivery->config, &store, e);

	if (!err && options->again)
		err = store_device_enrolled(store, &options->filter, &delivery->total, e);
	else if (!err)
		err = store_event_due(store, options->now, &delivery->total, e);
	store_close(store);
	return err;
}

enum err provider_deliver(const struct config *config, const struct deliver_options *options,
	struct deliver_tally *out, struct error *e)
{
	struct delivery delivery = {.config = config, .options = options};
	struct bulk_tally tally = {.done = 0};
	enum err err = count_total(&delivery, e);
	const struct bulk_options bulk = {
		.workers = delivery.total < WORKERS ? (unsigned)delivery.total : WORKERS,
		.rate = options->rate ? options->rate : config->escrow.max_rate,
		.progress = options->progress ? show_progress : NULL,
		.ctx = &delivery,
	};

	if (!err && delivery.total > 0)
		err = bulk_run(&bulk, run, &delivery, &tally, e);
	*out = tally_of(&delivery, &tally);
	return err;
}
