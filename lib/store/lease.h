#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "store/device.h"

struct store;

/*
 * Leases: a process leases a device with its user, until a time. No other process leases the same
 * meanwhile; if the process dies, the lease expires on its own. One of several workers leases only
 * its own share, so that each item is leased once in a run.
 */
#define STORE_LEASE_MAX 3600

/* Nothing becomes due later than so many seconds from now. */
#define STORE_WAIT_MAX 3600

struct store_share {
	unsigned worker, workers; /* worker: 0 to workers - 1 */
	int64_t lease;		  /* seconds */
};

/* An event to take up, freed with store_leased_event_fini(). */
struct store_leased_event {
	int64_t id;
	bool leased;   /* to us; false: its device and user are leased to another process */
	int64_t tries; /* before this one */
	int64_t received_at;
	struct store_pair pair; /* the user's UUID may be "" */
	char *request_id;
	struct blob payload;
};

void store_leased_event_fini(struct store_leased_event *event);

/*
 * Selects the events to take up. Pending: when its time has come, or the inputs of the last try
 * have changed. Failed: when the inputs have changed. With now: both, in any case.
 */
struct store_due {
	bool now;
	const char *inputs; /* a digest of the configuration and of the files that it names */
};

/*
 * Leases the event with the lowest id above after that is due. Left out: what is leased, unless due
 * is now, and an event with a later pending one of the same device and user, which will deliver
 * both; that of a change of address is a later change. ERR_NOT_FOUND: none is left.
 */
enum err store_event_lease(struct store *store, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_leased_event *out,
	struct error *e) must_check;

/*
 * For a leased event: is it its turn? An enrollment waits for the process that has leased its
 * device and user; an unenrollment, for all that was begun with its device before.
 */
enum err store_event_turn(struct store *store, int64_t id, bool *ours, struct error *e) must_check;

/* Counts the events that store_event_lease() would find at this moment. */
enum err store_event_due(struct store *store, const struct store_due *due, int64_t *count,
	struct error *e) must_check;

/* Which enrolled devices. */
struct store_wanted {
	struct store_pair filter;    /* these alone */
	const struct store_due *due; /* with an upload that is due, and no pending event; or NULL */
	bool in_hand;  /* with due: those of the filter's user, whom the caller has leased */
	bool by_event; /* with due: of these, those with an event; none is leased */
};

/* One of them, and how often its upload was tried since it is due. */
struct store_device {
	struct store_pair pair;
	bool leased; /* to us; false: to another process */
	int64_t tries;
};

/*
 * Steps *at to the next enrolled device and user that is wanted, in the order of their UUIDs; the
 * first if its pair is empty. A leased one is so until store_device_release(). ERR_NOT_FOUND:
 * none is left.
 */
enum err store_device_lease(struct store *store, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e) must_check;
enum err store_device_release(
	struct store *store, const struct store_pair *pair, struct error *e) must_check;

/* Counts the enrolled devices, with their users, that are wanted. */
enum err store_device_enrolled(struct store *store, const struct store_wanted *wanted,
	int64_t *count, struct error *e) must_check;

/* --- for the files of lib/store: inside a write transaction */

/* A lease that is longer than any is one from a clock that was wrong. $2 is now. */
#define LEASE_IS_LIVE "lease.until > $2 AND lease.until <= $2 + 3600"
_Static_assert(STORE_LEASE_MAX == 3600, "LEASE_IS_LIVE has it as text");

/*
 * A number from 0 to 15 of a UUID, one digit of it, by which workers share what is to be done. One
 * alone works on all that is a device's, so that none of them meets a lease of the same run and
 * leaves it out.
 */
#define SHARE_OF(uuid)                                                                \
	"CASE substr(" uuid ", 8, 1) WHEN '1' THEN 1 WHEN '2' THEN 2 WHEN '3' THEN 3" \
	"	WHEN '4' THEN 4 WHEN '5' THEN 5 WHEN '6' THEN 6 WHEN '7' THEN 7"            \
	"	WHEN '8' THEN 8 WHEN '9' THEN 9 WHEN 'a' THEN 10 WHEN 'b' THEN 11"          \
	"	WHEN 'c' THEN 12 WHEN 'd' THEN 13 WHEN 'e' THEN 14 WHEN 'f' THEN 15"        \
	"	ELSE 0 END"

struct lease {
	const char *device_uuid, *user_uuid;
	int64_t event_id; /* 0: none */
	bool taken_up;	  /* by a run; else the event came in just now */
};

enum err lease_take(
	struct store *store, const struct lease *lease, int64_t until, struct error *e) must_check;
enum err lease_end(struct store *store, int64_t event_id, struct error *e) must_check;

#endif
