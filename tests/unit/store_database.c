/* The database under the store that is tested: the one place that knows which it is. */

#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

/* The variable with the kind of database and, behind a ":", where it is. SQLite by default. */
#define CHOICE "CERTPROV_TEST_DATABASE"

struct kind {
	const char *name;
	const struct db_driver *driver;
	/* Names an empty database in f->config and f->database. */
	void (*make)(struct fixture *f, const char *what);
	void (*remove)(struct fixture *f, const char *what);
	const char *open_audit;
	void (*intact)(struct fixture *f);
};

/* --- SQLite: a file in the test's folder, with which it goes */

static void sqlite_make(struct fixture *f, const char *what)
{
	(void)what;
	snprintf(f->database, sizeof(f->database), "%s/store.db", f->dir);
	f->config.store.sqlite = f->database;
}

static void sqlite_remove(struct fixture *f, const char *what)
{
	(void)f;
	(void)what;
}

static void sqlite_intact(struct fixture *f)
{
	assert_string_equal(sql_texts(f, "PRAGMA integrity_check"), "ok");
	assert_string_equal(sql_texts(f, "PRAGMA foreign_key_check"), "");
}

static const struct kind kinds[] = {
	{"sqlite", &db_sqlite, sqlite_make, sqlite_remove,
		"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete", sqlite_intact},
};

static const struct kind *chosen(const char **what)
{
	const char *choice = getenv(CHOICE);

	*what = "";
	for (size_t i = 0; choice && i < ARRAY_LEN(kinds); i++) {
		size_t len = strlen(kinds[i].name);

		if (strncmp(choice, kinds[i].name, len) != 0)
			continue;
		*what = choice[len] == ':' ? choice + len + 1 : "";
		return &kinds[i];
	}
	if (choice)
		fail_msg(CHOICE " is no database that is known here: %s", choice);
	return &kinds[0];
}

void database_make(struct fixture *f)
{
	const char *what;
	const struct kind *kind = chosen(&what);

	kind->make(f, what);
}

void database_remove(struct fixture *f)
{
	const char *what;
	const struct kind *kind = chosen(&what);

	kind->remove(f, what);
}

/* --- another's hand: a connection of its own for each call */

static struct db *open_alone(struct fixture *f)
{
	const char *what;
	struct db *db = NULL;
	struct error e;

	if (db_open(chosen(&what)->driver, f->config.store.sqlite, &db, &e))
		fail_msg("%s", e.text);
	return db;
}

typedef void row_reader(const struct db_rows *row, void *out);

static enum err run_one(struct db *db, const char *text, const struct db_value *value,
	row_reader *read, void *out, struct error *e)
{
	struct db_rows *rows = NULL;
	bool more = true;
	enum err err = db_start_once(db, text, value, strstr(text, "$1") ? 1 : 0, &rows, e);

	while (!err && more) {
		err = db_next(rows, &more, e);
		if (!err && more && read)
			read(rows, out);
	}
	db_done(rows);
	return err;
}

/* Up to the ";" that ends the first statement; a ";" inside a text does not. */
static size_t statement_len(const char *text)
{
	bool quoted = false;
	size_t len = 0;

	for (; text[len] && (quoted || text[len] != ';'); len++)
		quoted ^= text[len] == '\'';
	return len;
}

/* Runs statement after statement, until one fails. */
static void run(
	struct fixture *f, const char *text, const struct blob *value, row_reader *read, void *out)
{
	const struct db_value parameter = DB_BLOB(value->data, value->len);
	struct db *db = open_alone(f);
	struct error e;

	while (*text) {
		size_t len = statement_len(text);
		char *one = strndup(text, len);

		assert_non_null(one);
		if (run_one(db, one, &parameter, read, out, &e))
			fail_msg("%s: %s", one, e.text);
		free(one);
		text += len + (text[len] == ';');
	}
	db_close(db);
}

static const struct blob nothing = {NULL, 0};

void sql_with(struct fixture *f, const char *text, const struct blob *value)
{
	run(f, text, value, NULL, NULL);
}

void sql(struct fixture *f, const char *text)
{
	unsigned char zeros[32] = {0};
	const struct blob value = {zeros, sizeof(zeros)};

	sql_with(f, text, &value);
}

struct integer {
	bool found;
	int64_t value;
};

static void read_integer(const struct db_rows *row, void *out)
{
	struct integer *integer = out;

	if (!integer->found)
		*integer = (struct integer){true, db_column_integer(row, 0)};
}

int64_t sql_integer(struct fixture *f, const char *text)
{
	struct integer integer = {.found = false};

	run(f, text, &nothing, read_integer, &integer);
	if (!integer.found)
		fail_msg("%s: no row", text);
	return integer.value;
}

static void read_blob(const struct db_rows *row, void *out)
{
	struct blob *blob = out;
	struct error e;

	assert_null(blob->data);
	assert_int_equal(db_copy_blob(row, 0, blob, &e), ERR_OK);
}

struct blob sql_blob(struct fixture *f, const char *text)
{
	struct blob blob = {NULL, 0};

	run(f, text, &nothing, read_blob, &blob);
	if (!blob.data)
		fail_msg("%s: no row", text);
	return blob;
}

static char texts[1024];

static void read_text(const struct db_rows *row, void *out)
{
	size_t len = strlen(texts);

	(void)out;
	snprintf(texts + len, sizeof(texts) - len, "%s%s", len ? " " : "", db_column_text(row, 0));
}

const char *sql_texts(struct fixture *f, const char *text)
{
	texts[0] = '\0';
	run(f, text, &nothing, read_text, NULL);
	return texts;
}

void sql_open_audit(struct fixture *f)
{
	const char *what;

	sql(f, chosen(&what)->open_audit);
}

void assert_intact(struct fixture *f)
{
	const char *what;

	chosen(&what)->intact(f);
}
