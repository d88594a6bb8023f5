#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include <sqlite3.h>

#include "db/driver.h"

/* Shared by the files of the SQLite driver. */

#define STATEMENTS_MAX 144

struct sqlite_rows {
	struct db_rows rows;
	const char *sql; /* NULL: of a statement that is not kept */
	sqlite3_stmt *statement;
	bool in_use;
	/* SQLite's number of parameter $n: SQLite counts in order of appearance. 0: $n is not used.
	 */
	unsigned char at[DB_PARAMETERS_MAX + 1];
};

struct sqlite {
	struct db db;
	sqlite3 *handle;
	char *path;
	int lock;     /* descriptor of PATH.lock */
	bool writing; /* it is our turn */
	struct sqlite_rows kept[STATEMENTS_MAX];
	size_t kept_count;
};

/* --- sqlite_error.c */

/* Turns a failure of SQLite into our error; the connection knows which it was. */
enum err sqlite_failure(struct sqlite *sqlite, struct error *e) must_check;

/* --- sqlite_turn.c */

struct stat;

/* database: whose owner shall own the lock, too. */
enum err sqlite_turn_open(
	struct sqlite *sqlite, const struct stat *database, struct error *e) must_check;
void sqlite_turn_remove(const char *database);

/* Waits for ten seconds at most. ERR_UNAVAILABLE. */
enum err sqlite_turn_take(struct sqlite *sqlite, struct error *e) must_check;
void sqlite_turn_release(struct sqlite *sqlite);

/* --- sqlite_rows.c */

void sqlite_rows_close(struct sqlite *sqlite);

/* --- operations of the driver, see driver.h: sqlite_turn.c, sqlite_rows.c */

enum err sqlite_turn_reserve(struct db *db, bool *ours, struct error *e) must_check;

enum err sqlite_rows_run(struct db *db, const char *sql, const struct db_value *values,
	size_t count, struct error *e) must_check;
enum err sqlite_rows_change(struct db *db, const char *sql, const struct db_value *values,
	size_t count, int64_t *changed, struct error *e) must_check;
enum err sqlite_rows_start(struct db *db, const char *sql, bool once, const struct db_value *values,
	size_t count, struct db_rows **out, struct error *e) must_check;
enum err sqlite_rows_next(struct db_rows *rows, bool *row, struct error *e) must_check;
void sqlite_rows_done(struct db_rows *rows);

int sqlite_rows_columns(const struct db_rows *rows);
const char *sqlite_rows_column_name(const struct db_rows *rows, int column);
enum db_type sqlite_rows_column_type(const struct db_rows *rows, int column);
int64_t sqlite_rows_column_integer(const struct db_rows *rows, int column);
const char *sqlite_rows_column_text(const struct db_rows *rows, int column);
const void *sqlite_rows_column_bytes(const struct db_rows *rows, int column, size_t *len);

#endif
