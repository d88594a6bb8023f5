#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "store/sqlite.h"

/* The audit trail: entries, and in meta its sealed key and its head. */

#define KEY "audit-key"
#define HEAD "audit-head"

/* --- its beginning */

enum err sqlite_meta_get(struct sqlite *db, const char *name, struct blob *out, struct error *e)
{
	static const char sql[] = "SELECT value FROM meta WHERE name = ?1";
	const struct value values[] = {VALUE_TEXT(name)};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "%s: it has no %s", db->path, name);
	if (!err)
		err = sqlite_blob(row, 0, out, e);
	sqlite_done(row);
	return err;
}

enum err sqlite_meta_set(
	struct sqlite *db, const char *name, const void *value, size_t len, struct error *e)
{
	static const char sql[] = "INSERT INTO meta (name, value) VALUES (?1, ?2)"
				  " ON CONFLICT (name) DO UPDATE SET value = excluded.value";
	const struct value values[] = {VALUE_TEXT(name), VALUE_BLOB(value, len)};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

enum err sqlite_audit_key(void *self, struct blob *out, struct error *e)
{
	return sqlite_meta_get(self, KEY, out, e);
}

/* A new trail beside existing entries would hide that somebody removed the key. */
enum err sqlite_audit_begin(void *self, const struct blob *sealed_key, struct error *e)
{
	static const char exists[] = "SELECT count(*) FROM meta WHERE name = '" KEY "'";
	struct sqlite *db = self;
	int64_t keys = 0, entries = 0;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_check_key(db, e);
	if (!err)
		err = sqlite_integer(db, exists, NULL, 0, 0, &keys, e);
	if (!err && keys == 0)
		err = sqlite_integer(db, "SELECT count(*) FROM audit", NULL, 0, 0, &entries, e);
	if (!err && entries > 0)
		err = error_set(e, ERR_CONFIG,
			"%s: the key of its audit trail is gone: somebody has tampered with it",
			db->path);
	if (!err && keys == 0)
		err = sqlite_meta_set(db, KEY, sealed_key->data, sealed_key->len, e);
	return sqlite_end(db, err, e);
}

void sqlite_audit_use(void *self, const struct audit *audit)
{
	struct sqlite *db = self;

	db->audit = audit;
}

/* --- another entry */

/* The newest entry: its number and MAC; 0 and zeros if there is none. */
static enum err read_newest(
	struct sqlite *db, int64_t *id, unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	static const char sql[] = "SELECT id, mac FROM audit ORDER BY id DESC LIMIT 1";
	sqlite3_stmt *row = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, NULL, 0, &row, e);

	*id = 0;
	memset(mac, 0, AUDIT_MAC_SIZE);
	if (!err)
		err = sqlite_next(db, row, &found, e);
	if (!err && found && sqlite3_column_bytes(row, 1) != AUDIT_MAC_SIZE)
		err = error_set(e, ERR_CONFIG, "%s: the newest entry of its audit trail is broken",
			db->path);
	if (!err && found) {
		*id = sqlite3_column_int64(row, 0);
		memcpy(mac, sqlite3_column_blob(row, 1), AUDIT_MAC_SIZE);
	}
	sqlite_done(row);
	return err;
}

static enum err insert(struct sqlite *db, const struct audit_row *row,
	const unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	static const char sql[] =
		"INSERT INTO audit (id, at, action, request_id, actor, device_uuid, user_uuid,"
		"	serial, detail, mac)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
	const struct value values[] = {VALUE_INTEGER(row->id), VALUE_INTEGER(row->at),
		VALUE_TEXT(row->action), VALUE_TEXT(row->request_id), VALUE_TEXT(row->actor),
		VALUE_TEXT(row->device_uuid), VALUE_TEXT(row->user_uuid), VALUE_TEXT(row->serial),
		VALUE_TEXT(row->detail), VALUE_BLOB(mac, AUDIT_MAC_SIZE)};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

enum err sqlite_audit(struct sqlite *db, const struct store_audit *entry, struct error *e)
{
	unsigned char mac[AUDIT_MAC_SIZE], head[AUDIT_MAC_SIZE];
	struct audit_row row = {
		.at = clock_now(),
		.action = audit_action_names[entry->action],
		.request_id = log_request(),
		.actor = audit_actor(db->audit),
		.device_uuid = text_or_empty(entry->device_uuid),
		.user_uuid = text_or_empty(entry->user_uuid),
		.serial = text_or_empty(entry->serial),
		.detail = text_or_empty(entry->detail),
	};
	enum err err = read_newest(db, &row.id, mac, e);

	row.id++;
	if (!err)
		err = audit_mac(db->audit, &row, mac, mac, e);
	if (!err)
		err = audit_head(db->audit, row.id, mac, head, e);
	if (!err)
		err = insert(db, &row, mac, e);
	if (!err)
		err = sqlite_meta_set(db, HEAD, head, sizeof(head), e);
	return err ? error_context(e, "audit trail") : ERR_OK;
}

enum err sqlite_audit_add(void *self, const struct store_audit *entry, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_audit(db, entry, e);
	return sqlite_end(db, err, e);
}

/* --- is it as it was written? */

static enum err tampered(const struct sqlite *db, int64_t id, const char *how, struct error *e)
{
	return error_set(e, ERR_CONFIG, "%s: entry %lld of the audit trail %s: see a backup",
		db->path, (long long)id, how);
}

static const char *column_text(sqlite3_stmt *row, int column)
{
	return text_or_empty((const char *)sqlite3_column_text(row, column));
}

/* mac: of the entry before; becomes that of this one. */
static enum err verify_row(struct sqlite *db, sqlite3_stmt *statement, int64_t id,
	unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	const struct audit_row row = {
		.id = sqlite3_column_int64(statement, 0),
		.at = sqlite3_column_int64(statement, 1),
		.action = column_text(statement, 2),
		.request_id = column_text(statement, 3),
		.actor = column_text(statement, 4),
		.device_uuid = column_text(statement, 5),
		.user_uuid = column_text(statement, 6),
		.serial = column_text(statement, 7),
		.detail = column_text(statement, 8),
	};
	const void *written = sqlite3_column_blob(statement, 9);
	bool whole = written && sqlite3_column_bytes(statement, 9) == AUDIT_MAC_SIZE;
	enum err err = row.id == id ? ERR_OK : tampered(db, id, "is missing", e);

	if (!err)
		err = audit_mac(db->audit, &row, mac, mac, e);
	if (!err && !(whole && secret_equal(mac, written, AUDIT_MAC_SIZE)))
		err = tampered(db, id, "was altered", e);
	return err;
}

static enum err verify_rows(
	struct sqlite *db, int64_t *count, unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	static const char sql[] =
		"SELECT id, at, action, request_id, actor, device_uuid, user_uuid, serial, detail,"
		"	mac FROM audit ORDER BY id";
	sqlite3_stmt *row = NULL;
	bool more = true;
	enum err err = sqlite_start(db, sql, NULL, 0, &row, e);

	memset(mac, 0, AUDIT_MAC_SIZE);
	for (*count = 0; !err && more;) {
		err = sqlite_next(db, row, &more, e);
		if (!err && more)
			err = verify_row(db, row, ++*count, mac, e);
	}
	sqlite_done(row);
	return err;
}

static enum err verify_head(struct sqlite *db, int64_t count,
	const unsigned char newest[AUDIT_MAC_SIZE], struct error *e)
{
	unsigned char expected[AUDIT_MAC_SIZE];
	struct blob head = {NULL, 0};
	enum err err = audit_head(db->audit, count, newest, expected, e);

	if (!err)
		err = sqlite_meta_get(db, HEAD, &head, e);
	if (err == ERR_NOT_FOUND && count == 0)
		return ERR_OK;
	if (err == ERR_NOT_FOUND ||
		(!err && !(head.len == sizeof(expected) &&
				 secret_equal(head.data, expected, sizeof(expected)))))
		err = tampered(db, count + 1, "and maybe more are missing", e);
	blob_free(&head);
	return err;
}

static void copy_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	snprintf(out, size, "%s", text ? text : "");
}

/* By an index of its own, however long the trail is. */
enum err sqlite_audit_conflicts(void *self, struct store_conflicts *out, struct error *e)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM audit WHERE action = 'address conflict'),"
		"	at, user_uuid, detail FROM audit WHERE action = 'address conflict'"
		" ORDER BY at DESC LIMIT 1";
	struct store_conflicts conflicts = {.count = 0};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(self, sql, NULL, 0, &row, e);

	if (!err) {
		conflicts.count = sqlite3_column_int64(row, 0);
		conflicts.at = sqlite3_column_int64(row, 1);
		copy_text(row, 2, conflicts.user_uuid, sizeof(conflicts.user_uuid));
		copy_text(row, 3, conflicts.detail, sizeof(conflicts.detail));
	}
	sqlite_done(row);
	if (err && err != ERR_NOT_FOUND)
		return err;
	*out = conflicts;
	return ERR_OK;
}

/* Of one moment, though others append: a read transaction sees what was there when it began. */
enum err sqlite_audit_verify(void *self, int64_t *count, struct error *e)
{
	unsigned char newest[AUDIT_MAC_SIZE];
	struct sqlite *db = self;
	struct error ignored;
	int64_t found = 0;
	enum err err = sqlite_run(db, "BEGIN", NULL, 0, e);

	if (err)
		return err;
	err = verify_rows(db, &found, newest, e);
	if (!err)
		err = verify_head(db, found, newest, e);
	if (sqlite_run(db, "COMMIT", NULL, 0, &ignored))
		log_warning("%s", ignored.text);
	if (!err)
		*count = found;
	return err;
}
