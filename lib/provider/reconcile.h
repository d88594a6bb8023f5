#ifndef PROVIDER_RECONCILE_H
#define PROVIDER_RECONCILE_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "provider/bulk.h"
#include "store/store.h"
#include "uem/device.h"

/*
 * Compares the store with UEM, which sends each event only once. A device that UEM has as enrolled
 * and as a user's, and that we never heard of, is enrolled; one of ours that UEM does not have as
 * enrolled is unenrolled, as [events] on-unenroll says. Both go the way of an event.
 *
 * A device that was unenrolled here is left alone, unless UEM says that it enrolled again since: it
 * may be a lost one.
 */

struct reconcile_options {
	unsigned rate; /* events a second; 0: [escrow] max-rate */
	/* Called for each item that was not done; err's meaning says if it is tried again. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void (*progress)(void *ctx, const struct bulk_tally *tally); /* or NULL */
	void *ctx;
};

struct reconcile_result {
	struct bulk_tally tally;	    /* of devices that needed a look */
	int64_t listed;			    /* devices that UEM has as enrolled */
	int64_t enrollments, unenrollments; /* that were missed */
	int64_t userless;		    /* left out: UEM has no user for them */
	int64_t staging;		    /* left out: their users enroll devices for others */
	int64_t ended;			    /* left out: unenrolled here */
	int64_t unread;			    /* objects of UEM's that name no device or no state */
};

/*
 * Does so. Several processes share the work: it must not have a provider or store open. Without
 * [uem]: ERR_CONFIG. ERR_UNAVAILABLE, ERR_BARRED: UEM could not list its devices, and nothing was
 * done. Failures of single devices are in *out, which is filled in any case. A run that ends early
 * is continued by the next one.
 */
enum err provider_reconcile(const struct config *config, const struct reconcile_options *options,
	struct reconcile_result *out, struct error *e) must_check;

/* device: as UEM has it; NULL: an unenrollment was missed. */
typedef enum err reconcile_row(
	void *ctx, const struct store_pair *pair, const struct uem_device *device, struct error *e);

/* Calls row for each missed event, and changes nothing. *out has no tally. */
enum err provider_reconcile_list(const struct config *config, reconcile_row *row, void *ctx,
	struct reconcile_result *out, struct error *e) must_check;

#endif
