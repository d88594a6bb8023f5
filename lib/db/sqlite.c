/* The SQLite driver: a database in a file, its connection, transactions and schema words. */
#include "db/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* For programs that do not use our lock: recovery after a crash, backups, sqlite3(1). */
#define BUSY_WAIT_MS 5000

/* The header of the file tells that it is ours, and the version of its schema: see the PRAGMAs. */
#define APPLICATION_ID 0x43505256 /* "CPRV" */

#define PRAGMA_SIZE 64

/* --- transactions */

/* Writes to a file that has no name any more are lost. */
static enum err check_in_place(struct sqlite *sqlite, struct error *e)
{
	int moved = 0;

	if (sqlite3_file_control(sqlite->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved))
		return sqlite_failure(sqlite, e);
	if (moved)
		return error_set(e, ERR_UNAVAILABLE,
			"%s was moved or deleted while it was in use; restart certprov.fcgi",
			sqlite->path);
	return ERR_OK;
}

static enum err begin(struct db *db, struct error *e)
{
	struct sqlite *sqlite = (struct sqlite *)db;
	enum err err = sqlite_turn_take(sqlite, e);

	if (err)
		return err;
	err = check_in_place(sqlite, e);
	if (!err)
		err = sqlite_rows_run(db, "BEGIN IMMEDIATE", NULL, 0, e);
	if (err)
		sqlite_turn_release(sqlite);
	sqlite->writing = !err;
	return err;
}

static enum err begin_read(struct db *db, struct error *e)
{
	return sqlite_rows_run(db, "BEGIN", NULL, 0, e);
}

/* Nobody else writes meanwhile, so that nothing is ever to be run again. */
static enum err end(struct db *db, enum err err, bool *again, struct error *e)
{
	struct sqlite *sqlite = (struct sqlite *)db;
	struct error ignored;

	*again = false;
	if (!err)
		err = sqlite_rows_run(db, "COMMIT", NULL, 0, e);
	/* Some failures have rolled back already; a rollback itself cannot fail. */
	if (err && !sqlite3_get_autocommit(sqlite->handle) &&
		sqlite_rows_run(db, "ROLLBACK", NULL, 0, &ignored))
		error_context(e, "not rolled back");
	if (sqlite->writing)
		sqlite_turn_release(sqlite);
	sqlite->writing = false;
	return err;
}

/* What was run has been run. */
static enum err flush(struct db *db, struct error *e)
{
	(void)db;
	(void)e;
	return ERR_OK;
}

/* --- connection */

static void close_database(struct db *db)
{
	struct sqlite *sqlite = (struct sqlite *)db;

	sqlite_rows_close(sqlite);
	sqlite3_close(sqlite->handle);
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	free(sqlite->path);
	free(sqlite);
}

static enum err open_files(struct sqlite *sqlite, struct error *e)
{
	const char *path = sqlite->path;
	struct stat st;
	enum err err;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return error_set(
			e, ERR_CONFIG, "%s: there is no store here; run: certprov init", path);
	if (stat(path, &st) < 0)
		return error_errno(e, ERR_CONFIG, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERR_CONFIG, "%s is not a regular file", path);
	err = sqlite_turn_open(sqlite, &st, e);
	if (err)
		return err;
	if (sqlite3_open_v2(path, &sqlite->handle,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL))
		return sqlite->handle ? sqlite_failure(sqlite, e) : error_memory(e);
	if (sqlite3_db_readonly(sqlite->handle, "main") == 1)
		return error_set(e, ERR_CONFIG, "%s: user %u must be able to write it", path,
			(unsigned)geteuid());
	return ERR_OK;
}

/* Settings that last as long as the connection. */
static enum err set_up(struct sqlite *sqlite, struct error *e)
{
	static const char settings[] = "PRAGMA trusted_schema = OFF;"
				       "PRAGMA foreign_keys = ON;"
				       "PRAGMA secure_delete = ON;"
				       "PRAGMA synchronous = FULL;";

	if (sqlite3_busy_timeout(sqlite->handle, BUSY_WAIT_MS) ||
		sqlite3_db_config(sqlite->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) ||
		sqlite3_exec(sqlite->handle, settings, NULL, NULL, NULL))
		return sqlite_failure(sqlite, e);
	return ERR_OK;
}

static enum err read_version(struct db *db, int64_t *version, struct error *e)
{
	return db_integer(db, "PRAGMA user_version", NULL, 0, 0, version, e);
}

/* ERR_CONFIG unless it is one of ours. */
static enum err identify(struct sqlite *sqlite, struct error *e)
{
	int64_t id = 0, version = 0;
	enum err err = db_integer(&sqlite->db, "PRAGMA application_id", NULL, 0, 0, &id, e);

	if (!err)
		err = read_version(&sqlite->db, &version, e);
	if (!err && (id != APPLICATION_ID || version == 0))
		err = error_set(e, ERR_CONFIG,
			"%s is no certprov store, or its set-up was never finished: name the "
			"right file as [store] url, or move this one away and run: certprov init",
			sqlite->path);
	return err;
}

/* The one setting that the file remembers. */
static enum err set_journal(struct sqlite *sqlite, struct error *e)
{
	struct db_rows *rows = NULL;
	const char *mode = "";
	enum err err = db_first(&sqlite->db, "PRAGMA journal_mode = WAL", NULL, 0, &rows, e);

	if (!err)
		mode = db_column_text(rows, 0);
	if (!err && strcmp(mode ? mode : "", "wal") != 0)
		err = error_set(e, ERR_CONFIG,
			"%s: no write-ahead log is possible here; a store must lie on a local disk",
			sqlite->path);
	db_done(rows);
	return err;
}

static enum err open_database(const char *path, bool fresh, struct db **out, struct error *e)
{
	struct sqlite *sqlite = calloc(1, sizeof(*sqlite));
	enum err err;

	if (!sqlite)
		return error_memory(e);
	sqlite->db.driver = &db_sqlite;
	sqlite->lock = -1;
	sqlite->path = strdup(path);
	err = sqlite->path ? open_files(sqlite, e) : error_memory(e);
	if (!err)
		err = set_up(sqlite, e);
	if (!err && !fresh)
		err = identify(sqlite, e);
	if (!err)
		err = set_journal(sqlite, e);
	if (err)
		close_database(&sqlite->db);
	else
		*out = &sqlite->db;
	return err;
}

static enum err open_existing(const char *path, struct db **out, struct error *e)
{
	return open_database(path, false, out, e);
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
	sqlite_turn_remove(path);
}

/* SQLite gives what lies beside the database the mode of the database. */
static enum err create(const char *path, struct db **out, struct error *e)
{
	enum err err = file_create(path, 0600, "", 0, e);

	if (err)
		return err;
	err = open_database(path, true, out, e);
	if (err)
		remove_files(path);
	return err;
}

static void discard(struct db *db)
{
	char *path = strdup(((struct sqlite *)db)->path);

	close_database(db);
	if (path)
		remove_files(path);
	free(path);
}

static const char *name(const struct db *db)
{
	return ((const struct sqlite *)db)->path;
}

/* --- schema */

static const struct db_word words[] = {
	{"integer", "INTEGER"},
	{"blob", "BLOB"},
	{"id", "INTEGER PRIMARY KEY"},
	{"id once", "INTEGER PRIMARY KEY AUTOINCREMENT"},
	{"", " STRICT"},
	{"by key", " STRICT, WITHOUT ROWID"},
	{"no case", " COLLATE NOCASE"},
	{"append only", "CREATE TRIGGER @_no_update BEFORE UPDATE ON @"
			" BEGIN SELECT raise(ABORT, 'the @ trail is append-only'); END;"
			"CREATE TRIGGER @_no_delete BEFORE DELETE ON @"
			" BEGIN SELECT raise(ABORT, 'the @ trail is append-only'); END;"},
	{NULL, NULL},
};

static enum err set_version(struct db *db, const char *script, int64_t version, struct error *e)
{
	struct sqlite *sqlite = (struct sqlite *)db;
	char pragma[2 * PRAGMA_SIZE];

	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d; PRAGMA user_version = %lld;",
		APPLICATION_ID, (long long)version);
	if (sqlite3_exec(sqlite->handle, script, NULL, NULL, NULL) ||
		sqlite3_exec(sqlite->handle, pragma, NULL, NULL, NULL))
		return sqlite_failure(sqlite, e);
	return ERR_OK;
}

/* --- upkeep */

static enum err ping(struct db *db, struct error *e)
{
	int64_t version = 0;
	enum err err = check_in_place((struct sqlite *)db, e);

	return err ? err : read_version(db, &version, e);
}

/* SQLite's report has the facts in its second line, after a headline. */
static const char *last_line(const char *text)
{
	const char *end = strrchr(text, '\n');

	return end && end[1] ? end + 1 : text;
}

/* Is the file as SQLite would have it? All but whether the indexes agree with their tables. */
static enum err examine(struct db *db, struct error *e)
{
	struct db_rows *rows = NULL;
	const char *said = NULL;
	bool row = false;
	enum err err = db_start_once(db, "PRAGMA quick_check(1)", NULL, 0, &rows, e);

	if (!err)
		err = db_next(rows, &row, e);
	if (!err && row)
		said = db_column_text(rows, 0);
	if (said && strcmp(said, "ok") != 0)
		err = error_set(e, ERR_CONFIG, "%s is damaged; restore it from a backup: %.200s",
			name(db), last_line(said));
	db_done(rows);
	return err;
}

/*
 * Overwritten data is still in the write-ahead log, until all of that is in the database and it is
 * cut off. A reader that does not end holds it up.
 */
static enum err scrub(struct db *db, struct error *e)
{
	struct sqlite *sqlite = (struct sqlite *)db;
	int64_t busy = 1;
	enum err err = sqlite_turn_take(sqlite, e);

	if (err)
		return err;
	err = db_integer(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, 0, 1, &busy, e);
	sqlite_turn_release(sqlite);
	if (!err && busy)
		err = error_set(e, ERR_UNAVAILABLE,
			"%s is being read by others all the time; do the same again later",
			sqlite->path);
	return err;
}

const struct db_driver db_sqlite = {
	.create = create,
	.open = open_existing,
	.close = close_database,
	.discard = discard,
	.name = name,
	.begin = begin,
	.begin_read = begin_read,
	.end = end,
	.run = sqlite_rows_run,
	.change = sqlite_rows_change,
	.flush = flush,
	.start = sqlite_rows_start,
	.next = sqlite_rows_next,
	.done = sqlite_rows_done,
	.columns = sqlite_rows_columns,
	.column_name = sqlite_rows_column_name,
	.column_type = sqlite_rows_column_type,
	.column_integer = sqlite_rows_column_integer,
	.column_text = sqlite_rows_column_text,
	.column_bytes = sqlite_rows_column_bytes,
	.version = read_version,
	.set_version = set_version,
	.words = words,
	.ping = ping,
	.examine = examine,
	.scrub = scrub,
	.reserve = sqlite_turn_reserve,
};
