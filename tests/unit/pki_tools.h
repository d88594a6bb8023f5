#ifndef TESTS_UNIT_PKI_TOOLS_H
#define TESTS_UNIT_PKI_TOOLS_H

/* What the tests of lib/pki and lib/ca share: others' programs as judges, and a CA. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "pki/key.h"
#include "pki/name.h"

#define UNUSED __attribute__((unused))
#define DAY 86400LL

extern char **environ;

#define assert_ok(call)                                         \
	do {                                                    \
		struct error error_ = {.code = ERR_OK};         \
		struct error *e = &error_;                      \
		if ((call) != ERR_OK)                           \
			fail_msg("%s: %s", #call, error_.text); \
	} while (0)

/* It fails with that code, and its text has those words in it. */
#define assert_err(call, wanted, words)                                                  \
	do {                                                                             \
		struct error error_ = {.code = ERR_OK};                                  \
		struct error *e = &error_;                                               \
		if ((call) != (wanted))                                                  \
			fail_msg("%s: not refused as expected: %s", #call, error_.text); \
		if (!strstr(error_.text, words))                                         \
			fail_msg("%s: \"%s\" lacks \"%s\"", #call, error_.text, words);  \
	} while (0)

#define assert_has(text, words)                                      \
	do {                                                         \
		if (!strstr(text, words))                            \
			fail_msg("\"%s\" not in:\n%s", words, text); \
	} while (0)

#define assert_has_not(text, words)                                 \
	do {                                                        \
		if (strstr(text, words))                            \
			fail_msg("\"%s\" is in:\n%s", words, text); \
	} while (0)

/*
 * Runs a program with in on its standard input; what it says on standard
 * output and error comes out as one string, to be freed. Returns its exit status.
 */
static UNUSED int tool(const struct blob *in, char **out, const char *const *argv)
{
	int from = memfd_create("stdin", MFD_CLOEXEC), to = memfd_create("stdout", MFD_CLOEXEC);
	posix_spawn_file_actions_t actions;
	int status = -1, size = 1024 * 1024;
	ssize_t len;
	pid_t pid;

	if (in)
		assert_int_equal(write(from, in->data, in->len), in->len);
	lseek(from, 0, SEEK_SET);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, to, STDERR_FILENO);
	assert_int_equal(
		posix_spawnp(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*out = calloc(1, (size_t)size);
	assert_non_null(*out);
	len = pread(to, *out, (size_t)size - 1, 0);
	assert_true(len >= 0);
	close(from);
	close(to);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define TOOL(in, out, ...) tool(in, out, (const char *const[]){__VA_ARGS__, NULL})

/* What openssl says of a certificate; names escaped as in RFC 4514, UTF-8 left as it is. */
static UNUSED char *show_certificate(const struct blob *der)
{
	char *text = NULL;

	assert_int_equal(TOOL(der, &text, "openssl", "x509", "-inform", "DER", "-noout", "-text",
				 "-nameopt", "RFC2253,utf8,-esc_msb"),
		0);
	return text;
}

/*
 * An otherName SmtpUTF8Mailbox (RFC 9598): its OID, [0] and a UTF8String. openssl 3.0 and 3.5 show
 * it differently.
 */
static UNUSED void assert_utf8_mailbox(const struct blob *der, const char *mailbox)
{
	static const char oid[] = "\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x09";
	char want[128];
	int len = snprintf(want, sizeof(want), "%s\xa0%c\x0c%c%s", oid, (char)(strlen(mailbox) + 2),
		(char)strlen(mailbox), mailbox);

	assert_in_range(len, 1, sizeof(want) - 1);
	assert_non_null(memmem(der->data, der->len, want, (size_t)len));
}

static UNUSED struct key *new_key(enum key_type type)
{
	struct key *key = NULL;

	assert_ok(key_generate(type, &key, e));
	return key;
}

static UNUSED struct blob public_of(const struct key *key)
{
	struct blob public_key = {NULL, 0};

	assert_ok(key_public(key, &public_key, e));
	return public_key;
}

static UNUSED struct name new_name(const char *dn)
{
	struct name name = {0};

	assert_ok(name_build(dn, NULL, NULL, &name, e));
	return name;
}

/* A folder of the test's own; removed with everything in it by remove_folder(). */
static UNUSED char *new_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;

	assert_true(asprintf(&path, "%s/certprov-test-XXXXXX", tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static UNUSED void remove_folder(char *path)
{
	char *text = NULL;

	assert_int_equal(TOOL(NULL, &text, "rm", "-rf", path), 0);
	free(text);
	free(path);
}

static UNUSED char *write_file(const char *folder, const char *name, const struct blob *content)
{
	char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(content->data, 1, content->len, file), content->len);
	assert_int_equal(fclose(file), 0);
	return path;
}

#endif
