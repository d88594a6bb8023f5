/* The audit trail: entries, chained by their MACs, and in meta its sealed key and its head. */
#include "store/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/audit_mac.h"
#include "store/handle.h"
#include "store/keys.h"
#include "store/meta.h"
#include "store/row_mac.h"

/* --- its beginning */

/* A new trail beside existing entries would hide that somebody removed the key. */
static enum err add_first_key(struct store *store, const struct blob *sealed_key, struct error *e)
{
	struct blob there = {NULL, 0};
	int64_t entries = 0;
	enum err err = meta_get(store, META_AUDIT_KEY, &there, e);

	blob_free(&there);
	if (err != ERR_NOT_FOUND)
		return err;
	err = db_integer(store->db, "SELECT count(*) FROM audit", NULL, 0, 0, &entries, e);
	if (!err && entries > 0)
		err = error_set(e, ERR_CONFIG,
			"%s: the key of its audit trail is gone: somebody has tampered with it",
			db_name(store->db));
	return err ? err : meta_set(store, META_AUDIT_KEY, sealed_key->data, sealed_key->len, e);
}

/* A store that was made before there was a trail begins it now. */
static enum err begin_audit(struct store *store, struct error *e)
{
	struct blob key = {NULL, 0};
	enum err err = audit_mac_make_key(store->seal, &key, e);

	if (err)
		return err;
	do {
		err = db_begin(store->db, e);
		if (!err)
			err = keys_check(store, e);
		if (!err)
			err = add_first_key(store, &key, e);
	} while (db_end(store->db, &err, e));
	blob_free(&key);
	return err;
}

static enum err load_audit(struct store *store, struct error *e)
{
	struct blob key = {NULL, 0};
	enum err err = meta_get(store, META_AUDIT_KEY, &key, e);

	if (err == ERR_NOT_FOUND) {
		err = begin_audit(store, e);
		if (!err)
			err = meta_get(store, META_AUDIT_KEY, &key, e);
	}
	if (!err)
		err = audit_mac_open(store->seal, &key, &store->audit_mac, e);
	blob_free(&key);
	return err;
}

/* This happens once. From then on a row without a MAC was written by somebody else. */
static enum err begin_rows(struct store *store, struct error *e)
{
	enum err err;

	if (store->rows_have_macs)
		return ERR_OK;
	err = rows_begin(store, e);
	return err ? err : keys_load(store, e);
}

enum err audit_open(struct store *store, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = store->audit_mac ? ERR_OK : load_audit(store, e);
		if (!err)
			err = begin_rows(store, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

/* --- another entry */

/* The newest entry: its number and MAC; 0 and zeros if there is none. */
static enum err read_newest(
	struct store *store, int64_t *id, unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	static const char sql[] = "SELECT id, mac FROM audit ORDER BY id DESC LIMIT 1";
	struct db_rows *row = NULL;
	const void *written;
	size_t len = 0;
	enum err err = db_first(store->db, sql, NULL, 0, &row, e);

	*id = 0;
	memset(mac, 0, AUDIT_MAC_SIZE);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	written = db_column_bytes(row, 1, &len);
	if (written && len == AUDIT_MAC_SIZE) {
		*id = db_column_integer(row, 0);
		memcpy(mac, written, AUDIT_MAC_SIZE);
	} else {
		err = error_set(e, ERR_ALTERED, "%s: the newest entry of its audit trail is broken",
			db_name(store->db));
	}
	db_done(row);
	return err;
}

static enum err insert(struct store *store, const struct audit_row *row,
	const unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	static const char sql[] =
		"INSERT INTO audit (id, at, action, request_id, actor, device_uuid, user_uuid,"
		"	serial, detail, mac)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
	const struct db_value values[] = {DB_INTEGER(row->id), DB_INTEGER(row->at),
		DB_TEXT(row->action), DB_TEXT(row->request_id), DB_TEXT(row->actor),
		DB_TEXT(row->device_uuid), DB_TEXT(row->user_uuid), DB_TEXT(row->serial),
		DB_TEXT(row->detail), DB_BLOB(mac, AUDIT_MAC_SIZE)};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

enum err audit_append(struct store *store, const struct store_audit *entry, struct error *e)
{
	unsigned char mac[AUDIT_MAC_SIZE], head[AUDIT_MAC_SIZE];
	struct audit_row row = {
		.at = clock_now(),
		.action = audit_action_names[entry->action],
		.request_id = log_request(),
		.actor = audit_actor(store->audit_mac),
		.device_uuid = text_or_empty(entry->device_uuid),
		.user_uuid = text_or_empty(entry->user_uuid),
		.serial = text_or_empty(entry->serial),
		.detail = text_or_empty(entry->detail),
	};
	enum err err = read_newest(store, &row.id, mac, e);

	row.id++;
	if (!err)
		err = audit_mac_entry(store->audit_mac, &row, mac, mac, e);
	if (!err)
		err = audit_mac_head(store->audit_mac, row.id, mac, head, e);
	if (!err)
		err = insert(store, &row, mac, e);
	if (!err)
		err = meta_set(store, META_AUDIT_HEAD, head, sizeof(head), e);
	return err ? error_context(e, "audit trail") : ERR_OK;
}

enum err store_audit_add(struct store *store, const struct store_audit *entry, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = audit_append(store, entry, e);
	} while (db_end(store->db, &err, e));
	return err;
}

/* --- is it as it was written? */

static enum err tampered(const struct store *store, int64_t id, const char *how, struct error *e)
{
	return error_set(e, ERR_ALTERED, "%s: entry %lld of the audit trail %s: see a backup",
		db_name(store->db), (long long)id, how);
}

static const char *column_text(const struct db_rows *row, int column)
{
	return text_or_empty(db_column_text(row, column));
}

/* mac: of the entry before; becomes that of this one. */
static enum err verify_row(struct store *store, const struct db_rows *statement, int64_t id,
	unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	const struct audit_row row = {
		.id = db_column_integer(statement, 0),
		.at = db_column_integer(statement, 1),
		.action = column_text(statement, 2),
		.request_id = column_text(statement, 3),
		.actor = column_text(statement, 4),
		.device_uuid = column_text(statement, 5),
		.user_uuid = column_text(statement, 6),
		.serial = column_text(statement, 7),
		.detail = column_text(statement, 8),
	};
	size_t len = 0;
	const void *written = db_column_bytes(statement, 9, &len);
	bool whole = written && len == AUDIT_MAC_SIZE;
	enum err err = row.id == id ? ERR_OK : tampered(store, id, "is missing", e);

	if (!err)
		err = audit_mac_entry(store->audit_mac, &row, mac, mac, e);
	if (!err && !(whole && secret_equal(mac, written, AUDIT_MAC_SIZE)))
		err = tampered(store, id, "was altered", e);
	return err;
}

static enum err verify_rows(
	struct store *store, int64_t *count, unsigned char mac[AUDIT_MAC_SIZE], struct error *e)
{
	static const char sql[] =
		"SELECT id, at, action, request_id, actor, device_uuid, user_uuid, serial, detail,"
		"	mac FROM audit ORDER BY id";
	struct db_rows *row = NULL;
	bool more = true;
	enum err err = db_start(store->db, sql, NULL, 0, &row, e);

	memset(mac, 0, AUDIT_MAC_SIZE);
	for (*count = 0; !err && more;) {
		err = db_next(row, &more, e);
		if (!err && more)
			err = verify_row(store, row, ++*count, mac, e);
	}
	db_done(row);
	return err;
}

static enum err verify_head(struct store *store, int64_t count,
	const unsigned char newest[AUDIT_MAC_SIZE], struct error *e)
{
	unsigned char expected[AUDIT_MAC_SIZE];
	struct blob head = {NULL, 0};
	enum err err = audit_mac_head(store->audit_mac, count, newest, expected, e);

	if (!err)
		err = meta_get(store, META_AUDIT_HEAD, &head, e);
	if (err == ERR_NOT_FOUND && count == 0)
		return ERR_OK;
	if (err == ERR_NOT_FOUND ||
		(!err && !(head.len == sizeof(expected) &&
				 secret_equal(head.data, expected, sizeof(expected)))))
		err = tampered(store, count + 1, "and maybe more are missing", e);
	blob_free(&head);
	return err;
}

static void copy_text(const struct db_rows *row, int column, char *out, size_t size)
{
	const char *text = db_column_text(row, column);

	snprintf(out, size, "%s", text_or_empty(text));
}

/* An index of its own keeps this fast, however long the trail is. */
enum err store_audit_conflicts(struct store *store, struct store_conflicts *out, struct error *e)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM audit WHERE action = 'address conflict'),"
		"	at, user_uuid, detail FROM audit WHERE action = 'address conflict'"
		" ORDER BY at DESC LIMIT 1";
	struct store_conflicts conflicts = {.count = 0};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, NULL, 0, &row, e);

	if (!err) {
		conflicts.count = db_column_integer(row, 0);
		conflicts.at = db_column_integer(row, 1);
		copy_text(row, 2, conflicts.user_uuid, sizeof(conflicts.user_uuid));
		copy_text(row, 3, conflicts.detail, sizeof(conflicts.detail));
	}
	db_done(row);
	if (err && err != ERR_NOT_FOUND)
		return err;
	*out = conflicts;
	return ERR_OK;
}

/* Reads in one transaction, as other processes may append meanwhile. */
enum err store_audit_verify(struct store *store, int64_t *count, struct error *e)
{
	unsigned char newest[AUDIT_MAC_SIZE];
	int64_t found = 0;
	enum err err;

	do {
		err = db_begin_read(store->db, e);
		if (!err)
			err = verify_rows(store, &found, newest, e);
		if (!err)
			err = verify_head(store, found, newest, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*count = found;
	return err;
}
