#ifndef PROVIDER_BULK_UPLOAD_H
#define PROVIDER_BULK_UPLOAD_H

#include "base/error.h"
#include "provider/bulk.h"
#include "store/store.h"

struct provider;

/* Uploads in bulk of what the store has, as it is: what deliver and renew share. */

/* One of the processes that share the work. */
struct bulk_worker {
	struct provider *provider;
	struct bulk *bulk;
	struct store_share share;
	/* Each item that did not end as it should. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void *ctx;
};

/* Counts an item, and reports it if it failed; or one that another process is working on. */
void bulk_settle(const struct bulk_worker *worker, const struct store_pair *pair, enum err err,
	const struct error *e);
void bulk_settle_busy(const struct bulk_worker *worker, const struct store_pair *pair);

/* When the rate allows: packs what a device shall have, uploads it, writes down how that ended. */
enum err bulk_upload_device(
	struct bulk_worker *worker, const struct store_device *device, struct error *e) must_check;

/*
 * This worker's share of the devices that are wanted, each leased, uploaded, released and settled.
 * The error is one of all of it.
 */
enum err bulk_upload_devices(
	struct bulk_worker *worker, const struct store_wanted *wanted, struct error *e) must_check;

#endif
