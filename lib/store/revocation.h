#ifndef STORE_REVOCATION_H
#define STORE_REVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "store/credential.h"

/* Revoking credentials, and what revocation lists are made of. */

struct store;

#define STORE_SERIAL_SIZE 41	/* 20 octets, hexadecimal, and a NUL */
#define STORE_AUTHORITY_SIZE 65 /* SHA-256, the same */

/* One of serial, user_uuid and device_uuid is given; the others are "". */
struct store_selection {
	const char *serial;
	const char *user_uuid;
	const char *device_uuid; /* the device's own, not its user's */
	bool active;		 /* only active ones */
};

/*
 * Finds credentials by serial number, user or device: newest first, without keys. To find none is
 * no error: *count is 0.
 */
enum err store_credential_find(struct store *store, const struct store_selection *selection,
	struct credential **out, size_t *count, struct error *e) must_check;

/*
 * The credentials that an unenrollment leaves without use, without keys: the active signing
 * credentials of its device and, of users who have no other enrolled device, their own; with
 * encryption, the encryption credentials of these users, too. Devices and users that enrolled again
 * since are left out.
 */
enum err store_credential_unenrolled(struct store *store, int64_t event_id, bool encryption,
	struct credential **out, size_t *count, struct error *e) must_check;

/*
 * Revokes one. *done is false if it was revoked before: then its time and reason stay.
 * ERR_NOT_FOUND.
 */
enum err store_credential_revoke(struct store *store, int64_t id, enum revocation_reason reason,
	bool *done, struct error *e) must_check;

/* A revocation list of an issuer, as it was published. */
struct store_crl {
	int64_t number;
	char authority[STORE_AUTHORITY_SIZE]; /* the signer's SHA-256 thumbprint */
	int64_t covers;			      /* how many revocations of the issuer it knows */
	int64_t this_update, next_update;
	size_t size;	  /* of the list */
	struct blob list; /* DER; blob_free() */
};

struct store_revoked {
	char serial[STORE_SERIAL_SIZE];
	int64_t revoked_at;
	enum revocation_reason reason;
};

/*
 * Reads the list that is published; *revoked: how many certificates of the issuer are revoked now.
 * ERR_NOT_FOUND if there is none.
 */
enum err store_crl_current(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e) must_check;

/* The same without reading the list itself: out->list is empty. */
enum err store_crl_head(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e) must_check;

/*
 * Gives the data of the next list: a unique number, and the revoked certificates except those that
 * had expired when the published list was signed (RFC 5280, 3.3). *out is an array of *count, for
 * free().
 */
enum err store_crl_begin(struct store *store, const char *issuer, int64_t *number, int64_t *covers,
	struct store_revoked **out, size_t *count, struct error *e) must_check;

/* Publishes a list, unless one with a higher number is published already. */
enum err store_crl_publish(struct store *store, const char *issuer, const struct store_crl *crl,
	struct error *e) must_check;

#endif
