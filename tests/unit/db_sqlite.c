/* The SQLite driver: what db.h promises of any driver, and the words of its schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"

#define SCHEMA                                                                   \
	"CREATE TABLE thing (id {id once}, name TEXT NOT NULL, size {integer}, " \
	"	content {blob}, UNIQUE (name)){};"                                     \
	"CREATE TABLE other (name TEXT PRIMARY KEY){by key};"                    \
	"CREATE INDEX thing_name ON thing (name{no case});"                      \
	"{append only other}"

#define COUNT "SELECT count(*) FROM thing"

struct fixture {
	char dir[64], path[80];
	struct db *db;
	struct error e;
};

static void must(struct fixture *f, enum err err)
{
	if (err)
		fail_msg("%s", f->e.text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/certprov-db-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	must(f, db_create(&db_sqlite, f->path, &f->db, &f->e));
	must(f, db_set_version(f->db, SCHEMA, 7, &f->e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	db_discard(f->db);
	assert_int_equal(rmdir(f->dir), 0); /* nothing is left */
	free(f);
	return 0;
}

static int64_t count(struct fixture *f)
{
	int64_t n = -1;

	must(f, db_integer(f->db, COUNT, NULL, 0, -1, &n, &f->e));
	return n;
}

static void add(struct fixture *f, const char *name, int64_t size)
{
	static const char sql[] = "INSERT INTO thing (name, size) VALUES ($1, $2)";
	const struct db_value values[] = {DB_TEXT(name), DB_INTEGER(size)};

	must(f, db_run(f->db, sql, values, ARRAY_LEN(values), &f->e));
}

static void parameters_go_by_their_number(void **state)
{
	static const char sql[] =
		"SELECT $3, $1 || $1, $2, CASE WHEN $4 THEN 1 ELSE 0 END, $6 FROM thing";
	const struct db_value values[] = {DB_TEXT("a"), DB_BLOB("\0x", 2), DB_INTEGER(-5),
		DB_BOOLEAN(2), DB_TEXT("unused"), DB_TEXT(NULL)};
	struct fixture *f = *state;
	struct db_rows *rows = NULL;
	size_t len = 0;

	add(f, "one", 1);
	must(f, db_first(f->db, sql, values, ARRAY_LEN(values), &rows, &f->e));
	assert_int_equal(db_columns(rows), 5);
	assert_int_equal(db_column_integer(rows, 0), -5);
	assert_string_equal(db_column_text(rows, 1), "aa");
	assert_memory_equal(db_column_bytes(rows, 2, &len), "\0x", 2);
	assert_int_equal(len, 2);
	assert_int_equal(db_column_integer(rows, 3), 1);
	assert_true(db_column_is_null(rows, 4));
	assert_null(db_column_text(rows, 4));
	db_done(rows);
	assert_int_equal(db_first(f->db, sql, values, 5, &rows, &f->e), ERR_INTERNAL);
	assert_non_null(strstr(f->e.text, "no value for $6"));
}

static void rows_are_read_side_by_side(void **state)
{
	static const char sql[] = "SELECT name, size FROM thing ORDER BY size";
	struct fixture *f = *state;
	struct db_rows *rows = NULL, *same = NULL;
	char name[4] = "";
	size_t len = 0;
	bool more = false;

	add(f, "one", 10);
	add(f, "long", 20);
	must(f, db_first(f->db, sql, NULL, 0, &rows, &f->e));
	must(f, db_copy_name(rows, 0, name, sizeof(name), &f->e));
	assert_string_equal(name, "one");
	assert_memory_equal(db_column_bytes(rows, 1, &len), "10", 2);
	assert_int_equal(len, 2);
	assert_int_equal(count(f), 2);
	assert_int_equal(db_start(f->db, sql, NULL, 0, &same, &f->e), ERR_INTERNAL);
	must(f, db_next(rows, &more, &f->e));
	assert_true(more);
	assert_int_equal(db_copy_name(rows, 0, name, sizeof(name), &f->e), ERR_CONFIG);
	must(f, db_next(rows, &more, &f->e));
	assert_false(more);
	db_done(rows);
	must(f, db_first(f->db, sql, NULL, 0, &rows, &f->e));
	db_done(rows);
}

static void transactions_hold_or_leave_nothing(void **state)
{
	struct fixture *f = *state;
	enum err err = db_begin(f->db, &f->e);

	must(f, err);
	add(f, "one", 1);
	err = error_set(&f->e, ERR_REFUSED, "no");
	assert_false(db_end(f->db, &err, &f->e));
	assert_int_equal(err, ERR_REFUSED);
	assert_int_equal(count(f), 0);
	err = db_begin(f->db, &f->e);
	must(f, err);
	add(f, "one", 1);
	assert_false(db_end(f->db, &err, &f->e));
	must(f, err);
	assert_int_equal(count(f), 1);
}

static void a_reader_sees_one_moment(void **state)
{
	struct fixture *f = *state;
	struct db *other = NULL;
	enum err err = ERR_OK;

	must(f, db_open(&db_sqlite, f->path, &other, &f->e));
	err = db_begin_read(other, &f->e);
	must(f, err);
	{
		struct fixture reader = {.db = other};

		assert_int_equal(count(&reader), 0);
		add(f, "one", 1);
		assert_int_equal(count(&reader), 0);
		assert_false(db_end(other, &err, &f->e));
		assert_int_equal(count(&reader), 1);
	}
	db_close(other);
}

static void changes_are_counted(void **state)
{
	static const char sql[] = "UPDATE thing SET size = 3 WHERE size < $1";
	const struct db_value values[] = {DB_INTEGER(3)};
	struct fixture *f = *state;
	int64_t changed = -1;

	add(f, "one", 1);
	add(f, "two", 2);
	must(f, db_change(f->db, sql, values, 1, &changed, &f->e));
	assert_int_equal(changed, 2);
	must(f, db_change(f->db, sql, values, 1, &changed, &f->e));
	assert_int_equal(changed, 0);
}

static void words_make_the_schema(void **state)
{
	struct fixture *f = *state;
	int64_t version = 0;

	must(f, db_version(f->db, &version, &f->e));
	assert_int_equal(version, 7);
	must(f, db_run(f->db, "INSERT INTO other (name) VALUES ('a')", NULL, 0, &f->e));
	assert_int_equal(
		db_run(f->db, "UPDATE other SET name = 'b'", NULL, 0, &f->e), ERR_INTERNAL);
	assert_non_null(strstr(f->e.text, "append-only"));
	assert_int_equal(db_set_version(f->db, "{nothing}", 8, &f->e), ERR_INTERNAL);
	assert_int_equal(db_set_version(f->db, "{id", 8, &f->e), ERR_INTERNAL);
	must(f, db_version(f->db, &version, &f->e));
	assert_int_equal(version, 7);
}

static void one_process_reserves_it(void **state)
{
	struct fixture *f = *state;
	struct db *other = NULL;
	bool ours = false;

	must(f, db_open(&db_sqlite, f->path, &other, &f->e));
	must(f, db_reserve(f->db, &ours, &f->e));
	assert_true(ours);
	must(f, db_reserve(other, &ours, &f->e));
	assert_false(ours);
	db_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(parameters_go_by_their_number, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_are_read_side_by_side, setup, teardown),
		cmocka_unit_test_setup_teardown(
			transactions_hold_or_leave_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reader_sees_one_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(words_make_the_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(one_process_reserves_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
