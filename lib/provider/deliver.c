/*
 * Finishes what was recorded, in bulk: events from the step that failed, then uploads that are due;
 * or uploads again what the store has.
 */

#include "provider/deliver.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "provider/attempt.h"
#include "provider/bulk_upload.h"
#include "provider/config_fingerprint.h"
#include "provider/event_act.h"
#include "provider/provider.h"
#include "provider/provider_parts.h"
#include "provider/run_attempt.h"

/* More would not help: the gateway takes most of the time. */
#define WORKERS 4

/* The arguments of all workers. */
struct delivery {
	const struct config *config;
	const struct deliver_options *options;
	int64_t total;
	char run[LOG_REQUEST_SIZE]; /* its name */
};

static struct store_due due_of(const struct delivery *delivery, const char *fingerprint)
{
	return (struct store_due){.now = delivery->options->now, .inputs = fingerprint};
}

/* --- recorded events */

/*
 * The event was understood when it was recorded. If this version does not understand it, or if it
 * was altered, an administrator must see it.
 */
static enum err finish_unread(
	struct provider *p, const struct store_leased_event *leased, struct error *e)
{
	const struct store_end end = {
		.state = EVENT_STATE_FAILED, .cause = e->text, .inputs = p->fingerprint};
	struct error unwritten;

	if (store_event_finish(p->store, leased->id, &end, &unwritten))
		*e = unwritten;
	return e->code;
}

static enum err attempt(
	struct provider *p, const struct store_leased_event *leased, struct error *e)
{
	struct attempt attempt = {.provider = p, .id = leased->id, .tries = leased->tries};
	char run[LOG_REQUEST_SIZE];
	struct event *event = NULL;
	enum err err = store_event_check(p->store, leased->id, e);

	if (err && error_meaning(err)->retry)
		return err; /* the store could not tell: the event is as it was */
	if (!err)
		err = event_parse(
			(const char *)leased->payload.data, leased->payload.len, &event, e);
	if (!err && !event_act(event->kind))
		err = error_set(e, ERR_MALFORMED, "this version knows nothing that it asks for");
	if (err) {
		event_free(event);
		return finish_unread(p, leased, e);
	}
	/* an event that names only its user was recorded with one of the user's devices */
	memcpy(event->device_uuid, leased->pair.device_uuid, sizeof(event->device_uuid));
	event_settle_time(event, leased->received_at);
	attempt.event = event;
	step_times_start(&attempt.steps, p->counters);
	snprintf(run, sizeof(run), "%s", log_request());
	log_set_request(leased->request_id);
	err = run_attempt(&attempt, e);
	log_set_request(run);
	event_result_fini(&attempt.result);
	event_free(event);
	return err;
}

static void take_up(struct bulk_worker *w, const struct store_leased_event *leased)
{
	struct error e;
	enum err err;

	if (!leased->leased) {
		bulk_settle_busy(w, &leased->pair);
		return;
	}
	bulk_wait_turn(w->bulk);
	err = attempt(w->provider, leased, &e);
	bulk_settle(w, &leased->pair, err, &e);
}

static enum err deliver_events(struct bulk_worker *w, const struct store_due *due, struct error *e)
{
	int64_t after = 0;

	while (bulk_goes_on(w->bulk)) {
		struct store_leased_event leased = {0};
		enum err err =
			store_event_lease(w->provider->store, due, after, &w->share, &leased, e);

		if (err)
			return err == ERR_NOT_FOUND ? ERR_OK : err;
		after = leased.id;
		take_up(w, &leased);
		store_leased_event_fini(&leased);
	}
	return ERR_OK;
}

/* --- the workers */

/* Events first, then devices that are due for newer certificates and have no event. */
static enum err finish_due(struct bulk_worker *w, const struct delivery *delivery, struct error *e)
{
	const struct store_due due = due_of(delivery, w->provider->fingerprint);
	const struct store_wanted wanted = {.due = &due};
	enum err err = deliver_events(w, &due, e);

	return err ? err : bulk_upload_devices(w, &wanted, e);
}

static enum err run(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e)
{
	const struct delivery *delivery = ctx;
	const struct deliver_options *options = delivery->options;
	const struct store_wanted all = {.filter = options->filter};
	struct bulk_worker w = {
		.bulk = bulk,
		.share = {worker, workers, lease_seconds(delivery->config)},
		.report = options->report,
		.ctx = options->ctx,
	};
	enum err err = provider_open(delivery->config, &w.provider, e);

	if (!err) {
		w.provider->now = options->now;
		w.provider->run = delivery->run;
	}
	if (!err && options->again)
		err = bulk_upload_devices(&w, &all, e);
	else if (!err)
		err = finish_due(&w, delivery, e);
	provider_close(w.provider);
	return err;
}

static enum err count_due(struct delivery *delivery, struct store *store, struct error *e)
{
	char fingerprint[DIGEST_HEX_SIZE];
	enum err err = config_fingerprint(delivery->config, fingerprint, e);
	const struct store_due due = due_of(delivery, fingerprint);
	const struct store_wanted wanted = {.due = &due};
	int64_t devices = 0;

	if (!err)
		err = store_event_due(store, &due, &delivery->total, e);
	if (!err)
		err = store_device_enrolled(store, &wanted, &devices, e);
	delivery->total += devices;
	return err;
}

/* Most runs by a timer end here: nothing is due. */
static enum err count_total(struct delivery *delivery, struct error *e)
{
	const struct deliver_options *options = delivery->options;
	const struct store_wanted again = {.filter = options->filter};
	struct store *store = NULL;
	enum err err = store_open(delivery->config, &store, e);

	if (!err && options->again)
		err = store_device_enrolled(store, &again, &delivery->total, e);
	else if (!err)
		err = count_due(delivery, store, e);
	store_close(store);
	return err;
}

enum err provider_deliver(const struct config *config, const struct deliver_options *options,
	struct bulk_tally *out, struct error *e)
{
	struct delivery delivery = {.config = config, .options = options};
	enum err err = count_total(&delivery, e);
	const struct bulk_options bulk = {
		.workers = delivery.total < WORKERS ? (unsigned)delivery.total : WORKERS,
		.rate = options->rate ? options->rate : config->escrow.max_rate,
		.patience = config_patience(config),
		.progress = options->progress,
		.ctx = options->ctx,
	};

	snprintf(delivery.run, sizeof(delivery.run), "%s", log_request());
	*out = (struct bulk_tally){.total = delivery.total};
	return !err && delivery.total > 0 ? bulk_run(&bulk, run, &delivery, out, e) : err;
}
