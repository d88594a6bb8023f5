#ifndef PROVIDER_UNFINISHED_CAUSES_H
#define PROVIDER_UNFINISHED_CAUSES_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/list.h"

/* The causes why events, and uploads without an event, are pending or have failed. */

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
 * Gathers the causes of one state, "pending" or "failed". An upload counts only if its device and
 * user have no open event: else the event has the cause.
 */
enum err unfinished_causes_gather(struct store *store, const char *state,
	struct unfinished_causes *out, struct error *e) must_check;

#endif
