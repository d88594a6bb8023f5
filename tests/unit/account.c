#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/account.h"
#include "check/disk.h"

/* A file in two folders, and somebody who is not its owner. */

static char outer[] = "/tmp/certprov-account-XXXXXX"; /* where others may look for their own */
static char inner[PATH_MAX], file[PATH_MAX];

static int set_up(void **state)
{
	FILE *made;

	(void)state;
	if (!mkdtemp(outer))
		return -1;
	snprintf(inner, sizeof(inner), "%.100s/inner", outer);
	snprintf(file, sizeof(file), "%.200s/file", inner);
	made = mkdir(inner, 0700) == 0 ? fopen(file, "w") : NULL;
	return made ? fclose(made) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	rmdir(inner);
	return rmdir(outer);
}

static struct account somebody(gid_t group)
{
	return (struct account){
		.name = "x", .uid = geteuid() + 4711, .group_count = 1, .group = {group}};
}

static void expect(const struct account *account, unsigned want, const char *where)
{
	char blocked[PATH_MAX] = "";

	assert_int_equal(account_may(account, file, want, blocked), where == NULL);
	if (where)
		assert_string_equal(blocked, where);
}

static void modes(mode_t folder, mode_t of_file)
{
	assert_int_equal(chmod(outer, 0755), 0);
	assert_int_equal(chmod(inner, folder), 0);
	assert_int_equal(chmod(file, of_file), 0);
}

static void judges_others_by_their_bits(void **state)
{
	struct account other = somebody(getegid() + 4711);

	(void)state;
	modes(0711, 0604);
	expect(&other, R_OK, NULL);
	expect(&other, W_OK, file);
	expect(&other, R_OK | W_OK, file);
	modes(0710, 0604);
	expect(&other, R_OK, inner);
	assert_int_equal(chmod(outer, 0700), 0);
	expect(&other, R_OK, outer);
}

/* A group that is shut out is so even where all others are let in. */
static void judges_groups_by_theirs(void **state)
{
	struct stat st;
	struct account member;

	(void)state;
	modes(0711, 0604);
	assert_int_equal(stat(file, &st), 0);
	member = somebody(st.st_gid);
	expect(&member, R_OK, file);
	modes(0710, 0640);
	expect(&member, R_OK, NULL);
	expect(&member, W_OK, file);
}

static void judges_owner_and_root(void **state)
{
	struct account owner = somebody(getegid() + 4711), root = {.uid = 0};

	(void)state;
	owner.uid = geteuid();
	modes(0700, 0400);
	expect(&root, W_OK, NULL);
	expect(&owner, R_OK, NULL);
	if (geteuid() != 0)
		expect(&owner, W_OK, file);
}

static void ends_where_there_is_nothing(void **state)
{
	struct account root = {.uid = 0};
	char blocked[PATH_MAX] = "";

	(void)state;
	assert_false(account_may(&root, "/nowhere/at/all", R_OK, blocked));
	assert_string_equal(blocked, "/nowhere");
}

static void knows_names(void **state)
{
	struct account account;

	(void)state;
	assert_true(account_named("root", &account));
	assert_int_equal(account.uid, 0);
	assert_true(account.group_count > 0);
	assert_false(account_named("nobody-knows-me", &account));
	account_of(0, &account);
	assert_string_equal(account.name, "root");
	account_of(3999999999U, &account);
	assert_string_equal(account.name, "3999999999");
	assert_int_equal(account.group_count, 0);
}

static void looks_at_a_disk(void **state)
{
	struct disk disk;
	struct error e;

	(void)state;
	assert_int_equal(disk_look(file, &disk, &e), ERR_OK);
	assert_true(disk.size > 0 && disk.free >= 0 && disk.free <= disk.size);
	assert_int_equal(disk_look("/nowhere", &disk, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "/nowhere: No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_others_by_their_bits),
		cmocka_unit_test(judges_groups_by_theirs),
		cmocka_unit_test(judges_owner_and_root),
		cmocka_unit_test(ends_where_there_is_nothing),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(looks_at_a_disk),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
