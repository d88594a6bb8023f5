#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "config/vocabulary.h"
#include "store/audit.h"
#include "store/states.h"

/* Credentials: a certificate, its chain and its private key. */

struct store;

/*
 * The owner of a credential: encryption keys belong to the user, signing keys to a device or a
 * user.
 */
struct credential_owner {
	enum usage usage;
	const char *user_uuid;
	const char *device_uuid; /* "": the user's */
};

struct credential {
	int64_t id; /* set by the store */
	enum usage usage;
	enum credential_state state;
	char user_uuid[UUID_SIZE];
	char device_uuid[UUID_SIZE]; /* "": the user's, for all devices */
	char *mail;
	char *serial; /* lower-case hexadecimal */
	char *subject;
	char *issuer;
	int64_t not_before;
	int64_t not_after;
	struct blob chain; /* DER, leaf first, one behind the other */
	struct blob key;   /* PKCS#8, plain: sealed by the store, wiped by credential_fini() */
};

void credential_fini(struct credential *credential);
void credentials_free(
	struct credential *credentials, size_t count); /* an array, and what is in it */

/* The active one, key unsealed. ERR_NOT_FOUND if there is none. */
enum err store_credential_current(struct store *store, const struct credential_owner *owner,
	struct credential *out, struct error *e) must_check;

/* The enrollment that asks for an address. */
struct store_claimant {
	const char *user_uuid, *device_uuid;
	bool holder_may; /* a user who has an active certificate for the address may keep it */
};

/* A new credential's place. */
struct store_place {
	int64_t replaces;	  /* the id of the active one, which becomes archived; 0: none */
	enum audit_action action; /* AUDIT_ISSUED or AUDIT_RENEWED */
	const char *why;	  /* for the audit trail; NULL is "" */
	int64_t address_time;	  /* of the event that its mail address is from; 0: not known */
	int64_t request;	  /* the id of the store_request that was answered; 0: none */
	const struct store_claimant
		*claimant; /* no other user may have the address; NULL: one may */
};

/*
 * Makes credential the owner's active one, and sets its id. Each enrolled device that needs it and
 * has had an upload becomes due for another. The owner's request to a CA is removed. If meanwhile
 * another credential than place->replaces has become active, that one wins: *won is false, and
 * nothing is stored. The caller then drops its own and asks for the current one.
 */
enum err store_credential_add(struct store *store, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e) must_check;

/* The highest id of the credentials for a device of the user, of any usage and state; 0: none. */
enum err store_credential_newest(struct store *store, const char *user_uuid,
	const char *device_uuid, int64_t *id, struct error *e) must_check;

struct store_earlier { /* whose, and how many at most */
	const char *user_uuid, *device_uuid;
	bool encrypts; /* the active encryption credential is uploaded as the current one */
	size_t max;
};

/*
 * The archived credentials of an upload: the user's earlier encryption credentials and the earlier
 * signing credentials of that user on that device, or of that user; newest first; *left_out: how
 * many there are beyond. *out is an array of *count, each to be credential_fini()ed, and freed.
 */
enum err store_credential_archived(struct store *store, const struct store_earlier *earlier,
	struct credential **out, size_t *count, size_t *left_out, struct error *e) must_check;

/*
 * For key recovery: the user's encryption credentials in every state, keys unsealed, newest
 * first; with a serial number other than "" only that one's. Signing credentials are never
 * among them. None is no error: *count is 0. *out as above.
 */
enum err store_credential_history(struct store *store, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e) must_check;

/* --- for the files of lib/store */

/* As store_credential_current(), key sealed. */
enum err credential_current_sealed(struct store *store, const struct credential_owner *owner,
	struct credential *out, struct error *e) must_check;

/* The one with the lowest id above after, in any state, key sealed; out->id is 0: there is none. */
enum err credential_next(
	struct store *store, int64_t after, struct credential *out, struct error *e) must_check;

/* The id of the owner's active one; 0: there is none. */
enum err credential_active(struct store *store, const struct credential_owner *owner, int64_t *id,
	struct error *e) must_check;

/* Inside a write transaction. */
enum err credential_archive(struct store *store, int64_t id, struct error *e) must_check;

/* Inside a write transaction: writes into the trail what a credential is for, and why. */
enum err credential_audit(struct store *store, const struct credential *credential,
	const struct store_place *place, struct error *e) must_check;

#endif
