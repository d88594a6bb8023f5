#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- errors */

/* Busy, full or out of reach: the same again may work later. */
static bool may_pass(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return true;
	default:
		return false;
	}
}

/* The access that the folder gives us to the files that SQLite keeps beside the store. */
static const char *folder_fault(const struct sqlite *db, char folder[PATH_MAX])
{
	const char *slash = strrchr(db->path, '/');
	int len = slash ? (int)(slash - db->path) : 1;

	snprintf(folder, PATH_MAX, "%.*s", len ? len : 1, slash ? db->path : ".");
	if (access(folder, F_OK) < 0)
		return errno == EACCES ? "a folder above it is closed to this user: chmod +x that"
				       : "the folder is not there: is its file system mounted?";
	if (access(folder, W_OK | X_OK) < 0)
		return errno == EROFS
			       ? "its file system is mounted read-only: remount it"
			       : "this user cannot write in the folder, where SQLite keeps "
				 "a -wal and a -shm file beside it: chown or chmod the folder";
	return NULL;
}

/* The store, or a file beside it, that is closed to us: as root's are where root opened it first.
 */
static bool find_closed(const struct sqlite *db, char path[PATH_MAX], uid_t *owner)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(path, PATH_MAX, "%s%s", db->path, suffixes[i]);
		if (stat(path, &st) < 0 || access(path, R_OK | W_OK) == 0)
			continue;
		*owner = st.st_uid;
		return true;
	}
	return false;
}

static bool has_descriptor(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* SQLITE_CANTOPEN says nothing but its number 14; what it met is looked for afterwards. */
static enum err cannot_open(struct sqlite *db, const char *text, struct error *e)
{
	int cause = sqlite3_system_errno(db->db);
	char path[PATH_MAX];
	const char *fault;
	uid_t owner = 0;

	if (cause == EMFILE || cause == ENFILE || !has_descriptor())
		return error_set(e, ERR_UNAVAILABLE,
			"%s: no file descriptor is left for it: raise LimitNOFILE= of the unit, or "
			"ulimit -n (SQLite error 14)",
			db->path);
	if (find_closed(db, path, &owner))
		return error_set(e, ERR_UNAVAILABLE,
			"%s belongs to user %u, and user %u must be able to read and write it: "
			"chown it",
			path, (unsigned)owner, (unsigned)geteuid());
	fault = folder_fault(db, path);
	if (fault)
		return error_set(e, ERR_UNAVAILABLE, "%s cannot be opened by user %u: %s: %s",
			db->path, (unsigned)geteuid(), path, fault);
	return error_set(e, ERR_UNAVAILABLE,
		"%s cannot be opened by user %u (%s): it, its -wal and its -shm file must be "
		"regular "
		"files",
		db->path, (unsigned)geteuid(), cause ? strerror(cause) : text);
}

enum err sqlite_error(struct sqlite *db, struct error *e)
{
	int code = sqlite3_extended_errcode(db->db);
	const char *text = sqlite3_errmsg(db->db);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return error_memory(e);
	case SQLITE_NOTADB:
		return error_set(e, ERR_CONFIG,
			"%s is no certprov store (%s): name the right file as [store] url",
			db->path, text);
	case SQLITE_CORRUPT:
		return error_set(e, ERR_CONFIG, "%s is damaged; restore it from a backup: %s",
			db->path, text);
	case SQLITE_CANTOPEN:
		return cannot_open(db, text, e);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return error_set(e, ERR_CONFIG,
			"%s: user %u must be able to write the file and its folder: %s", db->path,
			(unsigned)geteuid(), text);
	default:
		return error_set(e, may_pass(code) ? ERR_UNAVAILABLE : ERR_INTERNAL,
			"%s: %s (SQLite error %d)", db->path, text, code);
	}
}

/* --- statements */

static enum err prepare(struct sqlite *db, const char *sql, sqlite3_stmt **out, struct error *e)
{
	sqlite3_stmt *statement = NULL;

	for (size_t i = 0; i < db->kept_count; i++) {
		if (db->kept[i].sql == sql) {
			*out = db->kept[i].statement;
			return ERR_OK;
		}
	}
	if (db->kept_count == STATEMENTS_MAX)
		return error_set(e, ERR_INTERNAL, "more than %d SQL statements", STATEMENTS_MAX);
	if (sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL))
		return sqlite_error(db, e);
	db->kept[db->kept_count].sql = sql;
	db->kept[db->kept_count++].statement = statement;
	*out = statement;
	return ERR_OK;
}

static int bind(sqlite3_stmt *statement, int at, const struct value *value)
{
	switch (value->type) {
	case SQLITE_INTEGER:
		return sqlite3_bind_int64(statement, at, value->integer);
	case SQLITE_TEXT:
		return sqlite3_bind_text(statement, at, value->data, -1, SQLITE_STATIC);
	default:
		return sqlite3_bind_blob64(statement, at, value->data, value->len, SQLITE_STATIC);
	}
}

static enum err bind_all(struct sqlite *db, sqlite3_stmt *statement, const struct value *values,
	size_t count, struct error *e)
{
	for (size_t i = 0; i < count; i++)
		if (bind(statement, (int)i + 1, &values[i]))
			return sqlite_error(db, e);
	return ERR_OK;
}

enum err sqlite_start(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	sqlite3_stmt **out, struct error *e)
{
	sqlite3_stmt *statement = NULL;
	enum err err = prepare(db, sql, &statement, e);

	if (!err)
		err = bind_all(db, statement, values, count, e);
	if (err) {
		sqlite_done(statement);
		return err;
	}
	*out = statement;
	return ERR_OK;
}

enum err sqlite_first(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	sqlite3_stmt **out, struct error *e)
{
	sqlite3_stmt *statement = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, values, count, &statement, e);

	if (!err)
		err = sqlite_next(db, statement, &found, e);
	if (!err && !found)
		err = error_set(e, ERR_NOT_FOUND, "%s: nothing of that is there", db->path);
	if (err)
		sqlite_done(statement);
	else
		*out = statement;
	return err;
}

enum err sqlite_start_once(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, sqlite3_stmt **out, struct error *e)
{
	sqlite3_stmt *statement = NULL;
	size_t named;
	enum err err;

	if (sqlite3_prepare_v2(db->db, sql, -1, &statement, NULL))
		return sqlite_error(db, e);
	named = (size_t)sqlite3_bind_parameter_count(statement);
	err = bind_all(db, statement, values, named < count ? named : count, e);
	if (err) {
		sqlite3_finalize(statement);
		return err;
	}
	*out = statement;
	return ERR_OK;
}

enum err sqlite_next(struct sqlite *db, sqlite3_stmt *statement, bool *row, struct error *e)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return sqlite_error(db, e);
	*row = code == SQLITE_ROW;
	return ERR_OK;
}

void sqlite_done(sqlite3_stmt *statement)
{
	if (!statement)
		return;
	sqlite3_reset(statement); /* repeats the error of the last step, which is known */
	sqlite3_clear_bindings(statement);
}

enum err sqlite_run(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	struct error *e)
{
	sqlite3_stmt *statement = NULL;
	bool row = true;
	enum err err = sqlite_start(db, sql, values, count, &statement, e);

	while (!err && row)
		err = sqlite_next(db, statement, &row, e);
	sqlite_done(statement);
	return err;
}

enum err sqlite_integer(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, int64_t fallback, int64_t *out, struct error *e)
{
	sqlite3_stmt *statement = NULL;
	bool row = false;
	enum err err = sqlite_start(db, sql, values, count, &statement, e);

	if (!err)
		err = sqlite_next(db, statement, &row, e);
	if (!err)
		*out = row ? sqlite3_column_int64(statement, 0) : fallback;
	sqlite_done(statement);
	return err;
}

enum err sqlite_text(sqlite3_stmt *statement, int column, char **out, struct error *e)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	char *copy = text ? strdup((const char *)text) : NULL;

	if (!copy)
		return error_memory(e);
	*out = copy;
	return ERR_OK;
}

enum err sqlite_blob(sqlite3_stmt *statement, int column, struct blob *out, struct error *e)
{
	const void *data = sqlite3_column_blob(statement, column);

	return blob_copy(data, (size_t)sqlite3_column_bytes(statement, column), out, e);
}
