/* The database under the store that is tested: the one place that knows which it is. */

#include "tests/unit/store_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* What reads a row of a statement. */
typedef void row_reader(sqlite3_stmt *row, void *out);

void database_make(struct fixture *f)
{
	snprintf(f->database, sizeof(f->database), "%s/store.db", f->dir);
	f->config.store.sqlite = f->database;
}

/* It goes with the folder. */
void database_remove(struct fixture *f)
{
	f->config.store.sqlite = NULL;
}

/* Runs statement after statement until one fails. */
static int run(sqlite3 *db, const char *text, const struct blob *value, row_reader *read, void *out)
{
	while (*text) {
		sqlite3_stmt *statement = NULL;
		int code = sqlite3_prepare_v2(db, text, -1, &statement, &text);

		if (!code && sqlite3_bind_parameter_count(statement) > 0)
			code = sqlite3_bind_blob64(
				statement, 1, value->data, value->len, SQLITE_STATIC);
		while (!code && (code = sqlite3_step(statement)) == SQLITE_ROW) {
			if (read)
				read(statement, out);
			code = SQLITE_OK;
		}
		sqlite3_finalize(statement);
		if (code != SQLITE_DONE)
			return code;
	}
	return SQLITE_DONE;
}

/* A connection of its own. why: NULL, or what it is refused for. */
static void run_alone(struct fixture *f, const char *text, const struct blob *value,
	const char *why, row_reader *read, void *out)
{
	sqlite3 *db = NULL;
	bool done;

	assert_int_equal(sqlite3_open_v2(f->database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	done = run(db, text, value, read, out) == SQLITE_DONE;
	if (done != !why)
		fail_msg("%s: %s", text, done ? "not refused" : sqlite3_errmsg(db));
	if (why && !strstr(sqlite3_errmsg(db), why))
		fail_msg("%s: refused: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

void sql_with(struct fixture *f, const char *text, const struct blob *value)
{
	run_alone(f, text, value, NULL, NULL, NULL);
}

void sql(struct fixture *f, const char *text)
{
	unsigned char zeros[32] = {0};
	const struct blob value = {zeros, sizeof(zeros)};

	sql_with(f, text, &value);
}

void sql_refused(struct fixture *f, const char *text, const char *why)
{
	run_alone(f, text, NULL, why, NULL, NULL);
}

struct integer {
	bool found;
	int64_t value;
};

static void read_integer(sqlite3_stmt *row, void *out)
{
	struct integer *integer = out;

	if (!integer->found)
		*integer = (struct integer){true, sqlite3_column_int64(row, 0)};
}

int64_t sql_integer(struct fixture *f, const char *text)
{
	struct integer integer = {.found = false};

	run_alone(f, text, NULL, NULL, read_integer, &integer);
	if (!integer.found)
		fail_msg("%s: no row", text);
	return integer.value;
}

static void read_blob(sqlite3_stmt *row, void *out)
{
	struct blob *blob = out;
	struct error e;

	assert_null(blob->data);
	assert_int_equal(blob_copy(sqlite3_column_blob(row, 0),
				 (size_t)sqlite3_column_bytes(row, 0), blob, &e),
		ERR_OK);
}

struct blob sql_blob(struct fixture *f, const char *text)
{
	struct blob blob = {NULL, 0};

	run_alone(f, text, NULL, NULL, read_blob, &blob);
	if (!blob.data)
		fail_msg("%s: no row", text);
	return blob;
}

static char texts[1024];

static void read_text(sqlite3_stmt *row, void *out)
{
	size_t len = strlen(texts);

	(void)out;
	snprintf(texts + len, sizeof(texts) - len, "%s%s", len ? " " : "",
		(const char *)sqlite3_column_text(row, 0));
}

const char *sql_texts(struct fixture *f, const char *text)
{
	texts[0] = '\0';
	run_alone(f, text, NULL, NULL, read_text, NULL);
	return texts;
}

void sql_open_audit(struct fixture *f)
{
	sql(f, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete");
}

void assert_intact(struct fixture *f)
{
	assert_string_equal(sql_texts(f, "PRAGMA integrity_check"), "ok");
	assert_string_equal(sql_texts(f, "PRAGMA foreign_key_check"), "");
}
