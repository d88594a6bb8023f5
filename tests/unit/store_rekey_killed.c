/* A change of the master key that is killed at any instant. */
#include "rekey_tools.h"

#include <signal.h>

#include "db/db.h"

/* --- the instants: before each call by which a killed one leaves files otherwise than before */

static long calls, kill_at; /* 0: never */

static void count_call(void)
{
	if (++calls == kill_at)
		raise(SIGKILL);
}

enum err __real_db_begin(struct db *db, struct error *e);
enum err __wrap_db_begin(struct db *db, struct error *e);
bool __real_db_end(struct db *db, enum err *err, struct error *e);
bool __wrap_db_end(struct db *db, enum err *err, struct error *e);
enum err __real_db_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct error *e);
enum err __wrap_db_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct error *e);
enum err __real_db_next(struct db_rows *rows, bool *row, struct error *e);
enum err __wrap_db_next(struct db_rows *rows, bool *row, struct error *e);
enum err __real_db_scrub(struct db *db, struct error *e);
enum err __wrap_db_scrub(struct db *db, struct error *e);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

enum err __wrap_db_begin(struct db *db, struct error *e)
{
	count_call();
	return __real_db_begin(db, e);
}

bool __wrap_db_end(struct db *db, enum err *err, struct error *e)
{
	count_call();
	return __real_db_end(db, err, e);
}

enum err __wrap_db_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct error *e)
{
	count_call();
	return __real_db_run(db, sql, values, count, e);
}

enum err __wrap_db_next(struct db_rows *rows, bool *row, struct error *e)
{
	count_call();
	return __real_db_next(rows, row, e);
}

enum err __wrap_db_scrub(struct db *db, struct error *e)
{
	count_call();
	return __real_db_scrub(db, e);
}

int __wrap_rename(const char *from, const char *to)
{
	count_call();
	return __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
	count_call();
	return __real_fsync(fd);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	count_call();
	return __real_write(fd, data, len);
}

/* Returns true if it was not killed before its end. */
static bool rekey_killed_at(struct fixture *f, long at)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rekey_options options = {.report = report};
		struct rekey_tally tally;

		calls = 0;
		kill_at = at;
		_exit(store_rekey(&f->config, &options, &tally, &f->e) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return false;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

/*
 * Kills one run after the other, each at a later instant, until one comes to its end. Whatever the
 * instant, all keys open, and keys can be added. Gives the number of instants.
 */
static long kill_in_turn(struct fixture *f, unsigned *count, bool finish_each)
{
	long at = 1;

	for (bool done = false; !done; at++) {
		struct store *other = NULL; /* which only knows the old key */

		assert_int_equal(store_open(&f->config, &other, &f->e), ERR_OK);
		store_close(f->store);
		f->store = NULL;
		done = rekey_killed_at(f, at);
		must_open(f);
		assert_keys(f, f->store, *count);
		assert_keys(f, other, *count);
		assert_asks(f, f->store);
		store_close(f->store);
		f->store = other;
		if (at % 10 == 0)
			add_keys(f, ++*count, 1);
		assert_keys_anew(f, *count);
		if (finish_each)
			must_rekey(f);
	}
	return at;
}

static void may_be_killed_at_any_instant(void **state)
{
	struct fixture *f = *state;
	char left[400];
	unsigned count = 4;

	snprintf(left, sizeof(left), "%s.new", f->key_file);
	add_keys(f, 1, count);
	add_requests(f);
	/* Six keys have two statements each, and the key file is written twice in three calls. */
	assert_true(kill_in_turn(f, &count, true) > 2 * 6 + 2 * 3);
	/* Each run continues where the previous one was killed. */
	kill_in_turn(f, &count, false);
	assert_int_equal(keys_in_file(f), 1);
	must_rekey(f);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM credential"), count);
	assert_keys_anew(f, count);
	assert_intact(f);
	/* No copy of a key is left behind. */
	assert_int_equal(access(left, F_OK), -1);
}

/* The run that continues makes no third key. */
static void goes_on_with_the_key_that_was_made(void **state)
{
	struct fixture *f = *state;
	struct blob started = {NULL, 0}, finished;
	long at = 1;

	add_keys(f, 1, 2);
	while (keys_in_file(f) == 1)
		assert_false(rekey_killed_at(f, at++));
	started = must_read(f->key_file);
	assert_int_equal(must_rekey(f).sealed, 2);
	finished = must_read(f->key_file);
	assert_int_equal(started.len, 2 * finished.len);
	assert_memory_equal(started.data, finished.data, finished.len);
	blob_free(&started);
	blob_free(&finished);
	assert_keys_anew(f, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(may_be_killed_at_any_instant),
		TEST(goes_on_with_the_key_that_was_made),
	};

	return cmocka_run_group_tests_name("store_rekey_killed", tests, NULL, NULL);
}
