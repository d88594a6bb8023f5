#ifndef PROVIDER_UNFINISHED_CAUSES_H
#define PROVIDER_UNFINISHED_CAUSES_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/list.h"

/* Why events, and uploads without one, are pending or have failed: one line a cause. */

#define UNFINISHED_CAUSES_MAX 20

struct unfinished_cause {
	char text[ERROR_TEXT_MAX];
	int64_t count;
	char since[CLOCK_RFC3339_SIZE]; /* the oldest one's time */
	char device_uuid[UUID_SIZE];	/* of one of them */
};

struct unfinished_causes {
	struct unfinished_cause cause[UNFINISHED_CAUSES_MAX]; /* the most frequent first */
	size_t count;
	int64_t others; /* events and uploads of further causes */
};

/*
 * Of those in that state, "pending" or "failed". An upload counts only where no event of its device
 * and user is open: its cause is the event's.
 */
enum err unfinished_causes_gather(struct store *store, const char *state,
	struct unfinished_causes *out, struct error *e) must_check;

#endif
