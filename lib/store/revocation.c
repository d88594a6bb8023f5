#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/sqlite.h"

/* Revocations, and the lists of them. */

static enum err read_reason(const unsigned char *text, enum revocation_reason *out, struct error *e)
{
	int reason = text ? vocabulary_find(revocation_reason_names, REVOCATION_REASON_COUNT,
				    (const char *)text)
			  : -1;

	if (!text)
		return error_memory(e);
	if (reason < 0)
		return error_set(
			e, ERR_CONFIG, "revocation: unknown reason '%.40s'", (const char *)text);
	*out = (enum revocation_reason)reason;
	return ERR_OK;
}

/* --- one certificate */

static enum err is_revoked(struct sqlite *db, int64_t id, bool *revoked, struct error *e)
{
	static const char sql[] = "SELECT state = 'revoked' FROM credential WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(id)};
	int64_t found = -1;
	enum err err = sqlite_integer(db, sql, values, ARRAY_LEN(values), -1, &found, e);

	if (!err && found < 0)
		err = error_set(
			e, ERR_NOT_FOUND, "%s: no credential %lld", db->path, (long long)id);
	*revoked = found == 1;
	return err;
}

static enum err audit_revoked(
	struct sqlite *db, int64_t id, enum revocation_reason reason, struct error *e)
{
	static const char sql[] =
		"SELECT device_uuid, user_uuid, serial FROM credential WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(id)};
	struct store_audit entry = {
		.action = AUDIT_REVOKED, .detail = revocation_reason_names[reason]};
	sqlite3_stmt *row = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_next(db, row, &found, e);
	if (!err && found) {
		entry.device_uuid = (const char *)sqlite3_column_text(row, 0);
		entry.user_uuid = (const char *)sqlite3_column_text(row, 1);
		entry.serial = (const char *)sqlite3_column_text(row, 2);
		err = sqlite_audit(db, &entry, e);
	}
	sqlite_done(row);
	return err;
}

static enum err revoke(
	struct sqlite *db, int64_t id, enum revocation_reason reason, struct error *e)
{
	static const char set_state[] =
		"UPDATE credential SET state = 'revoked', updated_at = ?2 WHERE id = ?1"
		" RETURNING id";
	static const char add[] =
		"INSERT INTO revocation (credential_id, issuer, serial, not_after, revoked_at,"
		"	reason)"
		" SELECT id, issuer, serial, not_after, ?2, ?3 FROM credential WHERE id = ?1"
		" RETURNING credential_id";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now()),
		VALUE_TEXT(revocation_reason_names[reason])};
	enum err err =
		sqlite_rows_sign(db, ROW_CREDENTIAL, set_state, values, ARRAY_LEN(values) - 1, e);

	if (!err)
		err = sqlite_rows_sign(db, ROW_REVOCATION, add, values, ARRAY_LEN(values), e);
	return err ? err : audit_revoked(db, id, reason, e);
}

enum err sqlite_credential_revoke(
	void *self, int64_t id, enum revocation_reason reason, bool *done, struct error *e)
{
	struct sqlite *db = self;
	bool revoked = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = is_revoked(db, id, &revoked, e);
	if (!err)
		err = sqlite_credential_check(db, id, e);
	if (!err && !revoked)
		err = revoke(db, id, reason, e);
	err = sqlite_end(db, err, e);
	if (!err)
		*done = !revoked;
	return err;
}

/* --- the list that is out */

static enum err read_head(sqlite3_stmt *row, struct store_crl *out, struct error *e)
{
	const char *authority = (const char *)sqlite3_column_text(row, 4);

	if (!authority)
		return error_memory(e);
	*out = (struct store_crl){
		.number = sqlite3_column_int64(row, 0),
		.covers = sqlite3_column_int64(row, 1),
		.this_update = sqlite3_column_int64(row, 2),
		.next_update = sqlite3_column_int64(row, 3),
		.size = (size_t)sqlite3_column_int64(row, 6),
	};
	snprintf(out->authority, sizeof(out->authority), "%s", authority);
	return ERR_OK;
}

/* SQLite knows the length of a blob without reading it. */
#define CRL_HEAD                                                               \
	"SELECT published, covers, this_update, next_update, authority,"       \
	"	(SELECT count(*) FROM revocation AS r WHERE r.issuer = crl.issuer)," \
	"	length(list)"
#define CRL_FROM " FROM crl WHERE issuer = ?1 AND published > 0"

static enum err read_crl(struct sqlite *db, const char *sql, bool list, const char *issuer,
	struct store_crl *out, int64_t *revoked, struct error *e)
{
	const struct value values[] = {VALUE_TEXT(issuer)};
	struct store_crl crl = {.number = 0};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "\"%s\" has no revocation list yet", issuer);
	if (!err)
		err = read_head(row, &crl, e);
	if (!err && list)
		err = sqlite_blob(row, 7, &crl.list, e);
	if (!err) {
		*revoked = sqlite3_column_int64(row, 5);
		*out = crl;
	}
	sqlite_done(row);
	return err;
}

enum err sqlite_crl_current(
	void *self, const char *issuer, struct store_crl *out, int64_t *revoked, struct error *e)
{
	return read_crl(self, CRL_HEAD ", list" CRL_FROM, true, issuer, out, revoked, e);
}

enum err sqlite_crl_head(
	void *self, const char *issuer, struct store_crl *out, int64_t *revoked, struct error *e)
{
	return read_crl(self, CRL_HEAD CRL_FROM, false, issuer, out, revoked, e);
}

/* --- the next one */

static enum err take_number(
	struct sqlite *db, const char *issuer, int64_t *number, int64_t *covers, struct error *e)
{
	static const char count[] = "INSERT INTO crl (issuer, number) VALUES (?1, 1)"
				    " ON CONFLICT (issuer) DO UPDATE SET number = number + 1"
				    " RETURNING number";
	static const char revoked[] = "SELECT count(*) FROM revocation WHERE issuer = ?1";
	const struct value values[] = {VALUE_TEXT(issuer)};
	enum err err = sqlite_integer(db, count, values, ARRAY_LEN(values), 0, number, e);

	return err ? err : sqlite_integer(db, revoked, values, ARRAY_LEN(values), 0, covers, e);
}

static enum err append(sqlite3_stmt *row, struct store_revoked **array, size_t count, size_t *room,
	struct error *e)
{
	struct store_revoked revoked = {.revoked_at = sqlite3_column_int64(row, 1)};
	const char *serial = (const char *)sqlite3_column_text(row, 0);
	enum err err = read_reason(sqlite3_column_text(row, 2), &revoked.reason, e);

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
 * Also in the first list after its end (RFC 5280, 3.3). An earlier list from the future is one of a
 * clock that was wrong: what ends before it may be in force yet.
 */
static enum err read_revoked(struct sqlite *db, const char *issuer, struct store_revoked **out,
	size_t *count, struct error *e)
{
	static const char sql[] =
		"SELECT serial, revoked_at, reason FROM revocation"
		" WHERE issuer = ?1"
		"	AND not_after >= min(?2, (SELECT this_update FROM crl WHERE issuer = ?1))"
		" ORDER BY credential_id";
	const struct value values[] = {VALUE_TEXT(issuer), VALUE_INTEGER(clock_now())};
	struct store_revoked *found = NULL;
	size_t n = 0, room = 0;
	sqlite3_stmt *row = NULL;
	bool more = true;
	enum err err = sqlite_start(db, sql, values, ARRAY_LEN(values), &row, e);

	while (!err && more) {
		err = sqlite_next(db, row, &more, e);
		if (!err && more)
			err = append(row, &found, n++, &room, e);
	}
	sqlite_done(row);
	if (err) {
		free(found);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}

enum err sqlite_crl_begin(void *self, const char *issuer, int64_t *number, int64_t *covers,
	struct store_revoked **out, size_t *count, struct error *e)
{
	struct store_revoked *found = NULL;
	struct sqlite *db = self;
	int64_t taken = 0, revoked = 0;
	size_t n = 0;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_revocations_check(db, e);
	if (!err)
		err = take_number(db, issuer, &taken, &revoked, e);
	if (!err)
		err = read_revoked(db, issuer, &found, &n, e);
	err = sqlite_end(db, err, e);
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

enum err sqlite_crl_publish(
	void *self, const char *issuer, const struct store_crl *crl, struct error *e)
{
	static const char sql[] =
		"UPDATE crl SET published = ?2, authority = ?3, covers = ?4, this_update = ?5,"
		"	next_update = ?6, list = ?7"
		" WHERE issuer = ?1 AND published < ?2";
	const struct value values[] = {
		VALUE_TEXT(issuer),
		VALUE_INTEGER(crl->number),
		VALUE_TEXT(crl->authority),
		VALUE_INTEGER(crl->covers),
		VALUE_INTEGER(crl->this_update),
		VALUE_INTEGER(crl->next_update),
		VALUE_BLOB(crl->list.data, crl->list.len),
	};
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);
	return sqlite_end(db, err, e);
}
