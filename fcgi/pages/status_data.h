#ifndef FCGI_PAGES_STATUS_DATA_H
#define FCGI_PAGES_STATUS_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "fcgi/service.h"
#include "provider/barred_peer.h"
#include "provider/expiry.h"
#include "store/reconciliation.h"
#include "store/store.h"

/*
 * What the status page is made from. All of it is read from the store, from files and from memory:
 * no CA and no gateway is asked. A section reads the lists that it alone shows.
 */
struct status_data {
	struct service *service;
	struct store *store;
	bool store_answers; /* false: all counts are 0 */
	struct store_counts counts;
	struct store_conflicts conflicts;
	struct store_reconciliation reconciled; /* only with [uem] */
	struct expiry expiries[EXPIRY_COUNT];
	struct barred_peer barred[BARRED_PEERS_MAX];
	size_t barred_count;
	const char *query; /* what is looked for; "": nothing */
	int64_t now;
	struct buf *out; /* where the sections are written to */
};

/* Logs what cannot be read; query and out are borrowed. */
void status_data_read(
	struct service *service, const char *query, struct buf *out, struct status_data *status);

/* Written in place of what the store did not answer; the cause is for the log alone. */
void status_data_missing(const struct status_data *status, const struct error *e);

#endif
