#ifndef STORE_RECONCILIATION_H
#define STORE_RECONCILIATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What a comparison of the store with UEM needs, and what the latest one has found. */

struct store;
struct store_pair;

/* A device that UEM has as enrolled. */
enum store_heard {
	STORE_HEARD,   /* it is that user's here, too, or an event of it is not finished */
	STORE_UNHEARD, /* its enrollment was missed */
	STORE_ENDED, /* it was unenrolled here, and UEM does not say that it enrolled again since */
};

/*
 * enrolled_at: when it enrolled, seconds UTC; 0: UEM does not say. A failed event whose cause
 * begins with not_confirmed counts for nothing: UEM now says what it did not confirm then.
 */
enum err store_reconciliation_look(struct store *store, const struct store_pair *pair,
	int64_t enrolled_at, const char *not_confirmed, enum store_heard *out,
	struct error *e) must_check;

typedef enum err store_enrolled_row(
	void *ctx, const struct store_pair *pair, int64_t enrolled_at, struct error *e);

/* Calls row for each enrolled device of each user, in the order of device UUIDs. */
enum err store_reconciliation_enrolled(
	struct store *store, store_enrolled_row *row, void *ctx, struct error *e) must_check;

/* *out: a user has the device, and no enrollment of it was received at or after that time. */
enum err store_reconciliation_is_old(struct store *store, const char *device_uuid, int64_t time,
	bool *out, struct error *e) must_check;

struct store_reconciliation {
	int64_t at; /* when it began, seconds UTC; 0: there was none yet */
	int64_t missed_enrollments, missed_unenrollments;
};

enum err store_reconciliation_note(
	struct store *store, const struct store_reconciliation *done, struct error *e) must_check;
/* The latest one. */
enum err store_reconciliation_last(
	struct store *store, struct store_reconciliation *out, struct error *e) must_check;

#endif
