#ifndef STORE_RENEWAL_H
#define STORE_RENEWAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/credential.h"
#include "store/due.h"

/* Renewal: a user at a time, with all enrolled devices of that user. */

struct store;

/*
 * Selects active credentials whose user has an enrolled device. A device's own credential counts
 * only if that device is enrolled.
 */
struct store_renewal {
	const char *user_uuid;	     /* of this user; "": of all */
	int64_t before[USAGE_COUNT]; /* for each usage, those that end before; 0: none */
	bool of_device;		     /* signing credentials: the devices', not the users' */
};

/*
 * Steps to the next user who has such credentials, in the order of UUIDs; the first if user_uuid
 * is "". One of several workers gets only its own share of them. ERR_NOT_FOUND: none is left.
 */
enum err store_renewal_next(struct store *store, const struct store_renewal *wanted,
	const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e) must_check;

/* Counts the users who have such credentials. */
enum err store_renewal_count(struct store *store, const struct store_renewal *wanted,
	int64_t *users, struct error *e) must_check;

/* Reads those of one user, without keys. *out is an array of *count, for credentials_free(). */
enum err store_renewal_list(struct store *store, const struct store_renewal *wanted,
	const char *user_uuid, struct credential **out, size_t *count, struct error *e) must_check;

/*
 * Leases all enrolled devices of a user for so many seconds, or none: *leased is false if another
 * process has leased one of them. store_user_keep() extends the lease.
 */
enum err store_user_lease(struct store *store, const char *user_uuid, int64_t lease, bool *leased,
	struct error *e) must_check;
enum err store_user_keep(
	struct store *store, const char *user_uuid, int64_t lease, struct error *e) must_check;
enum err store_user_release(struct store *store, const char *user_uuid, struct error *e) must_check;

/*
 * Finds the latest enrollment or change of address among the user's enrolled devices that was not
 * refused: *out is its body, *time its time, see store_event. ERR_NOT_FOUND.
 */
enum err store_user_enrollment(struct store *store, const char *user_uuid, struct blob *out,
	int64_t *time, struct error *e) must_check;

#endif
