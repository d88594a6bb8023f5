#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/error.h"
#include "base/text.h"

#define STORE_SERIAL_SIZE 41	/* 20 octets, hexadecimal, and a NUL */
#define STORE_AUTHORITY_SIZE 65 /* SHA-256, the same */

/*
 * What the product remembers: events, credentials, uploads, devices, users.
 * Operations in the terms of the domain; an engine is one file behind them.
 * Each writing operation is one durable transaction. UUIDs are lower case.
 *
 * Errors: ERR_UNAVAILABLE when the engine is busy or out of reach, ERR_CONFIG for
 * a store that is missing, of another version or of another master key,
 * ERR_NOT_FOUND where said, ERR_INTERNAL for all else.
 */
struct store;

/* First set-up: master key file (0600) and an empty store. ERR_CONFIG if one is there already. */
enum err store_init(const struct config *config, struct error *e) must_check;

/* Opens it, brings its schema up to date, checks the master key against it. */
enum err store_open(const struct config *config, struct store **out, struct error *e) must_check;
void store_close(struct store *store);

/* Does it answer? */
enum err store_ping(struct store *store, struct error *e) must_check;

/* --- the audit trail */

enum audit_action {
	AUDIT_RECEIVED,	  /* an event was recorded */
	AUDIT_ISSUED,	  /* a first certificate, or one for another address or in place of an
			     expired one */
	AUDIT_RENEWED,	  /* a certificate that ends, or has ended */
	AUDIT_UPLOADED,	  /* a gateway has accepted an upload */
	AUDIT_REFUSED,	  /* for good: an event by us or the CA, an upload by a gateway */
	AUDIT_UNENROLLED, /* a device */
	AUDIT_REVOKED,	  /* a certificate */
	AUDIT_RECOVERED,  /* a user's encryption keys were handed out */
	AUDIT_REKEYED,	  /* all private keys were sealed anew */
	AUDIT_ACTION_COUNT,
};

extern const char *const audit_action_names[AUDIT_ACTION_COUNT]; /* "received", … */

/*
 * Who did what, when, under which request id: appended in the transaction of the change itself by
 * the operations below, and never altered. Each entry is chained to the one before by a MAC.
 * What an operation does not know, a caller adds.
 */
struct store_audit { /* NULL is "" */
	enum audit_action action;
	const char *device_uuid, *user_uuid, *serial;
	const char *detail; /* no secrets */
};

enum err store_audit_add(
	struct store *store, const struct store_audit *entry, struct error *e) must_check;

/* Reads all of it. *count: how many entries. ERR_CONFIG, naming the first entry that is not as it
 * was written, or missing. */
enum err store_audit_verify(struct store *store, int64_t *count, struct error *e) must_check;

/* --- events */

enum event_state {
	EVENT_STATE_PENDING,   /* recorded; not all is done yet */
	EVENT_STATE_DELIVERED, /* the gateways have the credentials */
	EVENT_STATE_RECORDED,  /* it asked for no credentials */
	EVENT_STATE_FAILED,    /* refused for good: needs a person */
	EVENT_STATE_COUNT,
};

struct store_event {
	int64_t id; /* set by the store */
	int64_t received_at;
	const char *request_id;
	const char *kind; /* "enrolled", "unenrolled" */
	bool known;	  /* of a device that is enrolled already: it stays as it is */
	const char *event_type;
	const char *device_uuid;
	const char *user_uuid; /* "" where the event has none */
	const char *user_name;
	const char *device_name;
	const char *platform;
	const char *payload; /* the body as it came */
	size_t payload_len;
};

/*
 * Records an event as pending, and what enrolls, with its user: from here on it cannot be lost.
 * It is leased to the caller for so many seconds, and due again should he not live to
 * finish it.
 */
enum err store_event_add(struct store *store, const struct store_event *event, int64_t lease,
	int64_t *id, struct error *e) must_check;

struct store_upload;

/* How an attempt at an event ended. */
struct store_end {
	enum event_state state;
	const char *cause;  /* of what is pending or failed; NULL is "" */
	int64_t next_at;    /* pending: due again then */
	const char *inputs; /* failed: what it was tried with, see store_due; NULL is "" */
	const struct store_upload *upload; /* the uploads it made, written down with it */
	size_t upload_count;
};

/*
 * Ends an attempt at an event; tries + 1. Delivered: earlier pending or failed events of the same
 * device and user are delivered with it. An unenrolled device is marked so by
 * EVENT_STATE_RECORDED, unless it was enrolled again since; its earlier enrollments
 * then ask for nothing any more. What is delivered or recorded is not opened again.
 * Ends the lease. ERR_NOT_FOUND.
 */
enum err store_event_finish(
	struct store *store, int64_t id, const struct store_end *end, struct error *e) must_check;

/*
 * Leases: what a process works on is a device with its user, until a time. No other
 * claims the same meanwhile; should the process die, the lease ends by itself. One of
 * several workers claims only its own share, so that each item is claimed once in a
 * run.
 */
#define STORE_LEASE_MAX 3600

struct store_share {
	unsigned worker, workers; /* worker: 0 to workers - 1 */
	int64_t lease;		  /* seconds */
};

/* An event in hand, freed with store_claim_fini(). */
struct store_claim {
	int64_t id;
	int64_t tries; /* before this one */
	char device_uuid[UUID_SIZE];
	char user_uuid[UUID_SIZE]; /* or "" */
	char *request_id;
	struct blob payload;
};

void store_claim_fini(struct store_claim *claim);

/*
 * What is to be taken up. Pending: when its time has come. Failed: when what it was tried with
 * has changed since. With now both, in any case.
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
 * For an event in hand: is it its turn? An enrollment waits for who has claimed its device and
 * user; an unenrollment, for all that was begun with its device before.
 */
enum err store_event_turn(struct store *store, int64_t id, bool *ours, struct error *e) must_check;

/* How many events could be claimed at this moment. */
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
	bool claimed; /* false: another has it in hand */
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

/*
 * Steps *at to the user's next enrolled device whose own signing certificate is for another mail
 * address, in the order of their UUIDs; the first if it is "". ERR_NOT_FOUND: none is left.
 */
enum err store_device_outdated(struct store *store, const char *user_uuid, const char *mail,
	char at[UUID_SIZE], struct error *e) must_check;

/* How many enrolled devices, with their users, are wanted. */
enum err store_device_enrolled(struct store *store, const struct store_wanted *wanted,
	int64_t *count, struct error *e) must_check;

/* --- credentials: a certificate, its chain and its private key */

enum credential_state {
	CREDENTIAL_ACTIVE,
	CREDENTIAL_ARCHIVED, /* replaced or expired */
	CREDENTIAL_REVOKED,
	CREDENTIAL_STATE_COUNT,
};

/* Whose credential: encryption keys belong to the user, signing keys to a device or a user. */
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
	char device_uuid[UUID_SIZE]; /* "": the user's, for all his devices */
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

/* A new credential's place. */
struct store_place {
	int64_t replaces;	  /* the id of the active one, which becomes archived; 0: none */
	enum audit_action action; /* AUDIT_ISSUED or AUDIT_RENEWED */
	const char *why;	  /* for the audit trail; NULL is "" */
	int64_t address_time;	  /* of the event that its mail address is from; 0: not known */
};

/*
 * Makes credential the owner's active one, and sets its id. Every enrolled device that shall have
 * it and has had an upload is due for another. Where by now another one than the one that it
 * replaces is active, that one wins: *won is false and nothing was stored. The caller then drops
 * its own and asks for the current one.
 */
enum err store_credential_add(struct store *store, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e) must_check;

/*
 * The mail address of the user's latest credential, to be freed, and the time of the latest event
 * that a credential for it was made for, 0: not known. ERR_NOT_FOUND if he has had none.
 */
enum err store_user_address(struct store *store, const char *user_uuid, char **mail,
	int64_t *address_time, struct error *e) must_check;

/*
 * What an upload carries as archived: the user's earlier encryption credentials and the
 * earlier signing credentials of that user on that device, or, with signing_scope user,
 * of that user; newest first, at most max; *left_out: how many there are beyond. *out is an array
 * of *count, each to be credential_fini()ed, and freed.
 */
enum err store_credential_archived(struct store *store, const char *user_uuid,
	const char *device_uuid, size_t max, struct credential **out, size_t *count,
	size_t *left_out, struct error *e) must_check;

/*
 * For key recovery: the user's encryption credentials in every state, keys unsealed, newest
 * first; with a serial number other than "" only that one's. Signing credentials are never
 * among them. None is no error: *count is 0. *out as above.
 */
enum err store_credential_history(struct store *store, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e) must_check;

/* --- renewal: a user at a time, with all his enrolled devices */

/*
 * Which active credentials, of those whose user has an enrolled device; or, for a device's own,
 * where that one is enrolled.
 */
struct store_renewal {
	const char *user_uuid;	     /* whose; "": any */
	int64_t before[USAGE_COUNT]; /* those of that usage that end before; 0: none */
	bool of_device;		     /* signing: the devices' own, not the users' */
};

/*
 * Steps to the next user who has such credentials, in the order of UUIDs; the first if user_uuid
 * is "". One of several workers gets only its own share of them. ERR_NOT_FOUND: none is left.
 */
enum err store_renewal_next(struct store *store, const struct store_renewal *wanted,
	const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e) must_check;

/* How many such users. */
enum err store_renewal_count(struct store *store, const struct store_renewal *wanted,
	int64_t *users, struct error *e) must_check;

/* One user's, without keys. *out is an array of *count, for credentials_free(). */
enum err store_renewal_list(struct store *store, const struct store_renewal *wanted,
	const char *user_uuid, struct credential **out, size_t *count, struct error *e) must_check;

/*
 * Leases all enrolled devices of a user for so many seconds, or none: *claimed is false where
 * another has one of them in hand. store_user_keep() begins the time anew.
 */
enum err store_user_claim(struct store *store, const char *user_uuid, int64_t lease, bool *claimed,
	struct error *e) must_check;
enum err store_user_keep(
	struct store *store, const char *user_uuid, int64_t lease, struct error *e) must_check;
enum err store_user_release(struct store *store, const char *user_uuid, struct error *e) must_check;

/* The body of the latest enrollment among his enrolled devices. ERR_NOT_FOUND. */
enum err store_user_enrollment(
	struct store *store, const char *user_uuid, struct blob *out, struct error *e) must_check;

/* --- revocation */

struct store_selection { /* "" is any, but one of them is given */
	const char *serial;
	const char *user_uuid;
	const char *device_uuid; /* of its own: what is the user's is not among it */
	bool active;		 /* others are left out */
};

/* By serial number, user or device, newest first, without keys. None is no error: *count is 0. */
enum err store_credential_find(struct store *store, const struct store_selection *selection,
	struct credential **out, size_t *count, struct error *e) must_check;

/*
 * What an unenrollment leaves without use, without keys: the active signing credentials of its
 * device and, of users who have no other enrolled device, their own; with encryption, the
 * encryption credentials of these users, too. Whoever enrolled again since is left out.
 */
enum err store_credential_unenrolled(struct store *store, int64_t event_id, bool encryption,
	struct credential **out, size_t *count, struct error *e) must_check;

/* *done is false where it was revoked before: time and reason stay. ERR_NOT_FOUND. */
enum err store_credential_revoke(struct store *store, int64_t id, enum revocation_reason reason,
	bool *done, struct error *e) must_check;

/* A list of an issuer's, as it went out. */
struct store_crl {
	int64_t number;
	char authority[STORE_AUTHORITY_SIZE]; /* the signer's SHA-256 thumbprint */
	int64_t covers;			      /* the issuer's revocations by then */
	int64_t this_update, next_update;
	struct blob list; /* DER */
};

struct store_revoked {
	char serial[STORE_SERIAL_SIZE];
	int64_t revoked_at;
	enum revocation_reason reason;
};

/* The one that is out, and how many are revoked by now. ERR_NOT_FOUND if there is none. */
enum err store_crl_current(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e) must_check;

/*
 * What the next list is made of: a number that nobody else gets, and the revoked certificates but
 * those that had expired when the list that is out was signed (RFC 5280, 3.3). *out is an array of
 * *count, freed with free().
 */
enum err store_crl_begin(struct store *store, const char *issuer, int64_t *number, int64_t *covers,
	struct store_revoked **out, size_t *count, struct error *e) must_check;

/* It is the one that is out, unless one with a higher number is already. */
enum err store_crl_publish(struct store *store, const char *issuer, const struct store_crl *crl,
	struct error *e) must_check;

/* --- uploads: one row for each device, user and gateway */

enum upload_state {
	UPLOAD_PENDING,
	UPLOAD_DELIVERED,
	UPLOAD_FAILED,
	UPLOAD_STATE_COUNT,
};

struct store_upload {
	const char *device_uuid;
	const char *user_uuid;
	const char *gateway;  /* URL */
	const char *contents; /* serials, "signing:ab…,encryption:cd…": what was in it */
	int64_t newest;	      /* the highest id of a credential that was in it */
	size_t left_out;      /* how many earlier credentials it had no room for */
	enum upload_state state;
	const char *cause;  /* "" when delivered */
	int64_t next_at;    /* pending: due again then */
	const char *inputs; /* failed: what it was tried with, see store_due; NULL is "" */
};

/*
 * Writes down how an attempt ended: tries + 1, and the time. Where the device was due for a newer
 * credential meanwhile, a delivered one leaves it pending.
 */
enum err store_upload_record(
	struct store *store, const struct store_upload *upload, struct error *e) must_check;

/* --- looking at it */

enum store_table {
	STORE_DEVICES,
	STORE_USERS,
	STORE_CERTIFICATES,
	STORE_UPLOADS,
	STORE_EVENTS,
	STORE_AUDIT,
	STORE_TABLE_COUNT,
};

extern const char *const store_table_names[STORE_TABLE_COUNT]; /* "devices", … */

struct store_filter {	    /* "" and 0: any */
	const char *user;   /* user UUID, or user name */
	const char *device; /* device UUID, or its friendly name */
	const char *state;
	int64_t expires_before; /* certificates only */
};

/* A column's value, as text; times are RFC 3339, numbers decimal, NULL where there is none. */
struct store_column {
	const char *name; /* "device_uuid", … */
	const char *value;
	bool number;
};

typedef enum err store_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e);

/*
 * Calls row for each row that the filter lets through, newest first. An error of row
 * ends it; row must not use the store. ERR_USAGE for a state that the table does not
 * have.
 */
enum err store_list(struct store *store, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e) must_check;

struct store_counts {
	int64_t devices, devices_unenrolled, users;
	int64_t certificates[USAGE_COUNT][CREDENTIAL_STATE_COUNT];
	int64_t expired, expiring_7d, expiring_30d,
		expiring_60d; /* active ones, by time left; each within the next */
	int64_t uploads[UPLOAD_STATE_COUNT];
	int64_t events[EVENT_STATE_COUNT];
	int64_t oldest_pending; /* received_at of the oldest pending event, 0: none */
	int64_t left_out;	/* devices whose last upload had no room for all earlier ones */
};

enum err store_count(
	struct store *store, int64_t now, struct store_counts *out, struct error *e) must_check;

extern const char *const event_state_names[EVENT_STATE_COUNT];
extern const char *const credential_state_names[CREDENTIAL_STATE_COUNT];
extern const char *const upload_state_names[UPLOAD_STATE_COUNT];

#endif
