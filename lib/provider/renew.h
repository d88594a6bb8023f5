#ifndef PROVIDER_RENEW_H
#define PROVIDER_RENEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "provider/bulk.h"
#include "store/store.h"

/* Replaces certificates that end. */

struct renew_options {
	int64_t within;		   /* seconds; -1: [certificates] renew-within */
	bool now;		   /* whenever they end; needs user_uuid */
	bool usages[USAGE_COUNT];  /* of those that the configuration asks for */
	char user_uuid[UUID_SIZE]; /* this one alone; "": any */
	unsigned rate;		   /* uploads a second; 0: [escrow] max-rate */
	/* Called for each failed item. pair has no device if the item is the user's. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void (*progress)(void *ctx, const struct bulk_tally *tally); /* or NULL */
	void *ctx;
};

/*
 * Replaces active certificates that end within that time, of users with enrolled devices, and
 * uploads the new sets, one for each device; then everything else that is due for an upload. For
 * the rest as provider_deliver().
 */
enum err provider_renew(const struct config *config, const struct renew_options *options,
	struct bulk_tally *out, struct error *e) must_check;

typedef enum err renew_row(void *ctx, const struct credential *credential, struct error *e);

/* Calls row for each of these certificates, without its key; an error of row ends it. */
enum err provider_renew_list(const struct config *config, const struct renew_options *options,
	renew_row *row, void *ctx, struct error *e) must_check;

#endif
