#ifndef STORE_ROW_MAC_H
#define STORE_ROW_MAC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Rows that decide where keys go and what is revoked have MACs. Somebody who can write the
 * database, and has no master key, can neither put in such a row nor alter one. An earlier state of
 * a row has a MAC that was right once: that it is over is in the audit trail.
 */

struct db_value;
struct store;

/*
 * Reads these rows, and compares them with their MACs and with the trail. *count: how many.
 * ERR_ALTERED, naming the first one that was altered, put in or deleted by somebody without the
 * master key. Operations that use such a row refuse it, too.
 */
enum err store_rows_verify(struct store *store, int64_t *count, struct error *e) must_check;

/* --- for the files of lib/store */

enum row_kind {
	ROW_USER, /* one that has an address */
	ROW_DEVICE,
	ROW_CREDENTIAL,
	ROW_REVOCATION,
	ROW_EVENT,
	ROW_KIND_COUNT,
};

#define ENDED_BY_OTHER "another user has enrolled the device" /* an audit entry's detail */

/* Gives all rows their MACs, as they are, and notes in the key check that they have. */
enum err rows_begin(struct store *store, struct error *e) must_check;

/*
 * Each runs a statement that gives ids of rows: a primary key; for a device, both UUIDs with a
 * space between. sign: inside a write transaction, after the statement has written them. Where it
 * changes a row and not all of it, the row is checked first.
 */
enum err rows_sign(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, struct error *e) must_check;
/* ERR_ALTERED, naming the row, if one was altered or put in, or is over by the audit trail. */
enum err rows_check(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, struct error *e) must_check;
/* They hold still, whatever the audit trail has up to now. One that is altered stays so. */
enum err rows_renew(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, struct error *e) must_check;

/* The same for one row, by its id. */
enum err row_sign(struct store *store, enum row_kind kind, int64_t id, struct error *e) must_check;
enum err row_check(struct store *store, enum row_kind kind, int64_t id, struct error *e) must_check;
enum err device_row_sign(struct store *store, const char *device_uuid, const char *user_uuid,
	struct error *e) must_check;
enum err device_row_check(struct store *store, const char *device_uuid, const char *user_uuid,
	struct error *e) must_check;

/* ERR_ALTERED if a revocation was altered or taken back. */
enum err revocations_check(struct store *store, struct error *e) must_check;

/* Inside a write transaction: the row is gone, or has another number. */
enum err row_forget(
	struct store *store, enum row_kind kind, int64_t id, struct error *e) must_check;

#endif
