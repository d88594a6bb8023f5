/*
 * Makes up for events that never came: takes each difference between UEM and the store for an
 * event, and handles it like one. Which differences there are is reconcile_plan.c's.
 */
#include "provider/reconcile.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "provider/attempt.h"
#include "provider/bulk_upload.h"
#include "provider/confirm.h"
#include "provider/handle_event.h"
#include "provider/provider.h"
#include "provider/provider_parts.h"
#include "provider/reconcile_plan.h"
#include "store/reconciliation.h"

/* More would not help: UEM and the gateway take most of the time. */
#define WORKERS 4

#define BODY_MAX 8192

/* In memory that parent and workers share: what is known only once an item is looked at. */
struct found {
	atomic_llong enrollments, unenrollments, userless, staging;
};

/* The arguments of all workers. */
struct reconciliation {
	const struct config *config;
	const struct reconcile_options *options;
	const struct reconcile_plan *plan;
	struct found *found;
	char run[LOG_REQUEST_SIZE];
};

/* --- is it still so? */

struct look {
	bool wanted;		     /* there is something to do */
	const struct uem_user *user; /* of an enrollment; borrowed until UEM is asked again */
};

/* A device of a staging user is somebody's only later, by another enrollment. */
static enum err look_at_user(struct provider *p, const struct reconcile_item *item,
	struct found *found, struct look *out, struct error *e)
{
	enum err err = confirm_user(p, item->pair.user_uuid, false, &out->user, e);

	if (err && err != ERR_FORBIDDEN)
		return err;
	out->wanted = !err && !out->user->staging;
	if (err)
		atomic_fetch_add(&found->userless, 1);
	else if (out->user->staging)
		atomic_fetch_add(&found->staging, 1);
	return ERR_OK;
}

/* Events may have come since the list was read. */
static enum err look_again(const struct reconcile_plan *plan, struct provider *p,
	const struct reconcile_item *item, struct found *found, struct look *out, struct error *e)
{
	enum store_heard heard = STORE_HEARD;
	bool old = false;
	enum err err;

	*out = (struct look){.wanted = false};
	if (item->device) {
		err = store_reconciliation_look(
			p->store, &item->pair, item->device->enrolled_at, NOT_CONFIRMED, &heard, e);
		return !err && heard == STORE_UNHEARD ? look_at_user(p, item, found, out, e) : err;
	}
	err = store_reconciliation_is_old(p->store, item->pair.device_uuid, plan->began, &old, e);
	if (err || !old)
		return err;
	err = item->confirmed ? ERR_OK : confirm_unenrolled(p, &item->pair, e);
	out->wanted = !err;
	return err == ERR_FORBIDDEN ? ERR_OK : err;
}

/* --- as an event */

static void print_member(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_printf(out, ",\"%s\":", name);
	buf_json_string(out, value);
}

/* The time is that of the list: an unenrollment that came since is the later one. */
static void print_enrollment(const struct reconcile_plan *plan, const struct reconcile_item *item,
	const struct uem_user *user, struct buf *out)
{
	char time[CLOCK_RFC3339_SIZE];

	clock_rfc3339(plan->began, time);
	buf_puts(out, "{\"EventId\":148,\"EventType\":\"Enrollment found by certprov reconcile\"");
	print_member(out, "EventTime", time);
	print_member(out, "DeviceUUID", item->pair.device_uuid);
	print_member(out, "DeviceFriendlyName", item->device->name);
	print_member(out, "Platform", item->device->platform);
	print_member(out, "EnrollmentUserUUID", item->pair.user_uuid);
	print_member(out, "EnrollmentUserName", item->device->user_name);
	print_member(out, "EnrollmentEmailAddress", user->field[UEM_EMAIL_ADDRESS]);
	buf_puts(out, "}");
}

/* Without a time, as UEM does not say when it was: it counts as just behind the latest event. */
static void print_unenrollment(const struct reconcile_item *item, struct buf *out)
{
	buf_puts(out, "{\"EventType\":\"Unenrollment found by certprov reconcile\"");
	print_member(out, "DeviceUUID", item->pair.device_uuid);
	buf_puts(out, "}");
}

static enum err handle(struct provider *p, const struct reconciliation *r,
	const struct reconcile_item *item, const struct look *look, struct error *e)
{
	/* by_hand: UEM has been asked about an unenrollment already */
	struct attempt attempt = {.provider = p, .by_hand = !item->device};
	struct buf body = BUF_INIT(BODY_MAX);
	enum err err;

	if (item->device)
		print_enrollment(r->plan, item, look->user, &body);
	else
		print_unenrollment(item, &body);
	err = buf_check(&body, e);
	if (!err)
		err = handle_event(&attempt, body.data, body.len, e);
	if (attempt.id)
		atomic_fetch_add(
			item->device ? &r->found->enrollments : &r->found->unenrollments, 1);
	event_result_fini(&attempt.result);
	buf_free(&body);
	return err;
}

/* --- the workers */

static void do_item(struct bulk_worker *w, const struct reconciliation *r, size_t number)
{
	const struct reconcile_item *item = &r->plan->item[number];
	char id[LOG_REQUEST_SIZE];
	struct look look;
	struct error e;
	enum err err;

	bulk_wait_turn(w->bulk);
	snprintf(id, sizeof(id), "%.40s-%zu", r->run, number + 1);
	log_set_request(id);
	err = look_again(r->plan, w->provider, item, r->found, &look, &e);
	if (!err && look.wanted)
		err = handle(w->provider, r, item, &look, &e);
	log_set_request(r->run);
	bulk_settle(w, &item->pair, err, &e);
}

static enum err run(
	void *ctx, struct bulk *bulk, unsigned worker, unsigned workers, struct error *e)
{
	const struct reconciliation *r = ctx;
	struct bulk_worker w = {
		.bulk = bulk,
		.report = r->options->report,
		.ctx = r->options->ctx,
	};
	enum err err = provider_open(r->config, &w.provider, e);

	if (!err)
		w.provider->bulk = true;
	for (size_t i = worker; !err && i < r->plan->count && bulk_goes_on(bulk); i += workers)
		do_item(&w, r, i);
	provider_close(w.provider);
	return err;
}

static enum err run_all(struct reconciliation *r, struct bulk_tally *tally, struct error *e)
{
	const struct bulk_options bulk = {
		.workers = tally->total < WORKERS ? (unsigned)tally->total : WORKERS,
		.rate = r->options->rate ? r->options->rate : r->config->escrow.max_rate,
		.patience = config_patience(r->config),
		.progress = r->options->progress,
		.ctx = r->options->ctx,
	};

	snprintf(r->run, sizeof(r->run), "%s", log_request());
	return tally->total > 0 ? bulk_run(&bulk, run, r, tally, e) : ERR_OK;
}

/* --- the whole */

/* The provider that makes the plan; it is closed before workers start. */
static enum err make_plan(const struct config *config, struct reconcile_plan *plan, struct error *e)
{
	enum err err = ERR_OK;

	if (!config->uem.url)
		err = error_set(e, ERR_CONFIG,
			"%s: there is no [uem], so nobody can be asked for the enrolled devices",
			config->path);
	if (!err)
		err = provider_open(config, &plan->p, e);
	return err ? err : reconcile_plan_make(plan, e);
}

static enum err new_found(struct found **out, struct error *e)
{
	void *memory = mmap(NULL, sizeof(struct found), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return error_memory(e);
	*out = memory;
	return ERR_OK;
}

static void take_found(struct found *found, struct reconcile_result *out)
{
	out->enrollments += atomic_load(&found->enrollments);
	out->unenrollments += atomic_load(&found->unenrollments);
	out->userless += atomic_load(&found->userless);
	out->staging += atomic_load(&found->staging);
	munmap(found, sizeof(*found));
}

/* A run that was stopped is none: the next one continues it. */
static enum err note(const struct config *config, const struct reconcile_plan *plan,
	const struct reconcile_result *result, struct error *e)
{
	const struct bulk_tally *tally = &result->tally;
	const struct store_reconciliation done = {
		.at = plan->began,
		.missed_enrollments = result->enrollments,
		.missed_unenrollments = result->unenrollments,
	};
	struct store *store = NULL;
	enum err err;

	if (tally->stopped && tally->done + tally->pending + tally->failed < tally->total)
		return ERR_OK;
	err = store_open(config, &store, e);
	if (!err)
		err = store_reconciliation_note(store, &done, e);
	store_close(store);
	return err;
}

enum err provider_reconcile(const struct config *config, const struct reconcile_options *options,
	struct reconcile_result *out, struct error *e)
{
	struct reconcile_plan plan = {.result = out};
	struct reconciliation r = {.config = config, .options = options, .plan = &plan};
	enum err err;

	*out = (struct reconcile_result){.listed = 0};
	err = make_plan(config, &plan, e);
	provider_close(plan.p);
	plan.p = NULL;
	if (!err)
		err = new_found(&r.found, e);
	if (!err) {
		out->tally.total = (int64_t)plan.count;
		err = run_all(&r, &out->tally, e);
		take_found(r.found, out);
	}
	if (!err)
		err = note(config, &plan, out, e);
	reconcile_plan_fini(&plan);
	return err;
}

static enum err list_item(const struct reconcile_plan *plan, const struct reconcile_item *item,
	struct found *found, reconcile_row *row, void *ctx, struct error *e)
{
	struct look look;
	enum err err = look_again(plan, plan->p, item, found, &look, e);

	if (err || !look.wanted)
		return err;
	atomic_fetch_add(item->device ? &found->enrollments : &found->unenrollments, 1);
	return row(ctx, &item->pair, item->device, e);
}

enum err provider_reconcile_list(const struct config *config, reconcile_row *row, void *ctx,
	struct reconcile_result *out, struct error *e)
{
	struct reconcile_plan plan = {.result = out};
	struct found *found = NULL;
	enum err err;

	*out = (struct reconcile_result){.listed = 0};
	err = make_plan(config, &plan, e);
	if (!err)
		err = new_found(&found, e);
	if (!err)
		plan.p->bulk = true;
	for (size_t i = 0; !err && i < plan.count; i++)
		err = list_item(&plan, &plan.item[i], found, row, ctx, e);
	if (found)
		take_found(found, out);
	reconcile_plan_fini(&plan);
	provider_close(plan.p);
	return err;
}
