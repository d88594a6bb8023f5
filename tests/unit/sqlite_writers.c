/* Writers of a SQLite database: whose turn it is, and when we give up. */

#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/patience.h"

/* Takes the lock as another writer has it: the second byte. Closing it lets go. */
static int take_turn(struct fixture *f)
{
	struct flock desk = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s.lock", f->database);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd >= 0 && fcntl(fd, F_OFD_SETLK, &desk) == 0 ? fd : -1;
}

/* Holds the writer lock and a transaction that has written, and says so. */
static pid_t start_holder(struct fixture *f, int said)
{
	sqlite3 *db = NULL;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (take_turn(f) < 0 || sqlite3_open(f->database, &db) ||
		sqlite3_exec(db,
			"PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
			"INSERT INTO event (state, received_at, updated_at, request_id, kind,"
			"	event_type, device_uuid, user_uuid, user_name, device_name,"
			"	platform, payload)"
			" SELECT 'failed', 0, 0, '', 'enrolled', '', '', '', '', '', '',"
			"	zeroblob(100000) FROM event AS a, event AS b",
			NULL, NULL, NULL) ||
		write(said, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void goes_on_after_a_kill_in_mid_transaction(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int said[2];
	char c;
	pid_t pid;

	for (int i = 0; i < 5; i++)
		must_record_event(f, &event);
	assert_int_equal(pipe(said), 0);
	store_close(f->store);
	f->store = NULL;
	pid = start_holder(f, said[1]);
	close(said[1]);
	assert_int_equal(read(said[0], &c, 1), 1);
	close(said[0]);
	must_open(f); /* reading needs no lock */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(must_record_event(f, &event), 6);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event"), 6);
	assert_intact(f);
}

/* --- no turn to be had */

static void gives_up_on_a_writer_that_does_not_end(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = 7;
	int fd = take_turn(f);

	assert_true(fd >= 0);
	product_hurry = HURRIED;
	assert_int_equal(store_event_add(f->store, &event, 60, &id, &f->e), ERR_UNAVAILABLE);
	product_hurry = PATIENT;
	assert_int_equal(id, 7);
	assert_non_null(strstr(f->e.text, "10 seconds"));
	/* Looking at it needs no lock. */
	assert_int_equal(store_ping(f->store, &f->e), ERR_OK);
	close(fd);
	assert_int_equal(must_record_event(f, &event), 1);
}

/* sqlite3(1), say, which does not know of our lock. */
static void gives_up_on_a_stranger_that_does_not_end(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	sqlite3 *db = NULL;
	int64_t id = 7;

	store_close(f->store);
	product_hurry = HURRIED;
	must_open(f);
	product_hurry = PATIENT;
	assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_event_add(f->store, &event, 60, &id, &f->e), ERR_UNAVAILABLE);
	assert_non_null(strstr(f->e.text, "database is locked"));
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(must_record_event(f, &event), 1);
	sqlite3_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(goes_on_after_a_kill_in_mid_transaction),
		TEST(gives_up_on_a_writer_that_does_not_end),
		TEST(gives_up_on_a_stranger_that_does_not_end),
	};

	return cmocka_run_group_tests_name("sqlite_writers", tests, NULL, NULL);
}
