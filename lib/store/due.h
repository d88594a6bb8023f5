#ifndef STORE_DUE_H
#define STORE_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "store/device.h"

struct store;

/* The longest wait, in seconds: nothing becomes due later than this. */
#define STORE_WAIT_MAX 3600

/* One of several workers leases only its own share, so that each item is leased once in a run. */
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
 * both. A change of address is left out only for a later change. ERR_NOT_FOUND: none is left.
 */
enum err store_event_lease(struct store *store, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_leased_event *out,
	struct error *e) must_check;

/* Counts the events that store_event_lease() would find at this moment. */
enum err store_event_due(struct store *store, const struct store_due *due, int64_t *count,
	struct error *e) must_check;

/* Selects enrolled devices. */
struct store_wanted {
	struct store_pair filter;    /* "": any */
	const struct store_due *due; /* with an upload that is due, and no pending event; or NULL */
	bool in_hand;  /* with due: those of the filter's user, whom the caller has leased */
	bool by_event; /* with due: those of the user with an unfinished event; none is leased */
};

/* A device, and how often its upload was tried since it became due. */
struct store_device {
	struct store_pair pair;
	bool leased; /* to us; false: to another process */
	int64_t tries;
};

/*
 * Steps *at to the next wanted device with its user, in the order of their UUIDs; to the first if
 * at->pair is empty. A device that was leased stays so until store_device_release().
 * ERR_NOT_FOUND: none is left.
 */
enum err store_device_lease(struct store *store, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e) must_check;

/* Counts the enrolled devices, with their users, that are wanted. */
enum err store_device_enrolled(struct store *store, const struct store_wanted *wanted,
	int64_t *count, struct error *e) must_check;

/* --- for the files of lib/store */

/*
 * Workers share the work by one digit of a UUID, 0 to 15. All work on one device falls to the same
 * worker; otherwise a worker could meet another one's lease and leave the device out of the run.
 */
#define SHARE_OF(uuid)                                                                \
	"CASE substr(" uuid ", 8, 1) WHEN '1' THEN 1 WHEN '2' THEN 2 WHEN '3' THEN 3" \
	"	WHEN '4' THEN 4 WHEN '5' THEN 5 WHEN '6' THEN 6 WHEN '7' THEN 7"            \
	"	WHEN '8' THEN 8 WHEN '9' THEN 9 WHEN 'a' THEN 10 WHEN 'b' THEN 11"          \
	"	WHEN 'c' THEN 12 WHEN 'd' THEN 13 WHEN 'e' THEN 14 WHEN 'f' THEN 15"        \
	"	ELSE 0 END"

#endif
