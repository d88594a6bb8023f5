#ifndef PROVIDER_DELIVER_H
#define PROVIDER_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "provider/bulk.h"
#include "store/store.h"

/* Finishes in bulk what was recorded. */

struct deliver_options {
	bool again;		  /* what the gateways have had already, instead of events */
	bool now;		  /* events: all that are pending, due or not, or failed */
	struct store_pair filter; /* again: "" is any */
	unsigned rate;		  /* a second; 0: [escrow] max-rate */
	/* Called for each item that was not delivered; err's meaning says if it is tried again. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void (*progress)(void *ctx, const struct bulk_tally *tally); /* or NULL */
	void *ctx;
};

/*
 * Finishes recorded events from the step that failed, each tried once; or uploads again what the
 * store has for enrolled devices, and makes nothing new. Several processes share the work: it must
 * not have a provider or store open. report is called in those. Two at once, and one beside the
 * handler, never work on the same device and user. The error is one of all of it; failures of
 * single items are in *out, which is filled in any case.
 */
enum err provider_deliver(const struct config *config, const struct deliver_options *options,
	struct bulk_tally *out, struct error *e) must_check;

#endif
