/* Files: limits, secrets, replacing them durably. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define PATH_SIZE 4096

static char folder[PATH_SIZE];

/* Borrowed until the next call. */
static const char *in_folder(const char *name)
{
	static char path[PATH_SIZE + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/certprov-file-XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"f", "link", "fifo", "dir/f"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(in_folder(names[i]));
	rmdir(in_folder("dir"));
	return rmdir(folder);
}

static void put(const char *name, mode_t mode, const void *data, size_t len)
{
	int fd;

	unlink(in_folder(name));
	fd = open(in_folder(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

typedef enum err reader(const char *path, struct blob *out, struct error *e);

static void assert_reads(reader *read, const char *name, const char *expected)
{
	struct blob content = {NULL, 0};
	struct error e;

	if (read(in_folder(name), &content, &e))
		fail_msg("%s", e.text);
	assert_int_equal(content.len, strlen(expected));
	assert_string_equal((char *)content.data, expected);
	blob_free(&content);
}

static void assert_unread(reader *read, const char *name, const char *why)
{
	struct blob content = {NULL, 7};
	struct error e;

	assert_int_equal(read(in_folder(name), &content, &e), ERR_CONFIG);
	assert_null(content.data);
	assert_int_equal(content.len, 7);
	assert_non_null(strstr(e.text, in_folder(name)));
	if (!strstr(e.text, why))
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

static void test_read(void **state)
{
	(void)state;
	put("f", 0644, "a\nb", 3);
	assert_reads(file_read, "f", "a\nb");
	put("f", 0644, "", 0);
	assert_reads(file_read, "f", "");
	assert_int_equal(symlink("f", in_folder("link")), 0);
	assert_reads(file_read, "link", "");
	assert_unread(file_read, "missing", "No such file");
	assert_unread(file_read, "f/x", "Not a directory");
}

static void test_no_regular_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_folder("dir"), 0700), 0);
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_unread(file_read, "dir", "not a regular file");
	assert_unread(file_read, "fifo", "not a regular file"); /* and does not hang */
	assert_unread(file_read_secret, "dir", "not a regular file");
	assert_unread(file_read_secret, "fifo", "not a regular file");
}

static void test_size(void **state)
{
	char *data = calloc(1, FILE_SIZE_MAX + 1);
	struct blob content = {NULL, 0};
	struct error e;

	(void)state;
	assert_non_null(data);
	put("f", 0600, data, FILE_SIZE_MAX);
	assert_int_equal(file_read(in_folder("f"), &content, &e), ERR_OK);
	assert_int_equal(content.len, FILE_SIZE_MAX);
	blob_free(&content);
	put("f", 0600, data, FILE_SIZE_MAX + 1);
	assert_unread(file_read, "f", "larger than");
	free(data);
}

static void test_secret_mode(void **state)
{
	static const mode_t good[] = {0400, 0600, 0640, 0440, 0700};
	static const mode_t bad[] = {0644, 0604, 0602, 0601, 0620, 0660, 0650, 0666, 0777};
	char mode[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		put("f", good[i], "key", 3);
		assert_reads(file_read_secret, "f", "key");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put("f", bad[i], "key", 3);
		snprintf(mode, sizeof(mode), "%04o", (unsigned)bad[i]);
		assert_unread(file_read_secret, "f", mode);
		assert_unread(file_read_secret, "f", "chmod 0600");
	}
}

static void test_secret_link(void **state)
{
	(void)state;
	put("f", 0600, "key", 3);
	unlink(in_folder("link"));
	assert_int_equal(symlink("f", in_folder("link")), 0);
	assert_unread(file_read_secret, "link", "symbolic link");
	assert_unread(file_read_password, "link", "symbolic link");
}

static void test_secret_owner(void **state)
{
	(void)state;
	put("f", 0600, "key", 3);
	if (chown(in_folder("f"), 1234, (gid_t)-1) < 0) {
		print_message("# only root can give a file away\n");
		skip();
	}
	assert_reads(file_read_secret, "f", "key"); /* as root */
	assert_int_equal(chown(in_folder("f"), 1234, 4321), 0);
	assert_int_equal(chmod(in_folder("f"), 0640), 0);
	assert_int_equal(chmod(in_folder("."), 0711), 0);
	assert_int_equal(setegid(4321), 0);
	assert_int_equal(seteuid(4321), 0);
	assert_unread(file_read_secret, "f", "belongs to user 1234");
	assert_reads(file_read, "f", "key");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
}

static void test_password(void **state)
{
	(void)state;
	put("f", 0600, "pass word ", 10);
	assert_reads(file_read_password, "f", "pass word ");
	put("f", 0600, "secret\nmore\n", 12);
	assert_reads(file_read_password, "f", "secret");
	put("f", 0600, "secret\r\n", 8);
	assert_reads(file_read_password, "f", "secret");
	put("f", 0600, "\xef\xbb\xbfsecret\r\n", 11);
	assert_reads(file_read_password, "f", "secret");
	put("f", 0600, "\xef\xbb\xbf\n", 4);
	assert_unread(file_read_password, "f", "first line");
	put("f", 0600, "\xff\xfes\0", 4);
	assert_unread(file_read_password, "f", "not a text file");
	put("f", 0600, "", 0);
	assert_unread(file_read_password, "f", "first line");
	put("f", 0600, "\nsecret\n", 8);
	assert_unread(file_read_password, "f", "first line");
	put("f", 0600, "s\0e\0c\0", 6);
	assert_unread(file_read_password, "f", "not a text file");
	put("f", 0604, "secret\n", 7);
	assert_unread(file_read_password, "f", "chmod");
}

static void test_create(void **state)
{
	mode_t before = umask(077);
	struct error e;
	struct stat st;

	(void)state;
	unlink(in_folder("f"));
	assert_int_equal(file_create(in_folder("f"), 0644, "abc", 3, &e), ERR_OK);
	umask(before);
	assert_reads(file_read, "f", "abc");
	assert_int_equal(stat(in_folder("f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);

	assert_int_equal(file_create(in_folder("f"), 0600, "new", 3, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "never overwritten"));
	assert_reads(file_read, "f", "abc");

	unlink(in_folder("f"));
	assert_int_equal(file_create(in_folder("f"), 0600, NULL, 0, &e), ERR_OK);
	assert_reads(file_read_secret, "f", "");
	assert_int_equal(file_create(in_folder("missing/f"), 0600, "", 0, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "No such file"));
}

/* Even a dangling link is not followed. */
static void test_create_link(void **state)
{
	struct error e;

	(void)state;
	unlink(in_folder("f"));
	unlink(in_folder("link"));
	assert_int_equal(symlink("f", in_folder("link")), 0);
	assert_int_equal(file_create(in_folder("link"), 0600, "abc", 3, &e), ERR_CONFIG);
	assert_int_equal(access(in_folder("f"), F_OK), -1);
}

static void test_create_in_working_folder(void **state)
{
	char before[PATH_SIZE];
	struct error e;

	(void)state;
	unlink(in_folder("f"));
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(file_create("f", 0600, "abc", 3, &e), ERR_OK);
	assert_int_equal(chdir(before), 0);
	assert_reads(file_read_secret, "f", "abc");
}

static void replaces_in_one_step(void **state)
{
	struct blob content = {NULL, 0};
	struct error e;
	struct stat st;
	int old;

	(void)state;
	assert_int_equal(file_replace(in_folder("r"), 0644, "old", 3, &e), ERR_OK);
	old = open(in_folder("r"), O_RDONLY);
	assert_int_equal(file_replace(in_folder("r"), 0640, "newer", 5, &e), ERR_OK);
	assert_int_equal(stat(in_folder("r"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_read(in_folder("r"), &content, &e), ERR_OK);
	assert_string_equal((char *)content.data, "newer");
	blob_free(&content);
	/* A reader of the old file still has all of it. */
	assert_int_equal(fstat(old, &st), 0);
	assert_int_equal(st.st_size, 3);
	close(old);
	assert_int_equal(file_replace(in_folder("missing/r"), 0644, "", 0, &e), ERR_CONFIG);
	/* A folder cannot be replaced, and no temporary file is left. */
	assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
	assert_int_equal(file_replace(in_folder("folder"), 0644, "abc", 3, &e), ERR_CONFIG);
	assert_int_equal(rmdir(in_folder("folder")), 0);
	assert_int_equal(unlink(in_folder("r")), 0);
}

#define NOBODY 65534

static void replaces_a_secret(void **state)
{
	struct error e;
	struct stat st;

	(void)state;
	unlink(in_folder("f"));
	assert_int_equal(file_replace_secret(in_folder("f"), "new", 3, &e), ERR_CONFIG);
	assert_int_equal(access(in_folder("f"), F_OK), -1);
	put("f", 0640, "old", 3);
	if (geteuid() == 0)
		assert_int_equal(chown(in_folder("f"), NOBODY, NOBODY), 0);
	/* Neither a killed process's file nor a planted link is in the way. */
	assert_int_equal(symlink("elsewhere", in_folder("f.new")), 0);
	if (file_replace_secret(in_folder("f"), "newer", 5, &e))
		fail_msg("%s", e.text);
	assert_reads(file_read_secret, "f", "newer");
	assert_int_equal(stat(in_folder("f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, geteuid() == 0 ? NOBODY : geteuid());
	assert_int_equal(st.st_gid, geteuid() == 0 ? NOBODY : getegid());
	assert_int_equal(access(in_folder("f.new"), F_OK), -1);
	assert_int_equal(access(in_folder("elsewhere"), F_OK), -1);

	unlink(in_folder("link"));
	assert_int_equal(symlink("f", in_folder("link")), 0);
	assert_int_equal(file_replace_secret(in_folder("link"), "x", 1, &e), ERR_CONFIG);
	assert_reads(file_read_secret, "f", "newer");
	assert_int_equal(unlink(in_folder("link")), 0);
}

/* Another user's file would become ours: it stays as it is, and no other file is left. */
static int replace_as_another(void)
{
	struct error e;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	if (file_replace_secret(in_folder("f"), "newer", 5, &e) != ERR_CONFIG ||
		!strstr(e.text, "belongs to user 0"))
		return 2;
	if (access(in_folder("f.new"), F_OK) == 0)
		return 3;
	return 0;
}

static int replace_in_closed_folder(void)
{
	struct error e;

	if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
		return 1;
	return file_replace_secret(in_folder("f"), "newer", 5, &e) == ERR_CONFIG &&
			       strstr(e.text, "must be able to write in the folder")
		       ? 0
		       : 2;
}

static int in_child(int (*work)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void replaces_no_secret_of_others(void **state)
{
	(void)state;
	put("f", 0644, "old", 3);
	if (geteuid() == 0) {
		assert_int_equal(chmod(folder, 0777), 0);
		assert_int_equal(in_child(replace_as_another), 0);
	}
	assert_int_equal(chmod(folder, 0555), 0);
	assert_int_equal(in_child(replace_in_closed_folder), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_reads(file_read, "f", "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_in_one_step),
		cmocka_unit_test(replaces_a_secret),
		cmocka_unit_test(replaces_no_secret_of_others),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_no_regular_file),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_secret_mode),
		cmocka_unit_test(test_secret_link),
		cmocka_unit_test(test_secret_owner),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_create_link),
		cmocka_unit_test(test_create_in_working_folder),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
