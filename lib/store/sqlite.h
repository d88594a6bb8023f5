#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/engine.h"
#include "store/holder.h"

/* Shared by the files of the SQLite engine. One process, one connection. */

#define STATEMENTS_MAX 144

struct sqlite {
	sqlite3 *db;
	char *path;
	char *gateways;		  /* "\nURL\nURL\n": the configuration's; NULL: it has none */
	int lock;		  /* descriptor of PATH.lock */
	char holder[HOLDER_SIZE]; /* of leases: for sqlite_holder(), of holder_pid */
	pid_t holder_pid;
	int64_t swept_at;	      /* clock_monotonic_ms(): by sqlite_leases_sweep() */
	const struct audit *audit;    /* borrowed */
	const struct blob *key_check; /* borrowed: what sqlite_check_key() wants to see */
	struct {
		const char *sql; /* known again by its address */
		sqlite3_stmt *statement;
	} kept[STATEMENTS_MAX];
	size_t kept_count;
};

/* --- sqlite.c */

/*
 * A write transaction. After sqlite_begin() was ERR_OK, sqlite_end() must follow:
 * it commits if err is ERR_OK, else rolls back, and returns what came of it.
 */
enum err sqlite_begin(struct sqlite *db, struct error *e) must_check;
enum err sqlite_end(struct sqlite *db, enum err err, struct error *e) must_check;

/* --- sqlite_lock.c: writers take turns */

struct stat;

/* database: whose owner shall own the lock, too. */
enum err sqlite_lock_open(
	struct sqlite *db, const struct stat *database, struct error *e) must_check;
void sqlite_lock_remove(const char *database);

/* Waits for ten seconds at most. ERR_UNAVAILABLE. */
enum err sqlite_lock_take(struct sqlite *db, struct error *e) must_check;
void sqlite_lock_release(struct sqlite *db);

/* Another lock, that is kept until the store is closed. ERR_UNAVAILABLE if another has it. */
enum err sqlite_lock_rekey(struct sqlite *db, struct error *e) must_check;

/* --- sqlite_statement.c */

/* A value for a parameter. Borrowed until the statement is done. */
struct value {
	int type;
	int64_t integer;
	const void *data; /* text if type says so; NULL: NULL */
	size_t len;
};

#define VALUE_INTEGER(i)                               \
	{                                              \
		.type = SQLITE_INTEGER, .integer = (i) \
	}
#define VALUE_TEXT(s)                            \
	{                                        \
		.type = SQLITE_TEXT, .data = (s) \
	}
#define VALUE_BLOB(p, n)                                     \
	{                                                    \
		.type = SQLITE_BLOB, .data = (p), .len = (n) \
	}

/* Turns a failure of SQLite into our error; the connection knows which it was. */
enum err sqlite_error(struct sqlite *db, struct error *e);

/*
 * Starts a statement with its parameters ?1, ?2, … set. sql must be a constant that lives as long
 * as the program: it is prepared once and kept. Each start needs a sqlite_done().
 */
enum err sqlite_start(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	sqlite3_stmt **out, struct error *e) must_check;
/* The same, and steps to its first row. ERR_NOT_FOUND if it has none: e is the caller's to fill. */
enum err sqlite_first(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	sqlite3_stmt **out, struct error *e) must_check;
/*
 * As sqlite_start(), for one that was put together, from constants too, and need not have all of
 * the parameters. Not kept: sqlite3_finalize() it.
 */
enum err sqlite_start_once(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, sqlite3_stmt **out, struct error *e) must_check;
enum err sqlite_next(
	struct sqlite *db, sqlite3_stmt *statement, bool *row, struct error *e) must_check;
void sqlite_done(sqlite3_stmt *statement); /* NULL is fine */

/* A statement that gives no rows. */
enum err sqlite_run(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	struct error *e) must_check;
/* One that gives an integer, or fallback where it gives no row. */
enum err sqlite_integer(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, int64_t fallback, int64_t *out, struct error *e) must_check;

/* Copies of a column of the current row. */
enum err sqlite_text(sqlite3_stmt *statement, int column, char **out, struct error *e) must_check;
enum err sqlite_blob(
	sqlite3_stmt *statement, int column, struct blob *out, struct error *e) must_check;

/* --- sqlite_schema.c */

/* ERR_CONFIG unless it is our store, and not newer than this program. */
enum err sqlite_identify(struct sqlite *db, struct error *e) must_check;

/* Brings the schema up to date, from an empty database too. */
enum err sqlite_migrate(struct sqlite *db, struct error *e) must_check;

/* --- sqlite_credential.c */

/* The columns of credential that sqlite_credentials() reads. */
#define CREDENTIAL_BUT_KEY                                                         \
	"id, usage, state, user_uuid, device_uuid, mail, serial, subject, issuer," \
	" not_before, not_after, chain, x''"

/* All that a statement gives; *out is an array for credentials_free(). */
enum err sqlite_credentials(struct sqlite *db, const char *sql, const struct value *values,
	size_t value_count, struct credential **out, size_t *count, struct error *e) must_check;

/* The one with the lowest id above after, in any state; out->id is 0 if there is none. */
enum err sqlite_credential_next(
	struct sqlite *db, int64_t after, struct credential *out, struct error *e) must_check;

/* The id of the owner's active one; 0: there is none. */
enum err sqlite_credential_active(struct sqlite *db, const struct credential_owner *owner,
	int64_t *id, struct error *e) must_check;

/* --- sqlite_request.c */

/* As sqlite_credential_next(). */
enum err sqlite_request_next(
	struct sqlite *db, int64_t after, struct store_request *out, struct error *e) must_check;

/*
 * Inside a write transaction: the owner has a new credential, so the owner's request is of no use
 * any more. issued: the id of the one that it came of, or 0.
 */
enum err sqlite_request_settle(struct sqlite *db, const struct credential_owner *owner,
	int64_t issued, struct error *e) must_check;

/* --- sqlite_claim.c: leases; inside a write transaction */

/* A lease that is longer than any is one from a clock that was wrong. */
#define LEASE_IS_LIVE(now) "lease.until > " now " AND lease.until <= " now " + 3600"
_Static_assert(STORE_LEASE_MAX == 3600, "LEASE_IS_LIVE has it as text");

struct lease {
	const char *device_uuid, *user_uuid;
	int64_t event_id; /* 0: none */
	bool claimed;	  /* else the event came in just now */
};

enum err sqlite_lease_take(
	struct sqlite *db, const struct lease *lease, int64_t until, struct error *e) must_check;
enum err sqlite_lease_end(struct sqlite *db, int64_t event_id, struct error *e) must_check;

/* --- sqlite_holder.c */

/* This process, as a lease has it. */
const char *sqlite_holder(struct sqlite *db);

/*
 * Outside a transaction, before anything that looks at leases: those of processes of this machine
 * that have ended are free, and what the handler had begun is due. Looks once a second at most.
 */
enum err sqlite_leases_sweep(struct sqlite *db, struct error *e) must_check;

/* --- sqlite_audit.c */

/* Inside a write transaction: another entry of the audit trail. */
enum err sqlite_audit(
	struct sqlite *db, const struct store_audit *entry, struct error *e) must_check;

/* A fact about the store itself. ERR_NOT_FOUND. */
enum err sqlite_meta_get(
	struct sqlite *db, const char *name, struct blob *out, struct error *e) must_check;
enum err sqlite_meta_set(struct sqlite *db, const char *name, const void *value, size_t len,
	struct error *e) must_check;

/* --- sqlite_row.c: rows that decide where keys go and what is revoked have MACs */

enum row_kind {
	ROW_USER, /* one that has an address */
	ROW_DEVICE,
	ROW_CREDENTIAL,
	ROW_REVOCATION,
	ROW_EVENT,
	ROW_KIND_COUNT,
};

#define ENDED_BY_OTHER "another user has enrolled the device" /* an audit entry's detail */

/*
 * Each runs a statement that gives ids of rows: a primary key; for a device, both UUIDs with a
 * space between. sign: inside a write transaction, after the statement has written them. Where it
 * changes a row and not all of it, the row is checked first.
 */
enum err sqlite_rows_sign(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, struct error *e) must_check;
/* ERR_ALTERED, naming the row, if one was altered or put in, or is over by the audit trail. */
enum err sqlite_rows_check(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, struct error *e) must_check;
/* They hold still, whatever the audit trail has up to now. One that is altered stays so. */
enum err sqlite_rows_renew(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, struct error *e) must_check;

enum err sqlite_credential_check(struct sqlite *db, int64_t id, struct error *e) must_check;
/* ERR_ALTERED if a revocation was altered or taken back. */
enum err sqlite_revocations_check(struct sqlite *db, struct error *e) must_check;

/* Inside a write transaction: the row is gone, or has another number. */
enum err sqlite_row_forget(
	struct sqlite *db, enum row_kind kind, int64_t id, struct error *e) must_check;

/* --- sqlite_upload.c: inside a write transaction */

/* Writes down an upload's outcome, in the audit trail, too. */
enum err sqlite_upload(
	struct sqlite *db, const struct store_upload *upload, struct error *e) must_check;

/* Devices that get a new credential and have had an upload are due for another. */
enum err sqlite_upload_want(
	struct sqlite *db, const struct credential *credential, struct error *e) must_check;

/* --- sqlite_event.c: inside a write transaction */

/* Marks the device of an unenrollment so, unless it was enrolled again since. */
enum err sqlite_device_unenroll(struct sqlite *db, int64_t event_id, struct error *e) must_check;

/* --- sqlite_credential.c: inside a write transaction */

enum err sqlite_credential_archive(struct sqlite *db, int64_t id, struct error *e) must_check;
/* The user's address is that of a credential from now on. */
enum err sqlite_user_set_mail(struct sqlite *db, const struct credential *credential,
	int64_t address_time, struct error *e) must_check;
/* ERR_UNPROCESSABLE where another user has the address, see store_address_conflict(). */
enum err sqlite_address_free(struct sqlite *db, const struct store_claimant *claimant,
	const char *mail, struct error *e) must_check;
/* Writes into the audit trail what a credential is for, and why it is there. */
enum err sqlite_credential_audit(struct sqlite *db, const struct credential *credential,
	const struct store_place *place, struct error *e) must_check;

/* --- sqlite_rekey.c */

/*
 * Called before a sealed value is added, inside the write transaction: ERR_CONFIG if the master key
 * was changed since it was loaded.
 */
enum err sqlite_check_key(struct sqlite *db, struct error *e) must_check;

/* --- operations of the engine: sqlite_event.c, sqlite_claim.c, sqlite_credential.c,
 * sqlite_request.c, sqlite_renewal.c, sqlite_revocation.c, sqlite_upload.c, sqlite_audit.c,
 * sqlite_list.c, sqlite_rekey.c, sqlite_examine.c, sqlite_access.c, sqlite_enrollment.c,
 * sqlite_reactivate.c
 */

enum err sqlite_audit_key(void *self, struct blob *out, struct error *e) must_check;
enum err sqlite_audit_begin(void *self, const struct blob *sealed_key, struct error *e) must_check;
void sqlite_audit_use(void *self, const struct audit *audit);
enum err sqlite_audit_add(void *self, const struct store_audit *entry, struct error *e) must_check;
enum err sqlite_audit_conflicts(
	void *self, struct store_conflicts *out, struct error *e) must_check;
enum err sqlite_audit_verify(void *self, int64_t *count, struct error *e) must_check;
enum err sqlite_rows_begin(void *self, const struct blob *key_check, struct error *e) must_check;
enum err sqlite_rows_verify(void *self, int64_t *count, struct error *e) must_check;

enum err sqlite_event_add(void *self, const struct store_event *event, int64_t lease, int64_t *id,
	struct error *e) must_check;
enum err sqlite_event_check(void *self, int64_t id, struct error *e) must_check;
enum err sqlite_event_accept(
	void *self, int64_t id, bool shared, bool *accepted, struct error *e) must_check;
enum err sqlite_event_finish(
	void *self, int64_t id, const struct store_end *end, struct error *e) must_check;
enum err sqlite_upload_record(
	void *self, const struct store_upload *upload, struct error *e) must_check;
enum err sqlite_upload_last(void *self, const char *gateway, enum upload_state state, int64_t *at,
	struct error *e) must_check;

enum err sqlite_event_claim(void *self, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_claim *out, struct error *e) must_check;
enum err sqlite_event_turn(void *self, int64_t id, bool *ours, struct error *e) must_check;
enum err sqlite_event_due(
	void *self, const struct store_due *due, int64_t *count, struct error *e) must_check;
enum err sqlite_device_claim(void *self, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e) must_check;
enum err sqlite_device_release(
	void *self, const struct store_pair *pair, struct error *e) must_check;
enum err sqlite_device_enrolled(
	void *self, const struct store_wanted *wanted, int64_t *count, struct error *e) must_check;

enum err sqlite_device_find(void *self, const struct store_pair *pair, char device_uuid[UUID_SIZE],
	struct error *e) must_check;
enum err sqlite_device_known(
	void *self, const char *device_uuid, bool *known, struct error *e) must_check;
enum err sqlite_device_outdated(void *self, const char *user_uuid, const char *mail,
	char at[UUID_SIZE], struct error *e) must_check;

enum err sqlite_credential_current(void *self, const struct credential_owner *owner,
	struct credential *out, struct error *e) must_check;
enum err sqlite_credential_add(void *self, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e) must_check;
enum err sqlite_credential_reactivate(void *self, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e) must_check;
enum err sqlite_address_conflict(void *self, const struct store_claimant *claimant,
	const char *mail, char **other, struct error *e) must_check;
enum err sqlite_user_address(void *self, const char *user_uuid, char **mail, int64_t *address_time,
	struct error *e) must_check;
enum err sqlite_credential_newest(void *self, const char *user_uuid, const char *device_uuid,
	int64_t *id, struct error *e) must_check;
enum err sqlite_credential_archived(void *self, const struct store_earlier *earlier,
	struct credential **out, size_t *count, size_t *left_out, struct error *e) must_check;
enum err sqlite_credential_history(void *self, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e) must_check;

enum err sqlite_request_claim(void *self, const struct store_asking *asking,
	enum request_claim *how, struct store_request *out, struct error *e) must_check;
enum err sqlite_request_add(void *self, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e) must_check;
enum err sqlite_request_release(void *self, const struct store_request *request,
	const struct store_pending *pending, struct error *e) must_check;
enum err sqlite_request_misread(void *self, const struct store_request *request,
	const struct store_misread *misread, struct error *e);
enum err sqlite_request_drop(
	void *self, const struct store_request *request, struct error *e) must_check;

enum err sqlite_access_find(void *self, const struct store_access *access, struct store_barred *out,
	struct error *e) must_check;
enum err sqlite_access_try(void *self, const struct store_access *access, int64_t lease, bool *ours,
	struct error *e) must_check;
enum err sqlite_access_bar(void *self, const struct store_access *access, int64_t wait,
	const char *cause, struct error *e) must_check;
enum err sqlite_access_open(
	void *self, const struct store_access *access, struct error *e) must_check;

enum err sqlite_renewal_next(void *self, const struct store_renewal *wanted,
	const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e) must_check;
enum err sqlite_renewal_count(
	void *self, const struct store_renewal *wanted, int64_t *users, struct error *e) must_check;
enum err sqlite_renewal_list(void *self, const struct store_renewal *wanted, const char *user_uuid,
	struct credential **out, size_t *count, struct error *e) must_check;
enum err sqlite_user_claim(void *self, const char *user_uuid, int64_t lease, bool *claimed,
	struct error *e) must_check;
enum err sqlite_user_keep(
	void *self, const char *user_uuid, int64_t lease, struct error *e) must_check;
enum err sqlite_user_release(void *self, const char *user_uuid, struct error *e) must_check;
enum err sqlite_user_enrollment(void *self, const char *user_uuid, struct blob *out, int64_t *time,
	struct error *e) must_check;

enum err sqlite_credential_find(void *self, const struct store_selection *selection,
	struct credential **out, size_t *count, struct error *e) must_check;
enum err sqlite_credential_unenrolled(void *self, int64_t event_id, bool encryption,
	struct credential **out, size_t *count, struct error *e) must_check;

enum err sqlite_credential_revoke(void *self, int64_t id, enum revocation_reason reason, bool *done,
	struct error *e) must_check;
enum err sqlite_crl_current(void *self, const char *issuer, struct store_crl *out, int64_t *revoked,
	struct error *e) must_check;
enum err sqlite_crl_head(void *self, const char *issuer, struct store_crl *out, int64_t *revoked,
	struct error *e) must_check;
enum err sqlite_crl_begin(void *self, const char *issuer, int64_t *number, int64_t *covers,
	struct store_revoked **out, size_t *count, struct error *e) must_check;
enum err sqlite_crl_publish(
	void *self, const char *issuer, const struct store_crl *crl, struct error *e) must_check;

enum err sqlite_examine(void *self, struct error *e) must_check;

void sqlite_key_use(void *self, const struct blob *key_check);
enum err sqlite_rekey_begin(void *self, struct error *e) must_check;
enum err sqlite_rekey_values(void *self, const char *const names[], size_t count,
	store_renew_value *renew, void *ctx, struct error *e) must_check;
enum err sqlite_rekey_keys(void *self, struct rekey_batch *batch, store_renew_key *renew, void *ctx,
	struct error *e) must_check;
enum err sqlite_flush(void *self, struct error *e) must_check;

enum err sqlite_list(void *self, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e) must_check;
enum err sqlite_count_ending(
	void *self, int64_t from, int64_t before, int64_t *count, struct error *e) must_check;
enum err sqlite_count(
	void *self, int64_t now, struct store_counts *out, struct error *e) must_check;

#endif
