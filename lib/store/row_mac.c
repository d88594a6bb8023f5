#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "store/sqlite.h"

/*
 * MACs of the rows that decide where keys go and what is revoked. Somebody who can write the file,
 * and has no master key, can neither put in such a row nor alter one. An earlier state of a row
 * has a MAC that was right once: that it is over is in the audit trail.
 */

#define COLUMNS_MAX 8
#define ID_SIZE 80
#define NUMBER_SIZE 32

/* read: what the MAC covers; the first two tell a person which row it is. all: ids. */
struct kind {
	const char *name, *is, *read, *all;
};

#define ALL(name, rest) "SELECT id FROM row_mac WHERE kind = '" name "' UNION SELECT " rest

static const struct kind kinds[ROW_KIND_COUNT] = {
	[ROW_USER] = {"user", "user %.64s, address %.128s",
		"SELECT user_uuid, mail, mail_time FROM user WHERE user_uuid = ?1",
		ALL("user", "user_uuid FROM user WHERE mail != ''")},
	[ROW_DEVICE] = {"device", "device %.64s, user %.64s",
		"SELECT device_uuid, user_uuid, state, event_id FROM device"
		" WHERE device_uuid = ?1 AND user_uuid = ?2",
		ALL("device", "device_uuid || ' ' || user_uuid FROM device")},
	[ROW_CREDENTIAL] = {"credential", "certificate with serial %.64s, user %.64s",
		"SELECT serial, user_uuid, device_uuid, usage, state, mail, issuer, not_after"
		" FROM credential WHERE id = CAST(?1 AS INTEGER)",
		ALL("credential", "CAST(id AS TEXT) FROM credential")},
	[ROW_REVOCATION] = {"revocation", "revocation of serial %.64s of %.128s",
		"SELECT serial, issuer, not_after, revoked_at, reason"
		" FROM revocation WHERE credential_id = CAST(?1 AS INTEGER)",
		ALL("revocation", "CAST(credential_id AS TEXT) FROM revocation")},
	[ROW_EVENT] = {"event", "event of device %.64s, user %.64s",
		"SELECT device_uuid, user_uuid, kind, time, payload, received_at"
		" FROM event WHERE id = CAST(?1 AS INTEGER)",
		ALL("event", "CAST(id AS TEXT) FROM event")},
};

/* --- one row */

struct row {
	const struct kind *kind;
	char id[ID_SIZE];
	sqlite3_stmt *statement; /* NULL: there is none */
	int64_t audit_id;
};

/* A device's id is both of its UUIDs. */
static enum err read_row(struct sqlite *db, struct row *row, struct error *e)
{
	char first[ID_SIZE];
	const char *space = strchr(row->id, ' ');
	const struct value values[] = {VALUE_TEXT(first), VALUE_TEXT(space ? space + 1 : "")};
	size_t count = row->kind == &kinds[ROW_DEVICE] ? 2 : 1;
	enum err err;

	snprintf(first, sizeof(first), "%s", row->id);
	first[strcspn(first, " ")] = '\0';
	err = sqlite_first(db, row->kind->read, values, count, &row->statement, e);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err row_mac(struct sqlite *db, const struct row *row, unsigned char mac[AUDIT_MAC_SIZE],
	struct error *e)
{
	char number[NUMBER_SIZE];
	int count = sqlite3_column_count(row->statement);
	struct audit_part part[COLUMNS_MAX + 3] = {
		{row->kind->name, strlen(row->kind->name)},
		{row->id, strlen(row->id)},
		{number, 0},
	};

	part[2].len = (size_t)snprintf(number, sizeof(number), "%lld", (long long)row->audit_id);
	for (int i = 0; i < count; i++) {
		part[i + 3].data = sqlite3_column_blob(row->statement, i);
		part[i + 3].len = (size_t)sqlite3_column_bytes(row->statement, i);
	}
	return audit_row_mac(db->audit, part, (size_t)count + 3, mac, e);
}

static enum err altered(const struct row *row, struct error *e)
{
	const char *first = "", *second = "";
	char what[256];

	if (!row->statement)
		return error_set(e, ERR_ALTERED,
			"%s %s: was deleted by somebody without the master key: see "
			"doc/security.md",
			row->kind->name, row->id);
	first = (const char *)sqlite3_column_text(row->statement, 0);
	second = (const char *)sqlite3_column_text(row->statement, 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(what, sizeof(what), row->kind->is, first ? first : "", second ? second : "");
#pragma GCC diagnostic pop
	return error_set(e, ERR_ALTERED,
		"%s: was altered by somebody without the master key: see doc/security.md", what);
}

/* *same: the row is as it was written; row->audit_id becomes the trail's end of that time. */
static enum err compare(struct sqlite *db, struct row *row, bool *same, struct error *e)
{
	static const char sql[] = "SELECT audit_id, mac FROM row_mac WHERE kind = ?1 AND id = ?2";
	const struct value values[] = {VALUE_TEXT(row->kind->name), VALUE_TEXT(row->id)};
	unsigned char mac[AUDIT_MAC_SIZE];
	sqlite3_stmt *written = NULL;
	enum err err;

	*same = false;
	if (!row->statement)
		return ERR_OK;
	err = sqlite_first(db, sql, values, ARRAY_LEN(values), &written, e);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err) {
		row->audit_id = sqlite3_column_int64(written, 0);
		err = row_mac(db, row, mac, e);
	}
	if (!err)
		*same = sqlite3_column_bytes(written, 1) == AUDIT_MAC_SIZE &&
			secret_equal(mac, sqlite3_column_blob(written, 1), AUDIT_MAC_SIZE);
	sqlite_done(written);
	return err;
}

/*
 * Has the trail ended what the row says? A device may be another user's too where devices are
 * shared: the entry of an unenrollment ends all, that of a take-over one.
 */
static enum err compare_trail(struct sqlite *db, const struct row *row, bool *same, struct error *e)
{
	static const char unenrolled[] =
		"SELECT count(*) FROM device AS d CROSS JOIN audit"
		" WHERE d.device_uuid || ' ' || d.user_uuid = ?1 AND d.state = 'enrolled'"
		"	AND d.device_uuid = substr(?1, 1, instr(?1, ' ') - 1)"
		"	AND audit.device_uuid = d.device_uuid AND audit.device_uuid != ''"
		"	AND audit.action = 'unenrolled'"
		"	AND audit.id > ?2"
		"	AND (audit.user_uuid = d.user_uuid OR audit.detail != '" ENDED_BY_OTHER
		"')";
	static const char revoked[] =
		"SELECT count(*) FROM credential AS c JOIN audit USING (serial, user_uuid)"
		" WHERE c.id = CAST(?1 AS INTEGER) AND c.state != 'revoked'"
		"	AND audit.action = 'revoked' AND audit.device_uuid = c.device_uuid";
	const struct value values[] = {VALUE_TEXT(row->id), VALUE_INTEGER(row->audit_id)};
	int64_t ended = 0;
	enum err err = ERR_OK;

	if (row->kind == &kinds[ROW_DEVICE])
		err = sqlite_integer(db, unenrolled, values, 2, 0, &ended, e);
	else if (row->kind == &kinds[ROW_CREDENTIAL])
		err = sqlite_integer(db, revoked, values, 1, 0, &ended, e);
	if (!err && ended)
		*same = false;
	return err;
}

static enum err check(struct sqlite *db, struct row *row, struct error *e)
{
	bool same = false;
	enum err err = compare(db, row, &same, e);

	if (!err && same)
		err = compare_trail(db, row, &same, e);
	return err || same ? err : altered(row, e);
}

static enum err sign(struct sqlite *db, struct row *row, struct error *e)
{
	static const char newest[] = "SELECT max(id) FROM audit";
	static const char sql[] =
		"INSERT INTO row_mac (kind, id, audit_id, mac) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (kind, id) DO UPDATE SET audit_id = excluded.audit_id,"
		"	mac = excluded.mac";
	unsigned char mac[AUDIT_MAC_SIZE];
	enum err err;

	if (!row->statement)
		return ERR_OK;
	err = sqlite_integer(db, newest, NULL, 0, 0, &row->audit_id, e);
	if (!err)
		err = row_mac(db, row, mac, e);
	if (!err) {
		const struct value values[] = {VALUE_TEXT(row->kind->name), VALUE_TEXT(row->id),
			VALUE_INTEGER(row->audit_id), VALUE_BLOB(mac, sizeof(mac))};

		err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);
	}
	return err;
}

/* One that is altered stays so. */
static enum err renew(struct sqlite *db, struct row *row, struct error *e)
{
	bool same = false;
	enum err err = compare(db, row, &same, e);

	return err || !same ? err : sign(db, row, e);
}

/* --- those that a statement names */

typedef enum err row_deed(struct sqlite *db, struct row *row, struct error *e);

static enum err do_row(
	struct sqlite *db, enum row_kind kind, const char *id, row_deed *deed, struct error *e)
{
	struct row row = {.kind = &kinds[kind]};
	enum err err;

	if (!id)
		return error_memory(e);
	snprintf(row.id, sizeof(row.id), "%s", id);
	err = read_row(db, &row, e);
	if (!err)
		err = deed(db, &row, e);
	sqlite_done(row.statement);
	return err;
}

static enum err each(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, row_deed *deed, struct error *e)
{
	sqlite3_stmt *ids = NULL;
	bool more = true;
	enum err err = sqlite_start(db, sql, values, count, &ids, e);

	while (!err && more) {
		err = sqlite_next(db, ids, &more, e);
		if (!err && more)
			err = do_row(db, kind, (const char *)sqlite3_column_text(ids, 0), deed, e);
	}
	sqlite_done(ids);
	return err;
}

enum err sqlite_rows_sign(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, struct error *e)
{
	return each(db, kind, sql, values, count, sign, e);
}

enum err sqlite_rows_renew(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, struct error *e)
{
	return each(db, kind, sql, values, count, renew, e);
}

enum err sqlite_rows_check(struct sqlite *db, enum row_kind kind, const char *sql,
	const struct value *values, size_t count, struct error *e)
{
	return each(db, kind, sql, values, count, check, e);
}

enum err sqlite_credential_check(struct sqlite *db, int64_t id, struct error *e)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%lld", (long long)id);
	return do_row(db, ROW_CREDENTIAL, text, check, e);
}

enum err sqlite_row_forget(struct sqlite *db, enum row_kind kind, int64_t id, struct error *e)
{
	static const char sql[] = "DELETE FROM row_mac WHERE kind = ?1 AND id = CAST(?2 AS TEXT)";
	const struct value values[] = {VALUE_TEXT(kinds[kind].name), VALUE_INTEGER(id)};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

/* --- revocations, as a whole */

/* A certificate that one of trail, state and revocation calls revoked, and another does not. */
static enum err check_agreement(struct sqlite *db, struct error *e)
{
	static const char sql[] =
		"SELECT serial FROM audit WHERE action = 'revoked' AND NOT EXISTS"
		"	(SELECT 1 FROM credential AS c JOIN revocation AS v ON v.credential_id = "
		"c.id"
		"	WHERE c.serial = audit.serial AND c.user_uuid = audit.user_uuid)"
		" UNION ALL SELECT serial FROM credential WHERE state = 'revoked' AND NOT EXISTS"
		"	(SELECT 1 FROM revocation AS v WHERE v.credential_id = credential.id)"
		" UNION ALL SELECT c.serial FROM revocation AS v"
		"	JOIN credential AS c ON v.credential_id = c.id WHERE c.state != 'revoked'"
		" LIMIT 1";
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, NULL, 0, &row, e);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err)
		err = error_set(e, ERR_ALTERED,
			"revocation of the certificate with serial %.64s: was taken back by "
			"somebody without the master key: see doc/security.md",
			(const char *)sqlite3_column_text(row, 0));
	sqlite_done(row);
	return err;
}

enum err sqlite_revocations_check(struct sqlite *db, struct error *e)
{
	enum err err = check_agreement(db, e);

	return err ? err
		   : sqlite_rows_check(db, ROW_REVOCATION, kinds[ROW_REVOCATION].all, NULL, 0, e);
}

/* --- all of them */

enum err sqlite_rows_begin(void *self, const struct blob *key_check, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_check_key(db, e);
	for (int kind = 0; !err && kind < ROW_KIND_COUNT; kind++)
		err = sqlite_rows_sign(db, kind, kinds[kind].all, NULL, 0, e);
	if (!err)
		err = sqlite_meta_set(db, "key-check", key_check->data, key_check->len, e);
	return sqlite_end(db, err, e);
}

/* Of one moment, as the trail is. */
enum err sqlite_rows_verify(void *self, int64_t *count, struct error *e)
{
	struct sqlite *db = self;
	struct error ignored;
	int64_t rows = 0;
	enum err err = sqlite_run(db, "BEGIN", NULL, 0, e);

	if (err)
		return err;
	err = check_agreement(db, e);
	for (int kind = 0; !err && kind < ROW_KIND_COUNT; kind++)
		err = sqlite_rows_check(db, kind, kinds[kind].all, NULL, 0, e);
	if (!err)
		err = sqlite_integer(db, "SELECT count(*) FROM row_mac", NULL, 0, 0, &rows, e);
	if (sqlite_run(db, "COMMIT", NULL, 0, &ignored))
		err = err ? err : error_set(e, ignored.code, "%s", ignored.text);
	if (!err)
		*count = rows;
	return err;
}
