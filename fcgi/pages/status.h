#ifndef FCGI_PAGES_STATUS_H
#define FCGI_PAGES_STATUS_H

#include "base/buf.h"
#include "fcgi/service.h"
#include "provider/barred.h"
#include "provider/expiry.h"
#include "store/store.h"

/*
 * The status page: what it is made from, and its sections. All of it is read from the store, from
 * files and from memory: no CA and no gateway is asked. A section writes itself whole; what the
 * store does not tell it says so in its place.
 */
struct status {
	struct service *service;
	struct store *store;
	const struct store_counts *counts; /* NULL: the store does not answer */
	struct expiry expiries[EXPIRY_COUNT];
	struct barred_ca barred[USAGE_COUNT];
	size_t barred_count;
	struct store_conflicts conflicts;
	const char *query; /* what is looked for; "": nothing */
	int64_t now;
	struct buf *out;
};

/* In place of what the store does not tell; the cause is for the log alone. */
void status_unknown(struct status *status, const struct error *e);

/* The style sheet, for a style element: always the same, and the headers have its hash. */
void status_put_style(struct buf *out);

void status_glance(struct status *status); /* status_glance.c */
bool status_is_well(const struct status *status);
void status_undone(struct status *status); /* status_lists.c */
void status_recent(struct status *status);
void status_certificates(struct status *status);
void status_ends(struct status *status);  /* status_ends.c */
void status_peers(struct status *status); /* status_peers.c */

#endif
