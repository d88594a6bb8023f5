#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* The audit trail. */

struct store;

enum audit_action {
	AUDIT_RECEIVED,	  /* an event was recorded */
	AUDIT_REQUESTED,  /* a certificate, of a CA that decides later */
	AUDIT_DROPPED,	  /* such a request: refused, or of no use any more */
	AUDIT_ISSUED,	  /* a first certificate, or one for another address or in place of an
			     expired one */
	AUDIT_RETURNED,	  /* an earlier certificate is current again, as its address came back */
	AUDIT_RENEWED,	  /* a certificate that ends, or has ended */
	AUDIT_UPLOADED,	  /* a gateway has accepted an upload */
	AUDIT_REFUSED,	  /* for good: an event by us or the CA, an upload by a gateway */
	AUDIT_UNENROLLED, /* a device */
	AUDIT_CONFLICT,	  /* an enrollment asks for another user's address */
	AUDIT_REVOKED,	  /* a certificate */
	AUDIT_RECOVERY_REQUESTED, /* a user's encryption keys are about to be handed out */
	AUDIT_RECOVERY_FAILED,	  /* … and were not */
	AUDIT_RECOVERED,	  /* … and were */
	AUDIT_REKEYED,		  /* all private keys were sealed anew */
	AUDIT_ACTION_COUNT,
};

extern const char *const audit_action_names[AUDIT_ACTION_COUNT]; /* "received", … */

/*
 * The audit trail: actor, action, time and request id. Entries are appended in the transaction of
 * the change itself by the operations below, and never altered. Each entry is chained to the one
 * before by a MAC. A caller adds facts that an operation does not know.
 */
struct store_audit { /* NULL is "" */
	enum audit_action action;
	const char *device_uuid, *user_uuid, *serial;
	const char *detail; /* no secrets */
};

enum err store_audit_add(
	struct store *store, const struct store_audit *entry, struct error *e) must_check;

/* Events that asked for an address of another user, since the trail began. */
struct store_conflicts {
	int64_t count;
	int64_t at; /* the latest one; 0: there was none */
	char user_uuid[UUID_SIZE];
	char detail[ERROR_TEXT_MAX]; /* "a@example.com is the address of user …" */
};

enum err store_audit_conflicts(
	struct store *store, struct store_conflicts *out, struct error *e) must_check;

/* Reads all of it. *count: how many entries. ERR_CONFIG, naming the first entry that is not as it
 * was written, or missing. */
enum err store_audit_verify(struct store *store, int64_t *count, struct error *e) must_check;

/*
 * Reads the rows that decide where keys go and what is revoked, and compares them with their MACs
 * and with the trail. *count: how many. ERR_ALTERED, naming the first one that was altered, put in
 * or deleted by somebody without the master key. Operations that use such a row refuse it, too.
 */
enum err store_rows_verify(struct store *store, int64_t *count, struct error *e) must_check;

#endif
