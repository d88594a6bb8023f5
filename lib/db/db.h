#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * A database, by few verbs. Each kind of database has a driver (driver.h), so that the callers are
 * written once. A process has one connection, and one transaction at a time.
 *
 * SQL is written in the words that SQLite (3.35) and PostgreSQL (13) have in common: parameters are
 * $1, $2, …; RETURNING, ON CONFLICT, CASE, coalesce, explicit columns; "user" and "key" are quoted.
 * lower() is that of ASCII: a driver sees to it. tests/sql-subset refuses the rest.
 *
 * Errors: ERR_UNAVAILABLE when the database is busy, full or out of reach, so that the same may
 * work later; ERR_CONFIG when it is missing, damaged, no store, or closed to this user;
 * ERR_NOT_FOUND where said; ERR_INTERNAL for a statement that is wrong or breaks a constraint. A
 * row that may exist already is written with ON CONFLICT: a broken constraint is a fault of ours.
 */
struct db;
struct db_driver;

extern const struct db_driver db_sqlite; /* its place is a file */

/* --- opening */

/*
 * place: where the database is, in the driver's terms. db_create() makes an empty database and
 * opens it; ERR_CONFIG if there is one already. db_open() opens a store, maybe one with an earlier
 * schema.
 */
enum err db_create(const struct db_driver *driver, const char *place, struct db **out,
	struct error *e) must_check;
enum err db_open(const struct db_driver *driver, const char *place, struct db **out,
	struct error *e) must_check;
void db_close(struct db *db);
/* Closes the database and removes it: for one that db_create() has just made. */
void db_discard(struct db *db);

/* What it is called in messages: a file's path, a URL without a password. Borrowed. */
const char *db_name(const struct db *db);

/* --- transactions */

/*
 * A write transaction is a function that can run again:
 *
 *	do {
 *		err = db_begin(db, e);
 *		if (!err)
 *			err = finish(db, id, e);
 *	} while (db_end(db, &err, e));
 *
 * db_begin() waits for the writer's turn: nobody else writes until db_end(), and what is read
 * meanwhile stays true. A driver may let the first statement that reads wait instead, and report
 * there that the turn did not come.
 *
 * db_end() follows in any case, also after a failed db_begin(). It commits if *err is ERR_OK, else
 * it rolls back; *err becomes the result. It returns true if the transaction is to run again:
 * PostgreSQL's serialization failures, a connection that was lost before the commit. It pauses
 * before that, and gives up after some tries. So the function resets its results first, and changes
 * nothing outside the database.
 *
 * Where the connection is lost during the commit, nobody knows whether it worked. That is
 * ERR_UNAVAILABLE, and the transaction does not run again: a caller that repeats the operation must
 * find by a natural key what is there.
 */
enum err db_begin(struct db *db, struct error *e) must_check;
bool db_end(struct db *db, enum err *err, struct error *e) must_check;

/* A transaction that only reads: everything is of one moment, though others write. */
enum err db_begin_read(struct db *db, struct error *e) must_check;

/* --- statements */

/* The type goes with the value: PostgreSQL wants to know it. SQLite's booleans are 0 and 1. */
enum db_type {
	DB_TYPE_NULL, /* of columns only */
	DB_TYPE_INTEGER,
	DB_TYPE_TEXT,
	DB_TYPE_BLOB,
	DB_TYPE_BOOLEAN, /* of parameters only: a column that is one reads as 0 or 1 */
};

/* A parameter's value. The data is borrowed; NULL is NULL. */
struct db_value {
	enum db_type type;
	int64_t integer;
	const void *data;
	size_t len; /* of a blob */
};

#define DB_INTEGER(i)                                   \
	{                                               \
		.type = DB_TYPE_INTEGER, .integer = (i) \
	}
#define DB_BOOLEAN(b)                                           \
	{                                                       \
		.type = DB_TYPE_BOOLEAN, .integer = (b) ? 1 : 0 \
	}
#define DB_TEXT(s)                                \
	{                                         \
		.type = DB_TYPE_TEXT, .data = (s) \
	}
#define DB_BLOB(p, n)                                         \
	{                                                     \
		.type = DB_TYPE_BLOB, .data = (p), .len = (n) \
	}

#define DB_PARAMETERS_MAX 16

/*
 * sql is a constant that lives as long as the program: a driver knows it again by its address, and
 * prepares it once. values[0] is $1. It may use one parameter more than once, and need not use all.
 *
 * db_run() is for a statement that gives nothing. Inside a transaction a driver may keep it back,
 * to send several in one go: a failure shows at the latest in the next statement that reads, in
 * db_flush() or in db_end(). The values are not needed any more when it returns.
 */
enum err db_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct error *e) must_check;

/* Runs it now; *changed: the number of rows that it has changed. */
enum err db_change(struct db *db, const char *sql, const struct db_value *values, size_t count,
	int64_t *changed, struct error *e) must_check;

/* One that gives an integer, or fallback where it gives no row or NULL. */
enum err db_integer(struct db *db, const char *sql, const struct db_value *values, size_t count,
	int64_t fallback, int64_t *out, struct error *e) must_check;

/* One that gives a truth: false where it gives 0, NULL or no row. */
enum err db_true(struct db *db, const char *sql, const struct db_value *values, size_t count,
	bool *out, struct error *e) must_check;

/* Waits for what db_run() has kept back. */
enum err db_flush(struct db *db, struct error *e) must_check;

/*
 * The rows of a statement, one after the other. Each start needs a db_done(). The values are
 * borrowed until then. Others may be started meanwhile, but not the same again. In a transaction a
 * driver may keep a start back until the first db_next(), and send several in one go: reads that do
 * not need each other's answers are started first, and then stepped through.
 */
struct db_rows;

enum err db_start(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct db_rows **out, struct error *e) must_check;
/* As db_start(), for sql that was put together, and is forgotten by db_done(). */
enum err db_start_once(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct db_rows **out, struct error *e) must_check;
/*
 * As db_start(), and steps to the first row. ERR_NOT_FOUND if there is none: the caller may replace
 * e's text, and need not call db_done().
 */
enum err db_first(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct db_rows **out, struct error *e) must_check;
/* Steps to the next row, from the start to the first; *row is false behind the last one. */
enum err db_next(struct db_rows *rows, bool *row, struct error *e) must_check;
void db_done(struct db_rows *rows); /* NULL is fine */

/* --- columns of the current row, from 0. Borrowed: until the next step or db_done(). */

int db_columns(const struct db_rows *rows);
const char *db_column_name(const struct db_rows *rows, int column); /* borrowed; NULL: no memory */
enum db_type db_column_type(const struct db_rows *rows, int column);
int64_t db_column_integer(const struct db_rows *rows, int column); /* NULL is 0 */
bool db_column_is_null(const struct db_rows *rows, int column);
/* Borrowed; NULL for NULL, and where there is no memory. */
const char *db_column_text(const struct db_rows *rows, int column);
/* The value's bytes, borrowed: a blob's, a text's, an integer's decimal digits. */
const void *db_column_bytes(const struct db_rows *rows, int column, size_t *len);

/* Copies for the caller. */
enum err db_copy_text(
	const struct db_rows *rows, int column, char **out, struct error *e) must_check;
enum err db_copy_blob(
	const struct db_rows *rows, int column, struct blob *out, struct error *e) must_check;
/* Into an array of size bytes; ERR_CONFIG if it is too long. */
enum err db_copy_name(
	const struct db_rows *rows, int column, char *out, size_t size, struct error *e) must_check;

/* --- the schema, in a driver's words */

/* The version that db_set_version() gave it; 0 for one that is empty. */
enum err db_version(struct db *db, int64_t *version, struct error *e) must_check;

/*
 * Inside a write transaction: runs a step of the schema, several statements with ";" behind each,
 * and sets the version. What differs between databases is a word in braces:
 *
 *	{integer}          64 bits
 *	{blob}             bytes
 *	{id}               a column's type: the primary key, numbered by the database
 *	{id once}          the same; no number is ever given again
 *	{}                 behind a table's last ")"
 *	{by key}           the same, for a table that is found by its primary key alone
 *	{no case}          behind a column of an index
 *	{append only NAME} a statement: rows of that table are neither altered nor deleted
 */
enum err db_set_version(
	struct db *db, const char *step, int64_t version, struct error *e) must_check;

/* --- upkeep */

/* Does it answer, and is it still where it was? */
enum err db_ping(struct db *db, struct error *e) must_check;
/* Reads all of it and looks for damage: ERR_CONFIG. Others go on working meanwhile. */
enum err db_examine(struct db *db, struct error *e) must_check;
/* Nothing that was overwritten or deleted is left in a file. ERR_UNAVAILABLE. */
enum err db_scrub(struct db *db, struct error *e) must_check;
/* For one process alone, until it closes the database; *ours is false while another has it. */
enum err db_reserve(struct db *db, bool *ours, struct error *e) must_check;

#endif
