/* Lines of text on standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define HEAD "2020-02-24T16:52:25Z info certprov["

static char captured[65536];
static int saved_stderr = -1;
static FILE *sink;

static int64_t fixed(void)
{
	return 1582563145;
}

static void begin_capture(void)
{
	sink = tmpfile();
	assert_non_null(sink);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(sink), STDERR_FILENO) >= 0);
}

static const char *end_capture(void)
{
	size_t n;

	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	close(saved_stderr);
	rewind(sink);
	n = fread(captured, 1, sizeof(captured) - 1, sink);
	captured[n] = '\0';
	fclose(sink);
	return captured;
}

/* Expects exactly one line; returns what follows "certprov[PID]". */
static const char *message_of(const char *line)
{
	const char *end = strchr(line, ']');

	assert_int_equal(strncmp(line, HEAD, strlen(HEAD)), 0);
	assert_non_null(end);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	return end + 1;
}

static int set_up(void **state)
{
	(void)state;
	clock_replace(fixed);
	log_set_request(NULL);
	log_open("certprov", &(struct log_settings){.level = LOG_LEVEL_INFO});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_replace(NULL);
	return 0;
}

static void test_line(void **state)
{
	char pid[64];
	const char *line;

	(void)state;
	begin_capture();
	log_info("n=%d", 42);
	line = end_capture();
	snprintf(pid, sizeof(pid), HEAD "%ld]", (long)getpid());
	assert_int_equal(strncmp(line, pid, strlen(pid)), 0);
	assert_string_equal(message_of(line), " n=42\n");
}

static void test_level(void **state)
{
	(void)state;
	begin_capture();
	log_debug("hidden");
	assert_string_equal(end_capture(), "");
	log_open("certprov", &(struct log_settings){.level = LOG_LEVEL_DEBUG});
	begin_capture();
	log_debug("shown");
	assert_non_null(strstr(end_capture(), " debug certprov["));
	log_open("certprov", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	begin_capture();
	log_warning("hidden");
	log_error("shown");
	assert_non_null(strstr(end_capture(), "Z error certprov["));
	assert_null(strstr(captured, "hidden"));
}

static void test_request(void **state)
{
	(void)state;
	log_set_request("abc-123");
	assert_string_equal(log_request(), "abc-123");
	begin_capture();
	log_info("x");
	assert_string_equal(message_of(end_capture()), " request=abc-123 x\n");
	log_set_request(NULL);
	assert_string_equal(log_request(), "");
	begin_capture();
	log_info("x");
	assert_string_equal(message_of(end_capture()), " x\n");
}

static void test_request_cannot_forge(void **state)
{
	char id[200];

	(void)state;
	log_set_request("a\n2020-02-24T16:52:25Z error certprov[1] b\t\x7f\xc2\x85");
	begin_capture();
	log_info("x");
	assert_string_equal(message_of(end_capture()),
		" request=a_2020-02-24T16:52:25Z_error_certprov[1]_b____ x\n");
	memset(id, 'x', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	log_set_request(id);
	assert_int_equal(strlen(log_request()), 64);
}

static void test_message_cannot_forge(void **state)
{
	static const char *const pairs[][2] = {
		{"a\nb\r\n", " a\\x0ab\\x0d\\x0a\n"},
		{"\x1b[2Jx", " \\x1b[2Jx\n"},
		{"\t\x7f", " \\x09\\x7f\n"},
		{"\xc2\x9b[x", " \\xc2\\x9b[x\n"},
		{"\xe2\x80\xa8line", " \\xe2\\x80\\xa8line\n"},
		{"\xe2\x80\xaegpj", " \\xe2\\x80\\xaegpj\n"},
		{"\xff\x9bz", " \\xff\\x9bz\n"},
		{"cut \xe2\x82", " cut \\xe2\\x82\n"},
		{"Zo\xc3\xab \xf0\x9f\x9a\x80", " Zo\xc3\xab \xf0\x9f\x9a\x80\n"},
		{"%s%n", " %s%n\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		begin_capture();
		log_info("%s", pairs[i][0]);
		assert_string_equal(message_of(end_capture()), pairs[i][1]);
	}
}

/* Any message stays one line of limited length. */
static void test_long(void **state)
{
	static const char bytes[] = {'a', '\n', (char)0xff};
	char text[6000];

	(void)state;
	log_set_request("0123456789012345678901234567890123456789012345678901234567890123");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		memset(text, bytes[i], sizeof(text));
		text[sizeof(text) - 1] = '\0';
		begin_capture();
		log_info("%s", text);
		assert_true(strlen(message_of(end_capture())) > 2000);
		assert_true(strlen(captured) < 2304);
	}
	log_open("a-program-with-a-name-that-is-far-longer-than-any-that-we-have-in-the-tree",
		&(struct log_settings){.level = LOG_LEVEL_INFO});
	begin_capture();
	log_info("%s", text);
	assert_true(strlen(end_capture()) < 2304);
}

static void test_body(void **state)
{
	static const char head[] = " request=abc kept: ";
	const char *line;
	char body[40000];

	(void)state;
	snprintf(body, sizeof(body), "{\"a\":\"%0*d\"}", (int)sizeof(body) - 20, 0);
	begin_capture();
	log_set_request("abc");
	log_with_body(LOG_LEVEL_INFO, "kept:", body);
	log_with_body(LOG_LEVEL_DEBUG, "below the level", body);
	log_set_request(NULL);
	line = message_of(end_capture());
	assert_int_equal(strncmp(line, head, strlen(head)), 0);
	assert_int_equal(strncmp(line + strlen(head), body, strlen(body)), 0);
	assert_string_equal(line + strlen(head) + strlen(body), "\n");
}

static void test_errno_stays(void **state)
{
	(void)state;
	begin_capture();
	errno = EXDEV;
	log_info("x");
	assert_int_equal(errno, EXDEV);
	close(STDERR_FILENO); /* there is nobody left to tell; that is not an error */
	log_info("x");
	assert_int_equal(errno, EXDEV);
	end_capture();
}

static void test_no_journal(void **state)
{
	(void)state;
	if (access("/run/systemd/journal/socket", F_OK) == 0) {
		print_message("# its lines would go to this machine's journal\n");
		skip();
	}
	begin_capture();
	log_open("certprov",
		&(struct log_settings){.target = LOG_TARGET_JOURNAL, .level = LOG_LEVEL_INFO});
	log_info("still here");
	end_capture();
	assert_non_null(strstr(captured, "logging to standard error"));
	assert_non_null(strstr(captured, "still here"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_request_cannot_forge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_message_cannot_forge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errno_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_journal, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
