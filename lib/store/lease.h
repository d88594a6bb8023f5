#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/device.h"

struct store;

/*
 * Leases: a process leases a device with its user, until a time. No other process leases the same
 * meanwhile; if the process dies, the lease expires on its own.
 */
#define STORE_LEASE_MAX 3600

/*
 * For a leased event: is it its turn? An enrollment waits for the process that has leased its
 * device and user; an unenrollment, for all that was begun with its device before.
 */
enum err store_event_turn(struct store *store, int64_t id, bool *ours, struct error *e) must_check;

/* Ends the lease of a device, as store_device_lease() took it. */
enum err store_device_release(
	struct store *store, const struct store_pair *pair, struct error *e) must_check;

/* --- for the files of lib/store: inside a write transaction */

/* A lease that is longer than any is one from a clock that was wrong. $2 is now. */
#define LEASE_IS_LIVE "lease.until > $2 AND lease.until <= $2 + 3600"
_Static_assert(STORE_LEASE_MAX == 3600, "LEASE_IS_LIVE has it as text");

struct lease {
	const char *device_uuid, *user_uuid;
	int64_t event_id; /* 0: none */
	bool taken_up;	  /* by a run; else the event came in just now */
};

enum err lease_take(
	struct store *store, const struct lease *lease, int64_t until, struct error *e) must_check;
enum err lease_end(struct store *store, int64_t event_id, struct error *e) must_check;

#endif
