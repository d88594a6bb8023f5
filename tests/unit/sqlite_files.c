/* The files of a SQLite database: made, guarded, damaged, and what they must not hold. */

#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/rekey.h"
#include "store/seal.h"

#define NOBODY 65534

static size_t files_in(const char *path)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *dir = opendir(path);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* Calls check for each file of the folder. */
static size_t for_files(
	struct fixture *f, void (*check)(const char *path, const void *arg), const void *arg)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *dir = opendir(f->dir);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char path[600];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
		check(path, arg);
		count++;
	}
	closedir(dir);
	return count;
}

static void must_write(const char *path, const char *text)
{
	struct error e;

	assert_int_equal(file_create(path, 0600, text, strlen(text), &e), ERR_OK);
}

/* --- made */

static void assert_private(const char *path, const void *arg)
{
	struct stat st;

	(void)arg;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void makes_private_files_under_any_umask(void **state)
{
	static const mode_t masks[] = {0, 0077};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		mode_t old = umask(masks[i]);

		unlink(f->key_file);
		unlink(f->database);
		assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
		must_open(f);
		must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
		/* key, database, -wal, -shm, .lock */
		assert_int_equal(for_files(f, assert_private, NULL), 5);
		store_close(f->store);
		f->store = NULL;
		umask(old);
	}
}

static void never_overwrites(void **state)
{
	struct fixture *f = *state;
	struct blob key, database, now;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	key = must_read(f->key_file);
	database = must_read(f->database);
	assert_int_equal(store_init(&f->config, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, f->key_file));
	now = must_read(f->key_file);
	assert_true(blob_equal(&now, &key));
	blob_free(&now);

	/* The database alone: the key that was made for it goes again. */
	unlink(f->key_file);
	assert_int_equal(store_init(&f->config, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, f->database));
	assert_int_equal(access(f->key_file, F_OK), -1);
	now = must_read(f->database);
	assert_true(blob_equal(&now, &database));
	blob_free(&now);
	blob_free(&key);
	blob_free(&database);
}

static void leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	char nowhere[400];

	snprintf(nowhere, sizeof(nowhere), "%s/no/folder/store.db", f->dir);
	f->config.store.sqlite = nowhere;
	assert_int_equal(store_init(&f->config, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, nowhere));
	assert_int_equal(files_in(f->dir), 0);
}

/* The disk is full in the middle of it: in a child, as the limit is the process's. */
static int init_without_room(struct fixture *f)
{
	const struct rlimit little = {4096, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &little))
		return 1;
	return store_init(&f->config, &f->e) == ERR_UNAVAILABLE && strstr(f->e.text, f->database)
		       ? 0
		       : 2;
}

static int add_without_room(struct fixture *f)
{
	struct rlimit limit = {256 * 1024, RLIM_INFINITY};
	struct store_event event = enrolled(DEVICE_1, USER_A);
	static const char big[1024 * 1024];
	int64_t id = 0;

	if (store_open(&f->config, &f->store, &f->e) ||
		store_event_add(f->store, &event, 60, &id, &f->e))
		return 1;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	event.payload = big;
	event.payload_len = sizeof(big);
	if (store_event_add(f->store, &event, 60, &id, &f->e) != ERR_UNAVAILABLE)
		return 2;
	if (id != 1 || !strstr(f->e.text, f->database))
		return 3;
	/* It goes on when there is room again. */
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	if (store_event_add(f->store, &event, 60, &id, &f->e) || id != 2)
		return 4;
	store_close(f->store);
	return 0;
}

static int in_child(struct fixture *f, int (*work)(struct fixture *f))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void stands_a_full_disk(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in_child(f, init_without_room), 0);
	assert_int_equal(files_in(f->dir), 0);
	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	assert_int_equal(in_child(f, add_without_room), 0);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM event"), 2);
	assert_intact(f);
}

static int init_as_nobody(struct fixture *f)
{
	if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
		return 1;
	return store_init(&f->config, &f->e) == ERR_CONFIG && strstr(f->e.text, f->dir) ? 0 : 2;
}

static int open_as_nobody(struct fixture *f)
{
	struct store *store = NULL;
	enum err err;

	if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
		return 1;
	err = store_open(&f->config, &store, &f->e);
	if ((err != ERR_CONFIG && err != ERR_UNAVAILABLE) || !strstr(f->e.text, f->database))
		return 2;
	return store ? 3 : 0;
}

static void give_away(const char *path, const void *arg)
{
	(void)arg;
	if (geteuid() == 0)
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static void says_that_a_folder_is_read_only(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->dir, 0555), 0);
	assert_int_equal(in_child(f, init_as_nobody), 0);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(files_in(f->dir), 0);

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	for_files(f, give_away, NULL);
	assert_int_equal(chmod(f->dir, 0555), 0);
	assert_int_equal(in_child(f, open_as_nobody), 0);
	/* And a database that is itself read-only. */
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(chmod(f->database, 0400), 0);
	assert_int_equal(in_child(f, open_as_nobody), 0);
}

static int open_beside_files_of_root(struct fixture *f)
{
	struct store *store = NULL;

	if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
		return 1;
	if (!store_open(&f->config, &store, &f->e))
		return 2;
	return strstr(f->e.text, "-wal belongs to user 0") && strstr(f->e.text, "chown it") ? 0 : 3;
}

/* One more at a time, until there are enough: 0 if SQLite's failures among them had their cause. */
static int open_with_few_descriptors(struct fixture *f)
{
	struct store *store = NULL;
	bool told = false;

	for (rlim_t most = 3; most < 64 && !store; most++) {
		const struct rlimit limit = {most, 64};

		if (setrlimit(RLIMIT_NOFILE, &limit))
			return 1;
		if (!store_open(&f->config, &store, &f->e))
			break;
		if (strstr(f->e.text, "unable to open") || strstr(f->e.text, "must be able"))
			return 2;
		told |= strstr(f->e.text, "no file descriptor is left") != NULL &&
			strstr(f->e.text, "LimitNOFILE") != NULL;
	}
	store_close(store);
	return told ? 0 : 3;
}

/* All that SQLite says is "unable to open database file", and its number 14. */
static void says_why_it_cannot_be_opened(void **state)
{
	struct fixture *f = *state;
	char beside[400];

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	assert_int_equal(in_child(f, open_with_few_descriptors), 0);
	if (geteuid() != 0)
		return;
	/* An administrator was here, and the service finds files that it cannot open. */
	for_files(f, give_away, NULL);
	assert_int_equal(chmod(f->dir, 0777), 0);
	snprintf(beside, sizeof(beside), "%s-shm", f->database);
	must_write(beside, "");
	snprintf(beside, sizeof(beside), "%s-wal", f->database);
	must_write(beside, "");
	assert_int_equal(in_child(f, open_beside_files_of_root), 0);
}

/* The administrator comes first, as root; the service must be able to take the lock. */
static void gives_the_lock_to_the_owner_of_the_database(void **state)
{
	struct fixture *f = *state;
	char lock[400];
	struct stat st;

	if (geteuid() != 0) {
		print_message("# only root can give files away\n");
		skip();
	}
	snprintf(lock, sizeof(lock), "%s.lock", f->database);
	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	give_away(f->database, NULL);
	assert_int_equal(unlink(lock), 0);
	must_open(f);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_gid, NOBODY);
}

/* What the owner of the folder puts there is neither locked nor given away. */
static void refuses_a_lock_that_is_a_link(void **state)
{
	struct fixture *f = *state;
	char lock[400], other[400];
	struct stat before, after;

	snprintf(lock, sizeof(lock), "%s.lock", f->database);
	snprintf(other, sizeof(other), "%s/other", f->dir);
	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	if (geteuid() == 0)
		give_away(f->database, NULL);
	must_write(other, "root's");
	assert_int_equal(stat(other, &before), 0);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(link(other, lock), 0);
	must_fail_open(f, ERR_CONFIG, "a link to another one: remove it");
	assert_int_equal(
		unlink(other), 0); /* the last link left, as if it had been ours all along */
	must_open(f);
	assert_int_equal(stat(lock, &after), 0);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(symlink(f->database, lock), 0);
	must_fail_open(f, ERR_CONFIG, ".lock");
}

/* --- not what it should be */

static void says_how_to_make_a_store(void **state)
{
	must_fail_open(*state, ERR_CONFIG, "run: certprov init");
	assert_int_equal(files_in(((struct fixture *)*state)->dir), 0);
}

static void refuses_garbage(void **state)
{
	struct fixture *f = *state;
	struct blob content;

	assert_int_equal(seal_create_file(f->key_file, &f->e), ERR_OK);
	must_write(f->database, "This is not a database, it is a letter to the administrator.");
	must_fail_open(f, ERR_CONFIG, "is no certprov store");
	assert_non_null(strstr(f->e.text, f->database));
	content = must_read(f->database);
	assert_int_equal(content.len, 60);
	blob_free(&content);
}

static void refuses_an_empty_file_and_a_folder(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(seal_create_file(f->key_file, &f->e), ERR_OK);
	must_write(f->database, "");
	must_fail_open(f, ERR_CONFIG, "is no certprov store");
	assert_int_equal(unlink(f->database), 0);
	f->config.store.sqlite = f->dir;
	must_fail_open(f, ERR_CONFIG, "is not a regular file");
}

/* Another program's database stays as it is, byte for byte. */
static void refuses_the_database_of_another_program(void **state)
{
	struct fixture *f = *state;
	struct blob before, after;
	sqlite3 *db = NULL;

	assert_int_equal(seal_create_file(f->key_file, &f->e), ERR_OK);
	must_write(f->database, "");
	assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE meta (name TEXT); PRAGMA user_version = 1",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	before = must_read(f->database);
	must_fail_open(f, ERR_CONFIG, "is no certprov store");
	after = must_read(f->database);
	assert_true(blob_equal(&before, &after));
	blob_free(&before);
	blob_free(&after);
}

/* Overwrites the middle of the file, from the second page on. */
static void damage(const char *path)
{
	char junk[4096];
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	memset(junk, 0xa5, sizeof(junk));
	assert_true(size > 2 * 4096);
	for (off_t at = 4096; at < size; at += (off_t)sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	close(fd);
}

static void says_that_it_is_damaged(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	damage(f->database);
	must_fail_open(f, ERR_CONFIG, "is damaged");
}

static void notices_that_it_was_moved(void **state)
{
	struct fixture *f = *state;
	struct store_event event = enrolled(DEVICE_1, USER_A);
	char elsewhere[400];
	int64_t id = 0;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	must_open(f);
	snprintf(elsewhere, sizeof(elsewhere), "%s.old", f->database);
	assert_int_equal(rename(f->database, elsewhere), 0);
	assert_int_equal(store_ping(f->store, &f->e), ERR_UNAVAILABLE);
	assert_int_equal(store_event_add(f->store, &event, 60, &id, &f->e), ERR_UNAVAILABLE);
	assert_non_null(strstr(f->e.text, "moved"));
	assert_int_equal(rename(elsewhere, f->database), 0);
	assert_int_equal(store_ping(f->store, &f->e), ERR_OK);
	must_add_event(f, &event);
}

/* --- keys at rest */

/* The number of the database's files that hold the octets. */
static size_t files_with(struct fixture *f, const struct blob *octets)
{
	static const char *const suffixes[] = {"", "-wal"};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char path[400];
		struct blob content;

		snprintf(path, sizeof(path), "%s%s", f->database, suffixes[i]);
		content = must_read(path);
		found += memmem(content.data, content.len, octets->data, octets->len) != NULL;
		blob_free(&content);
	}
	return found;
}

static void assert_free_of_key(const char *path, const void *arg)
{
	struct blob content = must_read(path);

	/* Not even a piece of it. */
	for (size_t i = 0; i + 16 <= KEY_LEN; i += 16)
		assert_null(memmem(content.data, content.len, (const char *)arg + i, 16));
	blob_free(&content);
}

static void writes_no_plain_key(void **state)
{
	struct fixture *f = *state;
	struct credential_text text;

	credential(&text, USAGE_ENCRYPTION, USER_A, "", 1);
	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	must_open(f);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1);
	assert_int_equal(for_files(f, assert_free_of_key, text.key), 5);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(for_files(f, assert_free_of_key, text.key), 3);
	/* The search itself works: what is stored in the clear is found. */
	{
		struct blob content = must_read(f->database);

		assert_non_null(memmem(content.data, content.len, text.serial, 40));
		blob_free(&content);
	}
}

/* What was sealed under the old key is in no file, also while another has the store open. */
static void leaves_nothing_of_a_key_that_was_replaced(void **state)
{
	const struct rekey_options options = {.report = NULL};
	struct fixture *f = *state;
	struct rekey_tally tally;
	struct blob sealed;

	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	must_open(f);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0);
	must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 1);
	sealed = sql_blob(f, "SELECT key FROM credential WHERE id = 2");
	assert_true(files_with(f, &sealed) > 0); /* the search works */
	assert_int_equal(store_rekey(&f->config, &options, &tally, &f->e), ERR_OK);
	assert_int_equal(files_with(f, &sealed), 0);
	blob_free(&sealed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(makes_private_files_under_any_umask),
		TEST(never_overwrites),
		TEST(leaves_nothing_behind),
		TEST(stands_a_full_disk),
		TEST(says_that_a_folder_is_read_only),
		TEST(says_why_it_cannot_be_opened),
		TEST(gives_the_lock_to_the_owner_of_the_database),
		TEST(refuses_a_lock_that_is_a_link),
		TEST(says_how_to_make_a_store),
		TEST(refuses_garbage),
		TEST(refuses_an_empty_file_and_a_folder),
		TEST(refuses_the_database_of_another_program),
		TEST(says_that_it_is_damaged),
		TEST(notices_that_it_was_moved),
		TEST(writes_no_plain_key),
		TEST(leaves_nothing_of_a_key_that_was_replaced),
	};

	return cmocka_run_group_tests_name("sqlite_files", tests, NULL, NULL);
}
