#ifndef STORE_CONFIRMATION_H
#define STORE_CONFIRMATION_H

#include <stdint.h>

#include "base/error.h"

/* When UEM last confirmed that a device is enrolled, and that user's. */

struct store;
struct store_pair;

/* Writes down that UEM has confirmed the pair now. */
enum err store_confirmation_note(
	struct store *store, const struct store_pair *pair, struct error *e) must_check;

/*
 * When UEM last confirmed the pair, in seconds UTC; 0: never. A time in the future was written by a
 * wrong clock and counts as never.
 */
enum err store_confirmation_time(struct store *store, const struct store_pair *pair, int64_t *at,
	struct error *e) must_check;

#endif
