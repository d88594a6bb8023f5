/* Uploads in bulk what the store has, as it is; nothing new is issued here. */

#include "provider/bulk_upload.h"

#include "base/log.h"
#include "provider/confirm.h"
#include "provider/credential_set.h"
#include "provider/provider_parts.h"
#include "provider/upload.h"

void bulk_settle(const struct bulk_worker *w, const struct store_pair *pair, enum err err,
	const struct error *e)
{
	if (err)
		w->report(w->ctx, pair, err, e->text);
	bulk_count(w->bulk, err);
}

void bulk_settle_busy(const struct bulk_worker *w, const struct store_pair *pair)
{
	w->report(w->ctx, pair, ERR_UNAVAILABLE, "another process is working on it just now");
	bulk_count_busy(w->bulk);
}

static enum err record(struct provider *p, const struct uploads *uploads, struct error *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < uploads->count; i++)
		err = store_upload_record(p->store, &uploads->row[i], e);
	return err;
}

/* The uploads fail until an administrator acts; the status shows them. */
static void refuse(struct provider *p, const struct store_pair *pair, const struct error *why)
{
	log_error("%s", why->text);
	for (size_t i = 0; i < escrow_count(p->escrow); i++) {
		const struct store_upload row = {
			.device_uuid = pair->device_uuid,
			.user_uuid = pair->user_uuid,
			.gateway = escrow_url(p->escrow, i),
			.state = UPLOAD_FAILED,
			.cause = why->text,
			.inputs = p->fingerprint,
		};
		struct error e;

		if (store_upload_record(p->store, &row, &e))
			log_warning("%s", e.text);
	}
}

/*
 * The device may have been unenrolled since it was leased, or be another user's, or its row may be
 * forged.
 */
static enum err check_device(struct bulk_worker *w, const struct store_pair *pair, struct error *e)
{
	char device_uuid[UUID_SIZE];
	enum err err = store_device_find(w->provider->store, pair, device_uuid, e);

	if (!err)
		err = confirm_device(w->provider, pair, e);
	if (err == ERR_ALTERED || err == ERR_FORBIDDEN)
		refuse(w->provider, pair, e);
	return err;
}

enum err bulk_upload_device(
	struct bulk_worker *w, const struct store_device *device, struct error *e)
{
	struct provider *p = w->provider;
	struct credential_set set = {0};
	struct uploads uploads = {.count = 0};
	struct step_times steps;
	struct error unwritten;
	enum err err;

	bulk_wait_turn(w->bulk);
	err = check_device(w, &device->pair, e);
	if (!err)
		err = credential_set_stored(p, &device->pair, &set, e);
	step_times_start(&steps, p->counters);
	if (!err)
		err = upload_set(p, &device->pair, &set, device->tries, &steps, &uploads, e);
	if (record(p, &uploads, &unwritten)) {
		*e = unwritten;
		err = unwritten.code;
	}
	uploads_fini(&uploads);
	credential_set_fini(&set);
	return err;
}

enum err bulk_upload_devices(
	struct bulk_worker *w, const struct store_wanted *wanted, struct error *e)
{
	struct store *store = w->provider->store;
	struct store_device at = {.tries = 0};

	while (bulk_goes_on(w->bulk)) {
		struct error ignored;
		enum err err = store_device_lease(store, wanted, &w->share, &at, e);

		if (err)
			return err == ERR_NOT_FOUND ? ERR_OK : err;
		if (!at.leased) {
			bulk_settle_busy(w, &at.pair);
			continue;
		}
		err = bulk_upload_device(w, &at, e);
		/* An unreleased lease expires on its own. */
		if (store_device_release(store, &at.pair, &ignored))
			log_warning("%s", ignored.text);
		bulk_settle(w, &at.pair, err, e);
	}
	return ERR_OK;
}
