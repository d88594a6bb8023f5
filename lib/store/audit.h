#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "store/states.h"

/* The audit trail. */

struct store;

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

/*
 * Reads all of it. *count: how many entries. ERR_ALTERED, naming the first entry that is not as it
 * was written, or missing.
 */
enum err store_audit_verify(struct store *store, int64_t *count, struct error *e) must_check;

/* --- for the files of lib/store */

/*
 * Once the keys are loaded: makes the trail ready for entries, begins it if there is none. A store
 * of an earlier version gets the MACs of its rows.
 */
enum err audit_open(struct store *store, struct error *e) must_check;

/* Inside a write transaction: another entry. */
enum err audit_append(
	struct store *store, const struct store_audit *entry, struct error *e) must_check;

#endif
