/* The MACs of rows: written with a row, and compared with it and with the audit trail. */
#include "store/row_mac.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "store/audit_mac.h"
#include "store/handle.h"
#include "store/keys.h"

#define COLUMNS_MAX 8
#define ID_SIZE 80
#define NUMBER_SIZE 32

/* read: what the MAC covers; the first two tell a person which row it is. all: ids. */
struct kind {
	const char *name, *is, *read, *all;
};

#define ALL(name, rest) \
	"SELECT id FROM row_mac WHERE kind = '" name "' UNION SELECT " rest " ORDER BY id"

static const struct kind kinds[ROW_KIND_COUNT] = {
	[ROW_USER] = {"user", "user %.64s, address %.128s",
		"SELECT user_uuid, mail, mail_time FROM \"user\" WHERE user_uuid = $1",
		ALL("user", "user_uuid FROM \"user\" WHERE mail != ''")},
	[ROW_DEVICE] = {"device", "device %.64s, user %.64s",
		"SELECT device_uuid, user_uuid, state, event_id FROM device"
		" WHERE device_uuid = $1 AND user_uuid = $2",
		ALL("device", "device_uuid || ' ' || user_uuid FROM device")},
	[ROW_CREDENTIAL] = {"credential", "certificate with serial %.64s, user %.64s",
		"SELECT serial, user_uuid, device_uuid, usage, state, mail, issuer, not_after"
		" FROM credential WHERE id = CAST($1 AS bigint)",
		ALL("credential", "CAST(id AS TEXT) FROM credential")},
	[ROW_REVOCATION] = {"revocation", "revocation of serial %.64s of %.128s",
		"SELECT serial, issuer, not_after, revoked_at, reason"
		" FROM revocation WHERE credential_id = CAST($1 AS bigint)",
		ALL("revocation", "CAST(credential_id AS TEXT) FROM revocation")},
	[ROW_EVENT] = {"event", "event of device %.64s, user %.64s",
		"SELECT device_uuid, user_uuid, kind, time, payload, received_at"
		" FROM event WHERE id = CAST($1 AS bigint)",
		ALL("event", "CAST(id AS TEXT) FROM event")},
};

/* --- one row */

struct row {
	const struct kind *kind;
	char id[ID_SIZE];
	struct db_rows *statement; /* NULL: there is none */
	int64_t audit_id;
};

/* A device's id is both of its UUIDs: returns the second one. Of others, first is all. */
static const char *split(const char *id, char first[ID_SIZE])
{
	size_t len = strcspn(id, " ");

	snprintf(first, ID_SIZE, "%.*s", (int)len, id);
	return id[len] ? id + len + 1 : "";
}

static enum err read_row(struct store *store, struct row *row, struct error *e)
{
	char first[ID_SIZE];
	const struct db_value values[] = {DB_TEXT(first), DB_TEXT(split(row->id, first))};
	enum err err =
		db_first(store->db, row->kind->read, values, ARRAY_LEN(values), &row->statement, e);

	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err row_mac(struct store *store, const struct row *row,
	unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	char number[NUMBER_SIZE];
	int count = db_columns(row->statement);
	struct audit_part part[COLUMNS_MAX + 3] = {
		{row->kind->name, strlen(row->kind->name)},
		{row->id, strlen(row->id)},
		{number, 0},
	};

	part[2].len = (size_t)snprintf(number, sizeof(number), "%lld", (long long)row->audit_id);
	for (int i = 0; i < count; i++) {
		part[i + 3].data = db_column_bytes(row->statement, i, &part[i + 3].len);
	}
	return audit_mac_row(store->audit_mac, part, (size_t)count + 3, mac, e);
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
	first = db_column_text(row->statement, 0);
	second = db_column_text(row->statement, 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(what, sizeof(what), row->kind->is, text_or_empty(first), text_or_empty(second));
#pragma GCC diagnostic pop
	return error_set(e, ERR_ALTERED,
		"%s: was altered by somebody without the master key: see doc/security.md", what);
}

/* *same: the row is as it was written; row->audit_id becomes the trail's end of that time. */
static enum err compare(struct store *store, struct row *row, bool *same, struct error *e)
{
	static const char sql[] = "SELECT audit_id, mac FROM row_mac WHERE kind = $1 AND id = $2";
	const struct db_value values[] = {DB_TEXT(row->kind->name), DB_TEXT(row->id)};
	unsigned char mac[AUDIT_MAC_SIZE];
	struct db_rows *written = NULL;
	enum err err;

	*same = false;
	if (!row->statement)
		return ERR_OK;
	err = db_first(store->db, sql, values, ARRAY_LEN(values), &written, e);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err) {
		row->audit_id = db_column_integer(written, 0);
		err = row_mac(store, row, mac, e);
	}
	if (!err) {
		size_t len = 0;
		const void *expected = db_column_bytes(written, 1, &len);

		*same = len == AUDIT_MAC_SIZE && secret_equal(mac, expected, AUDIT_MAC_SIZE);
	}
	db_done(written);
	return err;
}

/*
 * Has the trail ended what the row says? A device may be another user's too where devices are
 * shared: the entry of an unenrollment ends all, that of a take-over one.
 */
static enum err compare_trail(
	struct store *store, const struct row *row, bool *same, struct error *e)
{
	static const char unenrolled[] =
		"SELECT count(*) FROM device AS d JOIN audit ON audit.device_uuid = d.device_uuid"
		" WHERE d.device_uuid = $1 AND d.user_uuid = $2 AND d.state = 'enrolled'"
		"	AND audit.device_uuid = $1 AND audit.device_uuid != ''"
		"	AND audit.action = 'unenrolled'"
		"	AND audit.id > $3"
		"	AND (audit.user_uuid = d.user_uuid OR audit.detail != '" ENDED_BY_OTHER
		"')";
	static const char revoked[] =
		"SELECT count(*) FROM credential AS c JOIN audit USING (serial, user_uuid)"
		" WHERE c.id = CAST($1 AS bigint) AND c.state != 'revoked'"
		"	AND audit.action = 'revoked' AND audit.device_uuid = c.device_uuid";
	char first[ID_SIZE];
	const struct db_value values[] = {
		DB_TEXT(first), DB_TEXT(split(row->id, first)), DB_INTEGER(row->audit_id)};
	int64_t ended = 0;
	enum err err = ERR_OK;

	if (row->kind == &kinds[ROW_DEVICE])
		err = db_integer(store->db, unenrolled, values, 3, 0, &ended, e);
	else if (row->kind == &kinds[ROW_CREDENTIAL])
		err = db_integer(store->db, revoked, values, 1, 0, &ended, e);
	if (!err && ended)
		*same = false;
	return err;
}

static enum err check(struct store *store, struct row *row, struct error *e)
{
	bool same = false;
	enum err err = compare(store, row, &same, e);

	if (!err && same)
		err = compare_trail(store, row, &same, e);
	return err || same ? err : altered(row, e);
}

static enum err sign(struct store *store, struct row *row, struct error *e)
{
	static const char newest[] = "SELECT max(id) FROM audit";
	static const char sql[] =
		"INSERT INTO row_mac (kind, id, audit_id, mac) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (kind, id) DO UPDATE SET audit_id = excluded.audit_id,"
		"	mac = excluded.mac";
	unsigned char mac[AUDIT_MAC_SIZE];
	enum err err;

	if (!row->statement)
		return ERR_OK;
	err = db_integer(store->db, newest, NULL, 0, 0, &row->audit_id, e);
	if (!err)
		err = row_mac(store, row, mac, e);
	if (!err) {
		const struct db_value values[] = {DB_TEXT(row->kind->name), DB_TEXT(row->id),
			DB_INTEGER(row->audit_id), DB_BLOB(mac, sizeof(mac))};

		err = db_run(store->db, sql, values, ARRAY_LEN(values), e);
	}
	return err;
}

/* One that is altered stays so. */
static enum err renew(struct store *store, struct row *row, struct error *e)
{
	bool same = false;
	enum err err = compare(store, row, &same, e);

	return err || !same ? err : sign(store, row, e);
}

/* --- those that a statement names */

typedef enum err row_deed(struct store *store, struct row *row, struct error *e);

static enum err do_row(
	struct store *store, enum row_kind kind, const char *id, row_deed *deed, struct error *e)
{
	struct row row = {.kind = &kinds[kind]};
	enum err err;

	if (!id)
		return error_memory(e);
	snprintf(row.id, sizeof(row.id), "%s", id);
	err = read_row(store, &row, e);
	if (!err)
		err = deed(store, &row, e);
	db_done(row.statement);
	return err;
}

static enum err each(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, row_deed *deed, struct error *e)
{
	struct db_rows *ids = NULL;
	bool more = true;
	enum err err = db_start(store->db, sql, values, count, &ids, e);

	while (!err && more) {
		err = db_next(ids, &more, e);
		if (!err && more)
			err = do_row(store, kind, db_column_text(ids, 0), deed, e);
	}
	db_done(ids);
	return err;
}

enum err rows_sign(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, struct error *e)
{
	return each(store, kind, sql, values, count, sign, e);
}

enum err rows_renew(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, struct error *e)
{
	return each(store, kind, sql, values, count, renew, e);
}

enum err rows_check(struct store *store, enum row_kind kind, const char *sql,
	const struct db_value *values, size_t count, struct error *e)
{
	return each(store, kind, sql, values, count, check, e);
}

static enum err do_numbered(
	struct store *store, enum row_kind kind, int64_t id, row_deed *deed, struct error *e)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%lld", (long long)id);
	return do_row(store, kind, text, deed, e);
}

enum err row_sign(struct store *store, enum row_kind kind, int64_t id, struct error *e)
{
	return do_numbered(store, kind, id, sign, e);
}

enum err row_check(struct store *store, enum row_kind kind, int64_t id, struct error *e)
{
	return do_numbered(store, kind, id, check, e);
}

static enum err do_device(struct store *store, const char *device_uuid, const char *user_uuid,
	row_deed *deed, struct error *e)
{
	char text[ID_SIZE];

	snprintf(text, sizeof(text), "%s %s", device_uuid, user_uuid);
	return do_row(store, ROW_DEVICE, text, deed, e);
}

enum err device_row_sign(
	struct store *store, const char *device_uuid, const char *user_uuid, struct error *e)
{
	return do_device(store, device_uuid, user_uuid, sign, e);
}

enum err device_row_check(
	struct store *store, const char *device_uuid, const char *user_uuid, struct error *e)
{
	return do_device(store, device_uuid, user_uuid, check, e);
}

enum err row_forget(struct store *store, enum row_kind kind, int64_t id, struct error *e)
{
	static const char sql[] = "DELETE FROM row_mac WHERE kind = $1 AND id = CAST($2 AS TEXT)";
	const struct db_value values[] = {DB_TEXT(kinds[kind].name), DB_INTEGER(id)};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

/* --- revocations, as a whole */

/* A certificate that one of trail, state and revocation calls revoked, and another does not. */
static enum err check_agreement(struct store *store, struct error *e)
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
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, NULL, 0, &row, e);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err)
		err = error_set(e, ERR_ALTERED,
			"revocation of the certificate with serial %.64s: was taken back by "
			"somebody without the master key: see doc/security.md",
			db_column_text(row, 0));
	db_done(row);
	return err;
}

enum err revocations_check(struct store *store, struct error *e)
{
	enum err err = check_agreement(store, e);

	return err ? err : rows_check(store, ROW_REVOCATION, kinds[ROW_REVOCATION].all, NULL, 0, e);
}

/* --- all of them */

enum err rows_begin(struct store *store, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = keys_check(store, e);
		for (int kind = 0; !err && kind < ROW_KIND_COUNT; kind++)
			err = rows_sign(store, kind, kinds[kind].all, NULL, 0, e);
		if (!err)
			err = keys_note_macs(store, e);
	} while (db_end(store->db, &err, e));
	return err;
}

/* Of one moment, as the trail is. */
enum err store_rows_verify(struct store *store, int64_t *count, struct error *e)
{
	int64_t rows = 0;
	enum err err;

	do {
		err = db_begin_read(store->db, e);
		if (!err)
			err = check_agreement(store, e);
		for (int kind = 0; !err && kind < ROW_KIND_COUNT; kind++)
			err = rows_check(store, kind, kinds[kind].all, NULL, 0, e);
		if (!err)
			err = db_integer(
				store->db, "SELECT count(*) FROM row_mac", NULL, 0, 0, &rows, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*count = rows;
	return err;
}
