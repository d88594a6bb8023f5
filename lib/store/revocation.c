/* Revocation: which credentials to revoke, revoking one, and the data of revocation lists. */
#include "store/revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/change_alone.h"
#include "store/audit.h"
#include "store/credential_row.h"
#include "store/handle.h"
#include "store/row_mac.h"

/* --- credentials to revoke, read without their keys */

enum err store_credential_find(struct store *store, const struct store_selection *selection,
	struct credential **out, size_t *count, struct error *e)
{
	static const char by_serial[] = "SELECT " CREDENTIAL_BUT_KEY " FROM credential"
					" WHERE serial = $1 AND (NOT $2 OR state = 'active')"
					" ORDER BY id DESC";
	static const char by_user[] = "SELECT " CREDENTIAL_BUT_KEY " FROM credential"
				      " WHERE user_uuid = $1 AND (NOT $2 OR state = 'active')"
				      " ORDER BY id DESC";
	static const char by_device[] = "SELECT " CREDENTIAL_BUT_KEY " FROM credential"
					" WHERE device_uuid = $1 AND device_uuid != ''"
					"	AND (NOT $2 OR state = 'active')"
					" ORDER BY id DESC";
	const char *sql = by_device, *what = selection->device_uuid;

	if (*selection->serial) {
		sql = by_serial;
		what = selection->serial;
	} else if (*selection->user_uuid) {
		sql = by_user;
		what = selection->user_uuid;
	}
	const struct db_value values[] = {DB_TEXT(what), DB_BOOLEAN(selection->active)};

	return credentials_read(store, sql, values, ARRAY_LEN(values), out, count, e);
}

/*
 * A device with a pending unenrollment counts as gone: if a user's last two devices go at the same
 * moment, one of the two events sees the other.
 */
enum err store_credential_unenrolled(struct store *store, int64_t event_id, bool encryption,
	struct credential **out, size_t *count, struct error *e)
{
	static const char sql[] =
		"WITH gone AS (SELECT d.device_uuid, d.user_uuid FROM device AS d"
		"		JOIN event AS v USING (device_uuid)"
		"		WHERE v.id = $1 AND v.kind = 'unenrolled' AND d.event_id < $1),"
		"	alone AS (SELECT user_uuid FROM gone AS g WHERE NOT EXISTS"
		"		(SELECT 1 FROM device AS o WHERE o.user_uuid = g.user_uuid"
		"			AND o.device_uuid != g.device_uuid AND o.state = 'enrolled'"
		"			AND NOT EXISTS (SELECT 1 FROM event AS w"
		"				WHERE w.device_uuid = o.device_uuid"
		"				AND w.kind = 'unenrolled'"
		"				AND w.state IN ('pending', 'failed')"
		"				AND w.id > o.event_id)))"
		" SELECT " CREDENTIAL_BUT_KEY " FROM credential"
		" WHERE state || '' = 'active' AND (usage = 'signing' OR $2)"
		"	AND user_uuid IN (SELECT user_uuid FROM gone)"
		"	AND ((user_uuid, device_uuid) IN"
		"		(SELECT user_uuid, device_uuid FROM gone)"
		"	OR (device_uuid = '' AND user_uuid IN (SELECT user_uuid FROM alone)))"
		" ORDER BY id DESC";
	const struct db_value values[] = {DB_INTEGER(event_id), DB_BOOLEAN(encryption)};

	return credentials_read(store, sql, values, ARRAY_LEN(values), out, count, e);
}

static enum err read_reason(const char *text, enum revocation_reason *out, struct error *e)
{
	int reason =
		text ? vocabulary_find(revocation_reason_names, REVOCATION_REASON_COUNT, text) : -1;

	if (!text)
		return error_memory(e);
	if (reason < 0)
		return error_set(e, ERR_CONFIG, "revocation: unknown reason '%.40s'", text);
	*out = (enum revocation_reason)reason;
	return ERR_OK;
}

/* --- one certificate */

static enum err is_revoked(struct store *store, int64_t id, bool *revoked, struct error *e)
{
	static const char sql[] = "SELECT CASE WHEN state = 'revoked' THEN 1 ELSE 0 END"
				  " FROM credential WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id)};
	int64_t found = -1;
	enum err err = db_integer(store->db, sql, values, ARRAY_LEN(values), -1, &found, e);

	if (!err && found < 0)
		err = error_set(e, ERR_NOT_FOUND, "%s: no credential %lld", db_name(store->db),
			(long long)id);
	*revoked = found == 1;
	return err;
}

static enum err audit_revoked(
	struct store *store, int64_t id, enum revocation_reason reason, struct error *e)
{
	static const char sql[] =
		"SELECT device_uuid, user_uuid, serial FROM credential WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id)};
	struct store_audit entry = {
		.action = AUDIT_REVOKED, .detail = revocation_reason_names[reason]};
	struct db_rows *row = NULL;
	bool found = false;
	enum err err = db_start(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = db_next(row, &found, e);
	if (!err && found) {
		entry.device_uuid = db_column_text(row, 0);
		entry.user_uuid = db_column_text(row, 1);
		entry.serial = db_column_text(row, 2);
		err = audit_append(store, &entry, e);
	}
	db_done(row);
	return err;
}

static enum err revoke(
	struct store *store, int64_t id, enum revocation_reason reason, struct error *e)
{
	static const char set_state[] =
		"UPDATE credential SET state = 'revoked', updated_at = $2 WHERE id = $1";
	static const char add[] =
		"INSERT INTO revocation (credential_id, issuer, serial, not_after, revoked_at,"
		"	reason)"
		" SELECT id, issuer, serial, not_after, $2, $3 FROM credential WHERE id = $1";
	const struct db_value values[] = {
		DB_INTEGER(id), DB_INTEGER(clock_now()), DB_TEXT(revocation_reason_names[reason])};
	enum err err = db_run(store->db, set_state, values, ARRAY_LEN(values), e);

	if (!err)
		err = row_sign(store, ROW_CREDENTIAL, id, e);
	if (!err)
		err = db_run(store->db, add, values, ARRAY_LEN(values), e);
	if (!err)
		err = row_sign(store, ROW_REVOCATION, id, e);
	return err ? err : audit_revoked(store, id, reason, e);
}

static enum err revoke_once(
	struct store *store, int64_t id, enum revocation_reason reason, bool *done, struct error *e)
{
	bool revoked = false;
	enum err err = is_revoked(store, id, &revoked, e);

	if (!err)
		err = row_check(store, ROW_CREDENTIAL, id, e);
	if (!err && !revoked)
		err = revoke(store, id, reason, e);
	*done = !revoked;
	return err;
}

enum err store_credential_revoke(
	struct store *store, int64_t id, enum revocation_reason reason, bool *done, struct error *e)
{
	bool now = false;
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = revoke_once(store, id, reason, &now, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*done = now;
	return err;
}

/* --- the list that is out */

static enum err read_head(struct db_rows *row, struct store_crl *out, struct error *e)
{
	const char *authority = db_column_text(row, 4);

	if (!authority)
		return error_memory(e);
	*out = (struct store_crl){
		.number = db_column_integer(row, 0),
		.covers = db_column_integer(row, 1),
		.this_update = db_column_integer(row, 2),
		.next_update = db_column_integer(row, 3),
		.size = (size_t)db_column_integer(row, 6),
	};
	snprintf(out->authority, sizeof(out->authority), "%s", authority);
	return ERR_OK;
}

/* A database knows the length of a blob without reading it. */
#define CRL_HEAD                                                               \
	"SELECT published, covers, this_update, next_update, authority,"       \
	"	(SELECT count(*) FROM revocation AS r WHERE r.issuer = crl.issuer)," \
	"	length(list)"
#define CRL_FROM " FROM crl WHERE issuer = $1 AND published > 0"

static enum err read_crl(struct store *store, const char *sql, bool list, const char *issuer,
	struct store_crl *out, int64_t *revoked, struct error *e)
{
	const struct db_value values[] = {DB_TEXT(issuer)};
	struct store_crl crl = {.number = 0};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "\"%s\" has no revocation list yet", issuer);
	if (!err)
		err = read_head(row, &crl, e);
	if (!err && list)
		err = db_copy_blob(row, 7, &crl.list, e);
	if (!err) {
		*revoked = db_column_integer(row, 5);
		*out = crl;
	}
	db_done(row);
	return err;
}

enum err store_crl_current(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e)
{
	return read_crl(store, CRL_HEAD ", list" CRL_FROM, true, issuer, out, revoked, e);
}

enum err store_crl_head(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e)
{
	return read_crl(store, CRL_HEAD CRL_FROM, false, issuer, out, revoked, e);
}

/* --- the next one */

static enum err take_number(
	struct store *store, const char *issuer, int64_t *number, int64_t *covers, struct error *e)
{
	static const char count[] = "INSERT INTO crl (issuer, number) VALUES ($1, 1)"
				    " ON CONFLICT (issuer) DO UPDATE SET number = crl.number + 1"
				    " RETURNING number";
	static const char revoked[] = "SELECT count(*) FROM revocation WHERE issuer = $1";
	const struct db_value values[] = {DB_TEXT(issuer)};
	enum err err = db_integer(store->db, count, values, ARRAY_LEN(values), 0, number, e);

	return err ? err : db_integer(store->db, revoked, values, ARRAY_LEN(values), 0, covers, e);
}

static enum err append(struct db_rows *row, struct store_revoked **array, size_t count,
	size_t *room, struct error *e)
{
	struct store_revoked revoked = {.revoked_at = db_column_integer(row, 1)};
	const char *serial = db_column_text(row, 0);
	enum err err = read_reason(db_column_text(row, 2), &revoked.reason, e);

	if (err)
		return err;
	if (!serial)
		return error_memory(e);
	if (count == *room) {
		size_t more = *room ? 2 * *room : 64;
		struct store_revoked *larger = reallocarray(*array, more, sizeof(**array));

		if (!larger)
			return error_memory(e);
		*array = larger;
		*room = more;
	}
	snprintf(revoked.serial, sizeof(revoked.serial), "%s", serial);
	(*array)[count] = revoked;
	return ERR_OK;
}

/*
 * A certificate is also in the first list after its end (RFC 5280, 3.3). If the earlier list is of
 * the future, a clock was wrong: a certificate that ends before that list may be valid still.
 */
static enum err read_revoked(struct store *store, const char *issuer, struct store_revoked **out,
	size_t *count, struct error *e)
{
	static const char sql[] =
		"SELECT serial, revoked_at, reason FROM revocation"
		" WHERE issuer = $1"
		"	AND not_after >= (SELECT CASE WHEN this_update < $2 THEN this_update ELSE $2 END"
		"		FROM crl WHERE issuer = $1)"
		" ORDER BY credential_id";
	const struct db_value values[] = {DB_TEXT(issuer), DB_INTEGER(clock_now())};
	struct store_revoked *found = NULL;
	size_t n = 0, room = 0;
	struct db_rows *row = NULL;
	bool more = true;
	enum err err = db_start(store->db, sql, values, ARRAY_LEN(values), &row, e);

	while (!err && more) {
		err = db_next(row, &more, e);
		if (!err && more)
			err = append(row, &found, n++, &room, e);
	}
	db_done(row);
	if (err) {
		free(found);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}

enum err store_crl_begin(struct store *store, const char *issuer, int64_t *number, int64_t *covers,
	struct store_revoked **out, size_t *count, struct error *e)
{
	struct store_revoked *found = NULL;
	int64_t taken = 0, revoked = 0;
	size_t n = 0;
	enum err err;

	do {
		free(found);
		found = NULL;
		err = db_begin(store->db, e);
		if (!err)
			err = revocations_check(store, e);
		if (!err)
			err = take_number(store, issuer, &taken, &revoked, e);
		if (!err)
			err = read_revoked(store, issuer, &found, &n, e);
	} while (db_end(store->db, &err, e));
	if (err) {
		free(found);
		return err;
	}
	*number = taken;
	*covers = revoked;
	*out = found;
	*count = n;
	return ERR_OK;
}

enum err store_crl_publish(
	struct store *store, const char *issuer, const struct store_crl *crl, struct error *e)
{
	static const char sql[] =
		"UPDATE crl SET published = $2, authority = $3, covers = $4, this_update = $5,"
		"	next_update = $6, list = $7"
		" WHERE issuer = $1 AND published < $2";
	const struct db_value values[] = {
		DB_TEXT(issuer),
		DB_INTEGER(crl->number),
		DB_TEXT(crl->authority),
		DB_INTEGER(crl->covers),
		DB_INTEGER(crl->this_update),
		DB_INTEGER(crl->next_update),
		DB_BLOB(crl->list.data, crl->list.len),
	};

	return db_change_alone(store->db, sql, values, ARRAY_LEN(values), NULL, e);
}
