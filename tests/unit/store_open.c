/* Making and opening a store: what is refused on any database. */

#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/seal.h"

static void is_made_once(void **state)
{
	struct fixture *f = *state;
	struct blob key, now;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	key = must_read(f->key_file);
	assert_int_equal(store_init(&f->config, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, f->key_file));
	now = must_read(f->key_file);
	assert_true(blob_equal(&now, &key));
	blob_free(&now);
	blob_free(&key);

	/* If only the database is there, the new key is removed again. */
	unlink(f->key_file);
	assert_int_equal(store_init(&f->config, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, f->database));
	assert_int_equal(access(f->key_file, F_OK), -1);
}

static void refuses_a_set_up_that_was_never_finished(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	sql(f, "DELETE FROM meta");
	must_fail_open(f, ERR_CONFIG, "never finished");
}

static void refuses_another_master_key(void **state)
{
	struct fixture *f = *state;
	char other[400];

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	snprintf(other, sizeof(other), "%s/other.key", f->dir);
	assert_int_equal(seal_create_file(other, &f->e), ERR_OK);
	f->config.store.key_file = other;
	must_fail_open(f, ERR_CONFIG, "is not the master key");
	assert_non_null(strstr(f->e.text, other));
	assert_non_null(strstr(f->e.text, f->database));
	f->config.store.key_file = f->key_file;
	assert_int_equal(unlink(f->key_file), 0);
	must_fail_open(f, ERR_CONFIG, f->key_file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(is_made_once),
		TEST(refuses_a_set_up_that_was_never_finished),
		TEST(refuses_another_master_key),
	};

	return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
