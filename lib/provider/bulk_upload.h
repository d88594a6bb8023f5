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
	/* Called for each item that was not done. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void *ctx;
};

/* Count an item and report it, unless it is done; or one that another process works on. */
void bulk_settle(const struct bulk_worker *w, const struct store_pair *pair, enum err err,
	const struct error *e);
void bulk_settle_busy(const struct bulk_worker *w, const struct store_pair *pair);

/* Waits for the rate, packs what a device shall have, uploads it and records the result. */
enum err bulk_upload_device(
	struct bulk_worker *w, const struct store_device *device, struct error *e) must_check;

/*
 * Leases, uploads, releases and settles each wanted device of this worker's share. An error that it
 * returns is none of a single device.
 */
enum err bulk_upload_devices(
	struct bulk_worker *w, const struct store_wanted *wanted, struct error *e) must_check;

#endif
