/* Keys made ahead: kept, taken once, and made again. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "pki/key_pool.h"

#define ROOM 4
#define PATIENCE_MS 120000

static const bool only_p256[KEY_TYPE_COUNT] = {[KEY_EC_P256] = true};

static pid_t start_maker(struct key_pool *pool)
{
	struct error e;
	pid_t pid = fork();

	if (pid == 0)
		_exit(key_pool_fill(pool, &e) ? 1 : 0);
	return pid;
}

static void end_maker(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* Waits until the maker sleeps: there is no room left for what it could make. */
static void wait_until_full(pid_t maker)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)maker);
	for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
		FILE *file = fopen(path, "r");
		const char *state;

		assert_non_null(file);
		assert_non_null(fgets(text, sizeof(text), file));
		fclose(file);
		state = strrchr(text, ')');
		if (state && state[1] == ' ' && state[2] == 'S')
			return;
		usleep(10000);
	}
	fail_msg("the maker does not come to rest");
}

static struct key *take_patiently(struct key_pool *pool)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct key *key = NULL;
	struct error e;

	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		enum err err = key_pool_take(pool, KEY_EC_P256, &key, &e);

		if (!err)
			return key;
		assert_int_equal(err, ERR_NOT_FOUND);
		nanosleep(&pause, NULL);
	}
	fail_msg("no key after %d ms", PATIENCE_MS);
	return NULL;
}

static void an_empty_pool_does_not_wait(void **state)
{
	struct key_pool *pool = NULL;
	struct key *key = NULL;
	struct error e;

	(void)state;
	assert_int_equal(key_pool_new(only_p256, ROOM, &pool, &e), ERR_OK);
	assert_int_equal(key_pool_take(pool, KEY_EC_P256, &key, &e), ERR_NOT_FOUND);
	assert_int_equal(key_pool_take(pool, KEY_RSA_2048, &key, &e), ERR_NOT_FOUND);
	assert_null(key);
	key_pool_free(pool);
}

static void every_key_comes_out_once(void **state)
{
	struct blob seen[3 * ROOM] = {{NULL, 0}};
	struct key_pool *pool = NULL;
	struct error e;
	pid_t maker;

	(void)state;
	assert_int_equal(key_pool_new(only_p256, ROOM, &pool, &e), ERR_OK);
	maker = start_maker(pool);
	for (int i = 0; i < 3 * ROOM; i++) {
		struct key *key = take_patiently(pool);

		assert_int_equal(key_type(key), KEY_EC_P256);
		assert_int_equal(key_public(key, &seen[i], &e), ERR_OK);
		for (int j = 0; j < i; j++)
			assert_false(blob_equal(&seen[i], &seen[j]));
		key_free(key);
	}
	end_maker(maker);
	for (int i = 0; i < 3 * ROOM; i++)
		blob_free(&seen[i]);
	key_pool_free(pool);
}

static void the_pool_holds_no_more_than_it_should(void **state)
{
	struct key_pool *pool = NULL;
	struct key *key = NULL;
	struct error e;
	int left = 0;
	pid_t maker;

	(void)state;
	assert_int_equal(key_pool_new(only_p256, ROOM, &pool, &e), ERR_OK);
	maker = start_maker(pool);
	for (int i = 0; i < ROOM; i++)
		key_free(take_patiently(pool));
	wait_until_full(maker);
	end_maker(maker);
	for (; key_pool_take(pool, KEY_EC_P256, &key, &e) == ERR_OK; left++)
		key_free(key);
	assert_int_equal(left, ROOM);
	key_pool_free(pool);
}

static void largest_keys_fit(void **state)
{
	static const bool largest[KEY_TYPE_COUNT] = {[KEY_RSA_4096] = true};
	struct key_pool *pool = NULL;
	struct key *key = NULL;
	struct error e;
	pid_t maker;

	(void)state;
	assert_int_equal(key_pool_new(largest, 1, &pool, &e), ERR_OK);
	maker = start_maker(pool);
	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (key_pool_take(pool, KEY_RSA_4096, &key, &e) == ERR_OK)
			break;
		usleep(10000);
	}
	end_maker(maker);
	assert_non_null(key);
	assert_int_equal(key_type(key), KEY_RSA_4096);
	key_free(key);
	key_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_pool_does_not_wait),
		cmocka_unit_test(every_key_comes_out_once),
		cmocka_unit_test(the_pool_holds_no_more_than_it_should),
		cmocka_unit_test(largest_keys_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
