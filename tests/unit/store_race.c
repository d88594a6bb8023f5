/* Several processes use one store, and are killed. */

#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PROCESSES 8
#define EVENTS 50

/* --- children: each opens the store itself, as workers do, and starts on a sign */

struct crew {
	pid_t pid[PROCESSES];
	int start[2];  /* the parent closes it: go */
	int report[2]; /* what the children report */
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

static struct store_place place = {.action = AUDIT_ISSUED}; /* what all of them saw before */

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
	enum request_lease how;

	while ((how = must_lease(f, &wish, &r)) != REQUEST_TAKEN) {
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

/* Acknowledged events are there, whatever the processes were doing when they were killed. */
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
		assert_true(sql_integer(f, "SELECT max(id) FROM event") >= last);
		assert_intact(f);
	}
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
	};

	return cmocka_run_group_tests_name("store_race", tests, NULL, NULL);
}
