#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

struct store;

/*
 * Leases: a process leases a device with its user, until a time. No other process claims the same
 * meanwhile; if the process dies, the lease expires on its own. One of several workers claims only
 * its own share, so that each item is claimed once in a run.
 */
#define STORE_LEASE_MAX 3600

/* Nor is anything due later than so many seconds from now. */
#define STORE_WAIT_MAX 3600

struct store_share {
	unsigned worker, workers; /* worker: 0 to workers - 1 */
	int64_t lease;		  /* seconds */
};

/* A leased event, freed with store_claim_fini(). */
struct store_claim {
	int64_t id;
	int64_t tries; /* before this one */
	int64_t received_at;
	char device_uuid[UUID_SIZE];
	char user_uuid[UUID_SIZE]; /* or "" */
	char *request_id;
	struct blob payload;
};

void store_claim_fini(struct store_claim *claim);

/*
 * Selects the events to take up. Pending: when its time has come, or the inputs of the last try
 * have changed. Failed: when the inputs have changed. With now: both, in any case.
 */
struct store_due {
	bool now;
	const char *inputs; /* a digest of all that could make a difference */
};

/*
 * Claims the event with the lowest id above after that is due. Left out: what is leased, and
 * an event with a later pending one of the same device and user, which will deliver both.
 * ERR_NOT_FOUND: none is left.
 */
enum err store_event_claim(struct store *store, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_claim *out, struct error *e) must_check;

/*
 * For a leased event: is it its turn? An enrollment waits for the process that has claimed its
 * device and user; an unenrollment, for all that was begun with its device before.
 */
enum err store_event_turn(struct store *store, int64_t id, bool *ours, struct error *e) must_check;

/* Returns the number of events that could be claimed at this moment. */
enum err store_event_due(struct store *store, const struct store_due *due, int64_t *count,
	struct error *e) must_check;

/* A device and its user. In a filter, "" is any. */
struct store_pair {
	char device_uuid[UUID_SIZE];
	char user_uuid[UUID_SIZE];
};

/* Which enrolled devices. */
struct store_wanted {
	struct store_pair filter;    /* these alone */
	const struct store_due *due; /* with an upload that is due, and no pending event; or NULL */
	bool in_hand; /* with due: those of the filter's user, whom the caller has claimed */
};

/* One of them: whether it is in our hands, and how often its upload was tried since it is due. */
struct store_device {
	struct store_pair pair;
	bool claimed; /* false: another process has leased it */
	int64_t tries;
};

/*
 * Steps *at to the next enrolled device and user that is wanted, in the order of their UUIDs; the
 * first if its pair is empty. A claimed one is leased until store_device_release(). ERR_NOT_FOUND:
 * none is left.
 */
enum err store_device_claim(struct store *store, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e) must_check;
enum err store_device_release(
	struct store *store, const struct store_pair *pair, struct error *e) must_check;

/* An enrolled device of a user: that one, or with "" the latest. ERR_NOT_FOUND. */
enum err store_device_find(struct store *store, const struct store_pair *pair,
	char device_uuid[UUID_SIZE], struct error *e) must_check;

/* Does anybody know that device: has it been enrolled, or is an enrollment of it open? */
enum err store_device_known(
	struct store *store, const char *device_uuid, bool *known, struct error *e) must_check;

/*
 * Steps *at to the user's next enrolled device whose own signing certificate is for another mail
 * address, in the order of their UUIDs; the first if it is "". ERR_NOT_FOUND: none is left.
 */
enum err store_device_outdated(struct store *store, const char *user_uuid, const char *mail,
	char at[UUID_SIZE], struct error *e) must_check;

/* Counts the enrolled devices, with their users, that are wanted. */
enum err store_device_enrolled(struct store *store, const struct store_wanted *wanted,
	int64_t *count, struct error *e) must_check;

#endif
