#ifndef STORE_ADDRESS_H
#define STORE_ADDRESS_H

#include "store/credential.h"

/* Mail addresses of users. */

/*
 * Reads the mail address of the user's latest credential; *mail is to be freed. *address_time is
 * the time of the latest event that brought this address; 0: not known. ERR_NOT_FOUND: the user has
 * had no credential.
 */
enum err store_user_address(struct store *store, const char *user_uuid, char **mail,
	int64_t *address_time, struct error *e) must_check;

/* Which earlier credential of an owner may become the active one again. */
struct store_return {
	const char *mail;  /* for that mailbox */
	int64_t not_after; /* in force until then, at least */
	const struct store_place *place;
};

/*
 * Makes the owner's newest credential for that mailbox the active one again, if it is archived and
 * in force. The credential then counts as new: every enrolled device is due for an upload. *done is
 * false, and nothing is written, if there is no such credential, or if another process has replaced
 * the active one meanwhile.
 */
enum err store_credential_reactivate(struct store *store, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e) must_check;

/* The text of store_address_conflict(): the mail address, and the other user. */
#define STORE_ADDRESS_CONFLICT                                                                    \
	"%s is the address of another user, %s, with an active certificate and another enrolled " \
	"device"

/*
 * Finds another user who has an active certificate for that mailbox and an enrolled device other
 * than the claimant's. *other: "zenny (UUID)", to be freed. ERR_NOT_FOUND: there is none.
 */
enum err store_address_conflict(struct store *store, const struct store_claimant *claimant,
	const char *mail, char **other, struct error *e) must_check;

/* --- for the files of lib/store: inside a write transaction */

/* Makes the credential's address the user's. */
enum err user_set_mail(struct store *store, const struct credential *credential,
	int64_t address_time, struct error *e) must_check;

/* Returns ERR_UNPROCESSABLE if another user has the address, see store_address_conflict(). */
enum err address_free(struct store *store, const struct store_claimant *claimant, const char *mail,
	struct error *e) must_check;

#endif
