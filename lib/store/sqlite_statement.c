#include "store/sqlite.h"

#include <string.h>
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
	case SQLITE_CANTOPEN:
		return true;
	default:
		return false;
	}
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
