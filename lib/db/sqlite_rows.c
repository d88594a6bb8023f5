/* Statements of the SQLite driver: prepared once, their values, and their rows. */
#include <stdlib.h>
#include <string.h>

#include "db/sqlite.h"

/* --- preparing */

/* "$12" is 12. */
static unsigned number_of(const char *name)
{
	unsigned long n = name && name[0] == '$' ? strtoul(name + 1, NULL, 10) : 0;

	return n <= DB_PARAMETERS_MAX ? (unsigned)n : 0;
}

static enum err find_parameters(struct sqlite_rows *rows, struct error *e)
{
	int count = sqlite3_bind_parameter_count(rows->statement);

	memset(rows->at, 0, sizeof(rows->at));
	for (int i = 1; i <= count; i++) {
		const char *name = sqlite3_bind_parameter_name(rows->statement, i);
		unsigned n = number_of(name);

		if (n == 0)
			return error_set(e, ERR_INTERNAL, "a parameter is no number: %.20s",
				name ? name : "?");
		rows->at[n] = (unsigned char)i;
	}
	return ERR_OK;
}

static enum err prepare(struct sqlite *sqlite, const char *sql, unsigned flags,
	struct sqlite_rows *rows, struct error *e)
{
	enum err err;

	if (sqlite3_prepare_v3(sqlite->handle, sql, -1, flags, &rows->statement, NULL))
		return sqlite_failure(sqlite, e);
	rows->rows.db = &sqlite->db;
	err = find_parameters(rows, e);
	if (err) {
		sqlite3_finalize(rows->statement);
		rows->statement = NULL;
	}
	return err;
}

static enum err find_kept(
	struct sqlite *sqlite, const char *sql, struct sqlite_rows **out, struct error *e)
{
	struct sqlite_rows *rows;
	enum err err;

	for (size_t i = 0; i < sqlite->kept_count; i++) {
		if (sqlite->kept[i].sql == sql) {
			*out = &sqlite->kept[i];
			return ERR_OK;
		}
	}
	if (sqlite->kept_count == STATEMENTS_MAX)
		return error_set(e, ERR_INTERNAL, "more than %d SQL statements", STATEMENTS_MAX);
	rows = &sqlite->kept[sqlite->kept_count];
	err = prepare(sqlite, sql, SQLITE_PREPARE_PERSISTENT, rows, e);
	if (err)
		return err;
	rows->sql = sql;
	sqlite->kept_count++;
	*out = rows;
	return ERR_OK;
}

static enum err make_once(
	struct sqlite *sqlite, const char *sql, struct sqlite_rows **out, struct error *e)
{
	struct sqlite_rows *rows = calloc(1, sizeof(*rows));
	enum err err = rows ? prepare(sqlite, sql, 0, rows, e) : error_memory(e);

	if (err)
		free(rows);
	else
		*out = rows;
	return err;
}

void sqlite_rows_close(struct sqlite *sqlite)
{
	for (size_t i = 0; i < sqlite->kept_count; i++)
		sqlite3_finalize(sqlite->kept[i].statement);
}

/* --- values */

static int bind(sqlite3_stmt *statement, int at, const struct db_value *value)
{
	switch (value->type) {
	case DB_TYPE_INTEGER:
	case DB_TYPE_BOOLEAN:
		return sqlite3_bind_int64(statement, at, value->integer);
	case DB_TYPE_TEXT:
		return sqlite3_bind_text(statement, at, value->data, -1, SQLITE_STATIC);
	case DB_TYPE_BLOB:
		return sqlite3_bind_blob64(statement, at, value->data, value->len, SQLITE_STATIC);
	case DB_TYPE_NULL:
		break;
	}
	return sqlite3_bind_null(statement, at);
}

static enum err bind_all(struct sqlite *sqlite, const struct sqlite_rows *rows,
	const struct db_value *values, size_t count, struct error *e)
{
	for (size_t n = 1; n < sizeof(rows->at); n++) {
		if (!rows->at[n])
			continue;
		if (n > count)
			return error_set(e, ERR_INTERNAL,
				"a statement has no value for $%zu: %.100s", n,
				sqlite3_sql(rows->statement));
		if (bind(rows->statement, rows->at[n], &values[n - 1]))
			return sqlite_failure(sqlite, e);
	}
	return ERR_OK;
}

/* --- running */

enum err sqlite_rows_start(struct db *db, const char *sql, bool once, const struct db_value *values,
	size_t count, struct db_rows **out, struct error *e)
{
	struct sqlite *sqlite = (struct sqlite *)db;
	struct sqlite_rows *rows = NULL;
	enum err err = once ? make_once(sqlite, sql, &rows, e) : find_kept(sqlite, sql, &rows, e);

	if (err || !rows)
		return err;
	if (rows->in_use)
		return error_set(e, ERR_INTERNAL, "a statement is still in use: %.100s", sql);
	rows->in_use = true;
	err = bind_all(sqlite, rows, values, count, e);
	if (err)
		sqlite_rows_done(&rows->rows);
	else
		*out = &rows->rows;
	return err;
}

enum err sqlite_rows_next(struct db_rows *rows, bool *row, struct error *e)
{
	int code = sqlite3_step(((struct sqlite_rows *)rows)->statement);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return sqlite_failure((struct sqlite *)rows->db, e);
	*row = code == SQLITE_ROW;
	return ERR_OK;
}

void sqlite_rows_done(struct db_rows *base)
{
	struct sqlite_rows *rows = (struct sqlite_rows *)base;

	if (!rows->sql) {
		sqlite3_finalize(rows->statement);
		free(rows);
		return;
	}
	sqlite3_reset(rows->statement); /* repeats the error of the last step, which is known */
	sqlite3_clear_bindings(rows->statement);
	rows->in_use = false;
}

/* Nothing is gained by keeping one back: there is no way to go. */
enum err sqlite_rows_run(struct db *db, const char *sql, const struct db_value *values,
	size_t count, struct error *e)
{
	struct db_rows *rows = NULL;
	bool row = true;
	enum err err = sqlite_rows_start(db, sql, false, values, count, &rows, e);

	if (err)
		return err;
	while (!err && row)
		err = sqlite_rows_next(rows, &row, e);
	sqlite_rows_done(rows);
	return err;
}

enum err sqlite_rows_change(struct db *db, const char *sql, const struct db_value *values,
	size_t count, int64_t *changed, struct error *e)
{
	enum err err = sqlite_rows_run(db, sql, values, count, e);

	if (!err)
		*changed = sqlite3_changes(((struct sqlite *)db)->handle);
	return err;
}

/* --- columns */

static sqlite3_stmt *statement_of(const struct db_rows *rows)
{
	return ((const struct sqlite_rows *)rows)->statement;
}

int sqlite_rows_columns(const struct db_rows *rows)
{
	return sqlite3_column_count(statement_of(rows));
}

const char *sqlite_rows_column_name(const struct db_rows *rows, int column)
{
	return sqlite3_column_name(statement_of(rows), column);
}

enum db_type sqlite_rows_column_type(const struct db_rows *rows, int column)
{
	switch (sqlite3_column_type(statement_of(rows), column)) {
	case SQLITE_NULL:
		return DB_TYPE_NULL;
	case SQLITE_INTEGER:
		return DB_TYPE_INTEGER;
	case SQLITE_BLOB:
		return DB_TYPE_BLOB;
	default:
		return DB_TYPE_TEXT;
	}
}

int64_t sqlite_rows_column_integer(const struct db_rows *rows, int column)
{
	return sqlite3_column_int64(statement_of(rows), column);
}

const char *sqlite_rows_column_text(const struct db_rows *rows, int column)
{
	return (const char *)sqlite3_column_text(statement_of(rows), column);
}

const void *sqlite_rows_column_bytes(const struct db_rows *rows, int column, size_t *len)
{
	const void *data = sqlite3_column_blob(statement_of(rows), column);

	*len = (size_t)sqlite3_column_bytes(statement_of(rows), column);
	return data;
}
