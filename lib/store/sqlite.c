#include "store/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* The connection, its transactions, and the table of what the engine does. */

/* For programs that do not use our lock: recovery after a crash, backups, sqlite3(1). */
#define BUSY_WAIT_MS 5000

#define KEY_CHECK "key-check"

/* --- write transactions */

/* Writes to a file that has no name any more are lost. */
static enum err check_in_place(struct sqlite *db, struct error *e)
{
	int moved = 0;

	if (sqlite3_file_control(db->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved))
		return sqlite_error(db, e);
	if (moved)
		return error_set(e, ERR_UNAVAILABLE,
			"%s was moved or deleted while it was in use; restart certprov.fcgi",
			db->path);
	return ERR_OK;
}

enum err sqlite_begin(struct sqlite *db, struct error *e)
{
	enum err err = sqlite_lock_take(db, e);

	if (err)
		return err;
	err = check_in_place(db, e);
	if (!err)
		err = sqlite_run(db, "BEGIN IMMEDIATE", NULL, 0, e);
	if (err)
		sqlite_lock_release(db);
	return err;
}

enum err sqlite_end(struct sqlite *db, enum err err, struct error *e)
{
	struct error ignored;

	if (!err)
		err = sqlite_run(db, "COMMIT", NULL, 0, e);
	/* Some failures have rolled back already; a rollback itself cannot fail. */
	if (err && !sqlite3_get_autocommit(db->db) && sqlite_run(db, "ROLLBACK", NULL, 0, &ignored))
		error_context(e, "not rolled back");
	sqlite_lock_release(db);
	return err;
}

/* --- connection */

static void close_database(struct sqlite *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->kept_count; i++)
		sqlite3_finalize(db->kept[i].statement);
	sqlite3_close(db->db);
	if (db->lock >= 0)
		close(db->lock);
	free(db->gateways);
	free(db->path);
	free(db);
}

static enum err open_files(struct sqlite *db, struct error *e)
{
	struct stat st;
	enum err err;

	if (stat(db->path, &st) < 0 && errno == ENOENT)
		return error_set(
			e, ERR_CONFIG, "%s: there is no store here; run: certprov init", db->path);
	if (stat(db->path, &st) < 0)
		return error_errno(e, ERR_CONFIG, "%s", db->path);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERR_CONFIG, "%s is not a regular file", db->path);
	err = sqlite_lock_open(db, &st, e);
	if (err)
		return err;
	if (sqlite3_open_v2(db->path, &db->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL))
		return db->db ? sqlite_error(db, e) : error_memory(e);
	if (sqlite3_db_readonly(db->db, "main") == 1)
		return error_set(e, ERR_CONFIG, "%s: user %u must be able to write it", db->path,
			(unsigned)geteuid());
	return ERR_OK;
}

/* Settings that last as long as the connection. */
static enum err set_up(struct sqlite *db, struct error *e)
{
	static const char settings[] = "PRAGMA trusted_schema = OFF;"
				       "PRAGMA foreign_keys = ON;"
				       "PRAGMA secure_delete = ON;"
				       "PRAGMA synchronous = FULL;";

	if (sqlite3_busy_timeout(db->db, BUSY_WAIT_MS) ||
		sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) ||
		sqlite3_exec(db->db, settings, NULL, NULL, NULL))
		return sqlite_error(db, e);
	return ERR_OK;
}

/* The one setting that the file remembers. */
static enum err set_journal(struct sqlite *db, struct error *e)
{
	sqlite3_stmt *statement = NULL;
	bool row = false;
	const char *mode = "";
	enum err err = sqlite_start(db, "PRAGMA journal_mode = WAL", NULL, 0, &statement, e);

	if (!err)
		err = sqlite_next(db, statement, &row, e);
	if (!err && row)
		mode = (const char *)sqlite3_column_text(statement, 0);
	if (!err && strcmp(mode ? mode : "", "wal") != 0)
		err = error_set(e, ERR_CONFIG,
			"%s: no write-ahead log is possible here; a store must lie on a local disk",
			db->path);
	sqlite_done(statement);
	return err;
}

static enum err open_database(const char *path, bool fresh, struct sqlite **out, struct error *e)
{
	struct sqlite *db = calloc(1, sizeof(*db));
	enum err err;

	if (!db)
		return error_memory(e);
	db->lock = -1;
	db->path = strdup(path);
	err = db->path ? open_files(db, e) : error_memory(e);
	if (!err)
		err = set_up(db, e);
	if (!err && !fresh)
		err = sqlite_identify(db, e);
	if (!err)
		err = set_journal(db, e);
	if (!err)
		err = sqlite_migrate(db, e);
	if (err) {
		close_database(db);
		return err;
	}
	*out = db;
	return ERR_OK;
}

/* --- operations of the engine */

#define GATEWAYS_MAX (64 * 1024)

/* A line each, so that one is found as a string. */
static enum err name_gateways(struct sqlite *db, char *const *urls, struct error *e)
{
	struct buf lines = BUF_INIT(GATEWAYS_MAX);
	enum err err;

	if (!urls)
		return ERR_OK;
	buf_putc(&lines, '\n');
	for (; *urls; urls++)
		buf_printf(&lines, "%s\n", *urls);
	err = buf_check(&lines, e);
	if (!err && !(db->gateways = strdup(lines.data)))
		err = error_memory(e);
	buf_free(&lines);
	return err;
}

static enum err engine_open(const struct config *config, void **self, struct error *e)
{
	struct sqlite *db = NULL;
	enum err err = open_database(config->store.sqlite, false, &db, e);

	if (err)
		return err;
	err = name_gateways(db, config->escrow.urls, e);
	if (err)
		close_database(db);
	else
		*self = db;
	return err;
}

static void engine_close(void *self)
{
	close_database(self);
}

static enum err add_key_check(struct sqlite *db, const struct blob *key_check, struct error *e)
{
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_meta_set(db, KEY_CHECK, key_check->data, key_check->len, e);
	return sqlite_end(db, err, e);
}

static void remove_files(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *name = NULL;

		if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
			continue;
		unlink(name);
		free(name);
	}
	sqlite_lock_remove(path);
}

/* SQLite gives what lies beside the database the mode of the database. */
static enum err engine_create(
	const struct config *config, const struct blob *key_check, struct error *e)
{
	const char *path = config->store.sqlite;
	struct sqlite *db = NULL;
	enum err err = file_create(path, 0600, "", 0, e);

	if (err)
		return err;
	err = open_database(path, true, &db, e);
	if (!err)
		err = add_key_check(db, key_check, e);
	close_database(db);
	if (err)
		remove_files(path);
	return err;
}

static enum err engine_key_check(void *self, struct blob *out, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_meta_get(db, KEY_CHECK, out, e);

	if (err == ERR_NOT_FOUND)
		err = error_set(e, ERR_CONFIG,
			"%s: its set-up was never finished; remove it and run: certprov init",
			db->path);
	return err;
}

static enum err engine_ping(void *self, struct error *e)
{
	int64_t rows = 0;
	enum err err = check_in_place(self, e);

	return err ? err : sqlite_integer(self, "SELECT count(*) FROM meta", NULL, 0, 0, &rows, e);
}

const struct store_engine store_engine_sqlite = {
	.create = engine_create,
	.open = engine_open,
	.close = engine_close,
	.ping = engine_ping,
	.examine = sqlite_examine,
	.key_check = engine_key_check,
	.audit_key = sqlite_audit_key,
	.audit_begin = sqlite_audit_begin,
	.audit_use = sqlite_audit_use,
	.audit_add = sqlite_audit_add,
	.audit_conflicts = sqlite_audit_conflicts,
	.audit_verify = sqlite_audit_verify,
	.rows_begin = sqlite_rows_begin,
	.rows_verify = sqlite_rows_verify,
	.key_use = sqlite_key_use,
	.rekey_begin = sqlite_rekey_begin,
	.rekey_values = sqlite_rekey_values,
	.rekey_keys = sqlite_rekey_keys,
	.flush = sqlite_flush,
	.event_add = sqlite_event_add,
	.event_check = sqlite_event_check,
	.event_accept = sqlite_event_accept,
	.event_finish = sqlite_event_finish,
	.event_claim = sqlite_event_claim,
	.event_turn = sqlite_event_turn,
	.event_due = sqlite_event_due,
	.device_claim = sqlite_device_claim,
	.device_release = sqlite_device_release,
	.device_find = sqlite_device_find,
	.device_known = sqlite_device_known,
	.device_outdated = sqlite_device_outdated,
	.device_enrolled = sqlite_device_enrolled,
	.credential_current = sqlite_credential_current,
	.credential_add = sqlite_credential_add,
	.credential_reactivate = sqlite_credential_reactivate,
	.user_address = sqlite_user_address,
	.address_conflict = sqlite_address_conflict,
	.credential_newest = sqlite_credential_newest,
	.credential_archived = sqlite_credential_archived,
	.credential_history = sqlite_credential_history,
	.request_claim = sqlite_request_claim,
	.request_add = sqlite_request_add,
	.request_release = sqlite_request_release,
	.request_misread = sqlite_request_misread,
	.request_drop = sqlite_request_drop,
	.access_find = sqlite_access_find,
	.access_try = sqlite_access_try,
	.access_bar = sqlite_access_bar,
	.access_open = sqlite_access_open,
	.renewal_next = sqlite_renewal_next,
	.renewal_count = sqlite_renewal_count,
	.renewal_list = sqlite_renewal_list,
	.user_claim = sqlite_user_claim,
	.user_keep = sqlite_user_keep,
	.user_release = sqlite_user_release,
	.user_enrollment = sqlite_user_enrollment,
	.credential_find = sqlite_credential_find,
	.credential_unenrolled = sqlite_credential_unenrolled,
	.credential_revoke = sqlite_credential_revoke,
	.crl_current = sqlite_crl_current,
	.crl_head = sqlite_crl_head,
	.crl_begin = sqlite_crl_begin,
	.crl_publish = sqlite_crl_publish,
	.upload_record = sqlite_upload_record,
	.upload_last = sqlite_upload_last,
	.list = sqlite_list,
	.count_ending = sqlite_count_ending,
	.count = sqlite_count,
};
