#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Several processes, and what is left when one is killed. */

#define PROCESSES 8
#define EVENTS 50

/*
 * --- time runs slower for the product, so that a slow disk is no failure, and faster in the
 * tests that wait for a deadline
 */

#define PATIENT 0.1

static double hurry = PATIENT; /* how fast the clock of the product runs */

int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);
int __real_sqlite3_busy_timeout(sqlite3 *db, int ms);
int __wrap_sqlite3_busy_timeout(sqlite3 *db, int ms);

int64_t __wrap_clock_monotonic_ms(void)
{
	return (int64_t)((double)__real_clock_monotonic_ms() * hurry);
}

int __wrap_sqlite3_busy_timeout(sqlite3 *db, int ms)
{
	return __real_sqlite3_busy_timeout(db, (int)(ms / hurry));
}

/* --- children: each opens the store itself, as workers do, and starts on a sign */

struct crew {
	pid_t pid[PROCESSES];
	int start[2];  /* closed by the parent: go */
	int report[2]; /* what the children have to say */
};

typedef int child_work(struct fixture *f, int number, int report);

static void crew_start(struct crew *crew, struct fixture *f, child_work *work)
{
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(crew->start), 0);
	assert_int_equal(pipe(crew->report), 0);
	for (int i = 0; i < PROCESSES; i++) {
		char c;

		crew->pid[i] = fork();
		assert_true(crew->pid[i] >= 0);
		if (crew->pid[i] > 0)
			continue;
		close(crew->start[1]);
		close(crew->report[0]);
		if (store_open(&f->config, &f->store, &f->e))
			_exit(100);
		if (read(crew->start[0], &c, 1) != 0)
			_exit(101);
		_exit(work(f, i, crew->report[1]));
	}
	close(crew->start[0]);
	close(crew->report[1]);
	close(crew->start[1]);
}

static void crew_wait(struct crew *crew)
{
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;

		assert_int_equal(waitpid(crew->pid[i], &status, 0), crew->pid[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	close(crew->report[0]);
}

static int say(int report, const void *data, size_t len)
{
	return write(report, data, len) == (ssize_t)len ? 0 : 1;
}

/* --- one owner, eight who make his credential */

struct made {
	bool won;
	unsigned own, current;
};

static struct store_place place = {.action = AUDIT_ISSUED}; /* what all of them have seen before */

static int make_credential(struct fixture *f, int number, int report)
{
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	unsigned serial = (unsigned)(10 + number);
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, USER_A, "", serial), current;
	struct made made = {.own = serial};

	if (store_credential_add(f->store, &c, &place, &made.won, &f->e))
		return 1;
	if (store_credential_current(f->store, &owner, &current, &f->e))
		return 2;
	made.current = (unsigned)strtoul(current.serial, NULL, 16);
	c = credential(&text, USAGE_ENCRYPTION, USER_A, "", made.current);
	if (!blob_equal(&c.key, &current.key))
		return 3;
	credential_fini(&current);
	store_close(f->store);
	return say(report, &made, sizeof(made));
}

static void assert_one_winner(struct fixture *f)
{
	struct crew crew;
	struct made made[PROCESSES];
	unsigned winner = 0;

	crew_start(&crew, f, make_credential);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(read(crew.report[0], &made[i], sizeof(made[i])), sizeof(made[i]));
	crew_wait(&crew);
	for (int i = 0; i < PROCESSES; i++) {
		if (!made[i].won)
			continue;
		assert_int_equal(winner, 0);
		winner = made[i].own;
	}
	assert_int_not_equal(winner, 0);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(made[i].current, winner);
	assert_intact(f);
}

static void one_wins_where_none_was(void **state)
{
	struct fixture *f = *state;

	place.replaces = 0;
	assert_one_winner(f);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM credential"), 1);
}

static void one_wins_where_one_is_replaced(void **state)
{
	struct fixture *f = *state;

	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	place.replaces = sql_integer(f, "SELECT id FROM credential");
	assert_one_winner(f);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM credential"), 2);
	assert_int_equal(sql_integer(f, "SELECT id FROM credential WHERE state = 'archived'"), 1);
}

/* --- one owner, eight who ask a CA for him */

struct asked {
	bool won;
	unsigned key; /* the first octet of the one that it asks with */
};

static int ask(struct fixture *f, int number, int report)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	const struct store_asking wish = asking(&owner);
	struct asked asked = {.won = false};
	struct store_request r;
	enum request_claim how;

	while ((how = must_claim(f, &wish, &r)) != REQUEST_TAKEN) {
		if (how == REQUEST_NONE && must_add_request(f, &wish, (unsigned)number, &r)) {
			asked.won = true;
			break;
		}
		if (how != REQUEST_NONE && how != REQUEST_BUSY)
			return 1;
		store_request_fini(&r);
		nanosleep(&pause, NULL);
	}
	asked.key = r.key.data[0];
	if (store_request_release(f->store, &r, NULL, &f->e))
		return 2;
	store_request_fini(&r);
	store_close(f->store);
	return say(report, &asked, sizeof(asked));
}

static void all_ask_with_the_same_request(void **state)
{
	struct fixture *f = *state;
	struct crew crew;
	struct asked asked[PROCESSES];
	int winners = 0;

	crew_start(&crew, f, ask);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(
			read(crew.report[0], &asked[i], sizeof(asked[i])), sizeof(asked[i]));
	crew_wait(&crew);
	for (int i = 0; i < PROCESSES; i++) {
		winners += asked[i].won;
		assert_int_equal(asked[i].key, asked[0].key);
	}
	assert_int_equal(winners, 1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM request"), 1);
	assert_intact(f);
}

/* --- many who write */

static int write_events(struct fixture *f, int number, int report)
{
	int64_t worst = 0, id = 0;
	struct store_event event = enrolled(number % 2 ? DEVICE_1 : DEVICE_2, USER_A);

	for (int i = 0; i < EVENTS; i++) {
		int64_t start = clock_monotonic_us(), took;

		if (store_event_add(f->store, &event, 60, &id, &f->e))
			return 1;
		took = clock_monotonic_us() - start;
		worst = took > worst ? took : worst;
	}
	store_close(f->store);
	return say(report, &worst, sizeof(worst));
}

static void many_write_and_none_starves(void **state)
{
	struct fixture *f = *state;
	struct crew crew;
	int64_t start = clock_monotonic_us(), worst = 0, took;

	crew_start(&crew, f, write_events);
	for (int i = 0; i < PROCESSES; i++) {
		int64_t wait = 0;

		assert_int_equal(read(crew.report[0], &wait, sizeof(wait)), sizeof(wait));
		worst = wait > worst ? wait : worst;
	}
	took = clock_monotonic_us() - start;
	crew_wait(&crew);
	print_message("# %d writers: %lld commits/s, worst wait %lld ms\n", PROCESSES,
		(long long)PROCESSES * EVENTS * 1000000 / took, (long long)worst / 1000);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event"), PROCESSES * EVENTS);
	assert_intact(f);
}

/* --- killed */

static int write_for_ever(struct fixture *f, int number, int report)
{
	struct store_event event = enrolled(DEVICE_1, USER_A);
	int64_t id = 0;

	(void)number;
	for (;;)
		if (store_event_add(f->store, &event, 60, &id, &f->e) ||
			say(report, &id, sizeof(id)))
			return 1;
}

/* What was acknowledged is there, whatever was going on when all were killed. */
static void keeps_what_it_acknowledged(void **state)
{
	struct fixture *f = *state;
	int64_t last = 0, count = 0, id;

	for (int round = 0; round < 4; round++) {
		struct crew crew;

		crew_start(&crew, f, write_for_ever);
		for (int i = 0; i < 100 + 37 * round; i++, count++) {
			assert_int_equal(read(crew.report[0], &id, sizeof(id)), sizeof(id));
			last = id > last ? id : last;
		}
		for (int i = 0; i < PROCESSES; i++)
			kill(crew.pid[i], SIGKILL);
		for (int i = 0; i < PROCESSES; i++)
			assert_int_equal(waitpid(crew.pid[i], NULL, 0), crew.pid[i]);
		while (read(crew.report[0], &id, sizeof(id)) == sizeof(id)) {
			last = id > last ? id : last;
			count++;
		}
		close(crew.report[0]);
		must_open(f);
		assert_int_equal(store_ping(f->store, &f->e), ERR_OK);
		assert_true(sql_integer(f, "SELECT count(*) FROM event") >= count);
		/* No hole: ids are given one after the other, and none was lost. */
		assert_true(sql_integer(f, "SELECT max(id) FROM event") >= last);
		assert_int_equal(sql_integer(f, "SELECT max(id) - count(*) FROM event"), 0);
		assert_intact(f);
	}
}

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
			"INSERT INTO event SELECT NULL, 'failed', 0, NULL, 0, 0, '', 'enrolled', "
			"'',"
			" '', '', '', '', '', '', zeroblob(100000), '', 0 FROM event AS a, event "
			"AS b",
			NULL, NULL, NULL) ||
		say(said, "", 1))
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
	hurry = 20;
	assert_int_equal(store_event_add(f->store, &event, 60, &id, &f->e), ERR_UNAVAILABLE);
	hurry = PATIENT;
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
	hurry = 20;
	must_open(f);
	hurry = PATIENT;
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
		TEST(one_wins_where_none_was),
		TEST(one_wins_where_one_is_replaced),
		TEST(all_ask_with_the_same_request),
		TEST(many_write_and_none_starves),
		TEST(keeps_what_it_acknowledged),
		TEST(goes_on_after_a_kill_in_mid_transaction),
		TEST(gives_up_on_a_writer_that_does_not_end),
		TEST(gives_up_on_a_stranger_that_does_not_end),
	};

	return cmocka_run_group_tests_name("store_race", tests, NULL, NULL);
}
