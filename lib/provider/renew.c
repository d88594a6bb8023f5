/*
 * Renews certificates: a user at a time, with leases on all the user's devices, so that each gets
 * one upload of all that is new. A replaced certificate is no longer due, and its devices are due
 * for an upload from the same moment on: a run that is killed at any point is finished by the next
 * one.
 */

#include "provider/renew.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "provider/attempt.h"
#include "provider/bulk_upload.h"
#include "provider/config_fingerprint.h"
#include "provider/identify.h"
#include "provider/local_ca.h"
#include "provider/obtain_credential.h"
#include "provider/provider.h"
#include "provider/provider_parts.h"

/* Even on one processor: some workers make keys while others wait for the gateway. */
#define WORKERS_MIN 4

/* Seconds; longer than any certificate lasts. */
#define FOREVER (100LL * 366 * 86400)

/* The arguments of all workers. */
struct renewal {
	const struct config *config;
	const struct renew_options *options;
	struct store_renewal wanted;
};

/*
 * No certificate outlives its CA's. A certificate that ends together with the CA's would be
 * replaced each night by one that ends then, too. An expired CA reports that itself; an external CA
 * is trusted to do so.
 */
static enum err stop_at_end_of_ca(
	const struct config *config, struct store_renewal *wanted, struct error *e)
{
	struct certificate_info ca;
	struct provider *p = NULL;
	enum err err = provider_open_ca(config, &p, e);

	for (int usage = 0; !err && usage < USAGE_COUNT; usage++) {
		if (!ca_has_crl(p->ca[usage]))
			continue;
		err = local_ca_info(p->ca[usage], &ca, e);
		if (!err && ca.not_after > clock_now() && wanted->before[usage] > ca.not_after)
			wanted->before[usage] = ca.not_after;
	}
	provider_close(p);
	return err;
}

static enum err want(const struct config *config, const struct renew_options *options,
	struct store_renewal *out, struct error *e)
{
	int64_t within = options->now		? FOREVER
			 : options->within >= 0 ? options->within
						: config->certificates.renew_within;

	*out = (struct store_renewal){
		.user_uuid = options->user_uuid,
		.of_device = config->certificates.signing_scope == SIGNING_SCOPE_DEVICE,
	};
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (options->usages[usage] && config->certificates.usages[usage])
			out->before[usage] = clock_now() + within;
	return options->now ? ERR_OK : stop_at_end_of_ca(config, out, e);
}

/* --- one user */

struct user {
	struct bulk_worker *worker;
	const char *uuid;
	enum err worst; /* a permanent error outranks one that may pass */
};

static enum err note(struct user *u, const char *device_uuid, enum err err, const struct error *e)
{
	const struct store_pair pair = store_pair_of(device_uuid, u->uuid);

	if (!err)
		return err;
	u->worker->report(u->worker->ctx, &pair, err, e->text);
	if (!u->worst || error_meaning(u->worst)->retry)
		u->worst = err;
	return err;
}

/* The lease must not end while we work on a user for long. */
static enum err keep(const struct user *u, struct error *e)
{
	bulk_alive(u->worker->bulk);
	return store_user_keep(u->worker->provider->store, u->uuid, u->worker->share.lease, e);
}

static enum err find_subject(const struct user *u, struct subject *out, struct error *e)
{
	struct provider *p = u->worker->provider;
	struct blob payload = {NULL, 0};
	struct event *event = NULL;
	int64_t time = 0;
	enum err err = store_user_enrollment(p->store, u->uuid, &payload, &time, e);

	if (!err)
		err = event_parse((const char *)payload.data, payload.len, &event, e);
	if (!err) {
		event->time = time;
		err = identify_subject(p, event, false, out, e);
	}
	if (err)
		error_context(e, "the latest enrollment");
	event_free(event);
	blob_free(&payload);
	return err;
}

/*
 * A CA that is down is asked only once for a user. If it refuses one certificate, or has not
 * decided on it, the others are still renewed.
 */
static void renew_each(
	struct user *u, const struct subject *subject, const struct credential *due, size_t count)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < count && !(err && error_meaning(err)->retry); i++) {
		struct error e;

		err = keep(u, &e);
		if (!err)
			err = renew_credential(u->worker->provider, &due[i], subject, &e);
		note(u, due[i].device_uuid, err, &e);
		if (err == ERR_PENDING)
			err = ERR_OK;
	}
}

static void renew_credentials(struct user *u, const struct store_renewal *wanted)
{
	struct store *store = u->worker->provider->store;
	struct credential *due = NULL;
	struct subject subject;
	size_t count = 0;
	struct error e;
	enum err err = store_renewal_list(store, wanted, u->uuid, &due, &count, &e);

	if (!err && count > 0)
		err = find_subject(u, &subject, &e);
	if (!note(u, "", err, &e) && count > 0)
		renew_each(u, &subject, due, count);
	credentials_free(due, count);
}

/* If a gateway is down, the rest of the devices stay due. */
static void upload_to_devices(struct user *u)
{
	struct bulk_worker *w = u->worker;
	const struct store_due due = {.inputs = w->provider->fingerprint};
	const struct store_wanted wanted = {
		.filter = store_pair_of("", u->uuid), .due = &due, .in_hand = true};
	const struct store_share all = {0, 1, w->share.lease};
	struct store_device at = {.tries = 0};
	enum err err = ERR_OK;

	while (!(err && error_meaning(err)->retry)) {
		struct error e;

		err = keep(u, &e);
		if (!err)
			err = store_device_lease(w->provider->store, &wanted, &all, &at, &e);
		if (err == ERR_NOT_FOUND)
			break;
		if (err) {
			note(u, "", err, &e);
			break;
		}
		err = bulk_upload_device(w, &at, &e);
		note(u, at.pair.device_uuid, err, &e);
	}
}

/* Such a device is not done: certprov deliver uploads when it finishes the event. */
static void report_left_to_events(struct user *u)
{
	struct bulk_worker *w = u->worker;
	const struct store_due due = {.inputs = w->provider->fingerprint};
	const struct store_wanted wanted = {
		.filter = store_pair_of("", u->uuid), .due = &due, .by_event = true};
	const struct store_share all = {.workers = 1};
	struct store_device at = {.tries = 0};
	struct error e;
	enum err err;

	while (!(err = store_device_lease(w->provider->store, &wanted, &all, &at, &e))) {
		err = error_set(&e, ERR_PENDING,
			"an event of the device is not finished; certprov deliver finishes it and "
			"uploads the new certificates");
		note(u, at.pair.device_uuid, err, &e);
	}
	if (err != ERR_NOT_FOUND)
		note(u, "", err, &e);
}

static enum err renew_user(struct bulk_worker *w, const struct store_renewal *wanted,
	const char *user_uuid, struct error *e)
{
	struct user user = {.worker = w, .uuid = user_uuid};
	struct store *store = w->provider->store;
	bool leased = false;
	struct error ignored;
	enum err err = store_user_lease(store, user_uuid, w->share.lease, &leased, e);

	if (err)
		return err;
	if (!leased) {
		const struct store_pair pair = store_pair_of("", user_uuid);

		bulk_settle_busy(w, &pair);
		return ERR_OK;
	}
	renew_credentials(&user, wanted);
	upload_to_devices(&user);
	report_left_to_events(&user);
	/* An unreleased lease expires on its own. */
	if (store_user_release(store, user_uuid, &ignored))
		log_warning("%s", ignored.text);
	bulk_count(w->bulk, user.worst);
	return ERR_OK;
}

/* --- the workers: users first, then devices that are still due */

static struct bulk_worker worker_of(
	const struct renewal *renewal, struct bulk *bulk, unsigned worker, unsigned workers)
{
	return (struct bulk_worker){
		.bulk = bulk,
		.share = {worker, workers, lease_seconds(renewal->config)},
		.report = renewal->options->report,
		.ctx = renewal->options->ctx,
	};
}

static enum err renew_users(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e)
{
	const struct renewal *renewal = ctx;
	struct bulk_worker w = worker_of(renewal, bulk, worker, workers);
	char user_uuid[UUID_SIZE] = "";
	enum err err = provider_open(renewal->config, &w.provider, e);

	if (!err)
		w.provider->bulk = true;
	while (!err && bulk_goes_on(bulk)) {
		err = store_renewal_next(
			w.provider->store, &renewal->wanted, &w.share, user_uuid, e);
		if (!err)
			err = renew_user(&w, &renewal->wanted, user_uuid, e);
	}
	provider_close(w.provider);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static struct store_wanted left_of(const struct renewal *renewal, const struct store_due *due)
{
	return (struct store_wanted){
		.filter = store_pair_of("", renewal->wanted.user_uuid), .due = due};
}

static enum err upload_left(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e)
{
	const struct renewal *renewal = ctx;
	struct bulk_worker w = worker_of(renewal, bulk, worker, workers);
	enum err err = provider_open(renewal->config, &w.provider, e);

	if (!err) {
		const struct store_due due = {.inputs = w.provider->fingerprint};
		const struct store_wanted wanted = left_of(renewal, &due);

		err = bulk_upload_devices(&w, &wanted, e);
	}
	provider_close(w.provider);
	return err;
}

/* --- all of it */

static enum err count_users(const struct renewal *renewal, int64_t *out, struct error *e)
{
	struct store *store = NULL;
	enum err err = store_open(renewal->config, &store, e);

	if (!err)
		err = store_renewal_count(store, &renewal->wanted, out, e);
	store_close(store);
	return err;
}

static enum err count_left(const struct renewal *renewal, int64_t *out, struct error *e)
{
	char fingerprint[DIGEST_HEX_SIZE];
	const struct store_due due = {.inputs = fingerprint};
	const struct store_wanted wanted = left_of(renewal, &due);
	struct store *store = NULL;
	enum err err = config_fingerprint(renewal->config, fingerprint, e);

	if (!err)
		err = store_open(renewal->config, &store, e);
	if (!err)
		err = store_device_enrolled(store, &wanted, out, e);
	store_close(store);
	return err;
}

/* Making keys costs the most, so there is a worker for each processor. */
static unsigned workers_for(int64_t items)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t most = processors > WORKERS_MIN ? processors : WORKERS_MIN;

	return (unsigned)(items < most ? items : most);
}

static enum err run(struct renewal *renewal, int64_t items, bulk_work *work,
	struct bulk_tally *tally, struct error *e)
{
	const struct renew_options *options = renewal->options;
	const struct bulk_options bulk = {
		.workers = workers_for(items),
		.rate = options->rate ? options->rate : renewal->config->escrow.max_rate,
		.patience = config_patience(renewal->config),
		.progress = options->progress,
		.ctx = options->ctx,
	};

	tally->total += items;
	return items > 0 ? bulk_run(&bulk, work, renewal, tally, e) : ERR_OK;
}

/* Devices come after all users: a device that is due may belong to a user who is still to come. */
enum err provider_renew(const struct config *config, const struct renew_options *options,
	struct bulk_tally *out, struct error *e)
{
	struct renewal renewal = {.config = config, .options = options};
	int64_t items = 0;
	enum err err = want(config, options, &renewal.wanted, e);

	*out = (struct bulk_tally){.total = 0};
	if (!err)
		err = count_users(&renewal, &items, e);
	if (!err)
		err = run(&renewal, items, renew_users, out, e);
	if (err || out->stopped)
		return err;
	err = count_left(&renewal, &items, e);
	return err ? err : run(&renewal, items, upload_left, out, e);
}

/* --- what it would do */

static enum err list_user(struct store *store, const struct store_renewal *wanted,
	const char *user_uuid, renew_row *row, void *ctx, struct error *e)
{
	struct credential *due = NULL;
	size_t count = 0;
	enum err err = store_renewal_list(store, wanted, user_uuid, &due, &count, e);

	for (size_t i = 0; !err && i < count; i++)
		err = row(ctx, &due[i], e);
	credentials_free(due, count);
	return err;
}

enum err provider_renew_list(const struct config *config, const struct renew_options *options,
	renew_row *row, void *ctx, struct error *e)
{
	const struct store_share all = {.workers = 1};
	struct store_renewal wanted;
	char user_uuid[UUID_SIZE] = "";
	struct store *store = NULL;
	enum err err = want(config, options, &wanted, e);

	if (!err)
		err = store_open(config, &store, e);
	while (!err) {
		err = store_renewal_next(store, &wanted, &all, user_uuid, e);
		if (!err)
			err = list_user(store, &wanted, user_uuid, row, ctx, e);
	}
	store_close(store);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}
