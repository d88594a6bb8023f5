/* Lines for programs: the JSON format, the journal's fields, and what syslog is given. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/log.h"
#include "base/log_form.h"
#include "base/utf8.h"

#define LONG_TEXT 6000

static char captured[65536];
static char journal_folder[] = "/tmp/certprov-log.XXXXXX";
static struct sockaddr_un journal_address = {.sun_family = AF_UNIX};
static int journal = -1;
static int syslog_priority;

static int64_t fixed(void)
{
	return 1582563145;
}

/* --- replacements for the machine's own */

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct sockaddr_un *local = (const struct sockaddr_un *)address;

	assert_int_equal(len, sizeof(*local));
	assert_string_equal(local->sun_path, "/run/systemd/journal/socket");
	return __real_connect(
		fd, (const struct sockaddr *)&journal_address, sizeof(journal_address));
}

static void take_syslog(int priority, const char *fmt, va_list args) printf_like(2, 0);
static void take_syslog(int priority, const char *fmt, va_list args)
{
	syslog_priority = priority;
	vsnprintf(captured, sizeof(captured), fmt, args);
}

/* syslog() is one of the two, depending on the compiler's checks. */
void __wrap_syslog(int priority, const char *fmt, ...) printf_like(2, 3);
void __wrap_syslog(int priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	take_syslog(priority, fmt, args);
	va_end(args);
}

void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...) printf_like(3, 4);
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list args;

	(void)flag;
	va_start(args, fmt);
	take_syslog(priority, fmt, args);
	va_end(args);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(journal_folder));
	snprintf(journal_address.sun_path, sizeof(journal_address.sun_path), "%s/socket",
		journal_folder);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(
		bind(journal, (struct sockaddr *)&journal_address, sizeof(journal_address)), 0);
	clock_replace(fixed);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_open("certprov", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	clock_replace(NULL);
	close(journal);
	unlink(journal_address.sun_path);
	return rmdir(journal_folder);
}

static void open_log(enum log_target target, enum log_format format)
{
	log_open("certprov", &(struct log_settings){target, format, LOG_LEVEL_INFO});
	log_set_request(NULL);
}

/* Puts the datagram that the journal got into captured. */
static void receive(void)
{
	ssize_t n = recv(journal, captured, sizeof(captured) - 1, 0);

	assert_true(n > 0);
	captured[n] = '\0';
	assert_int_equal(strlen(captured), n);
}

/* --- JSON */

static cJSON *parse_line(const char *line)
{
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithOpts(line, &end, false);

	if (!json)
		fail_msg("no JSON: %s", line);
	assert_true(cJSON_IsObject(json));
	if (*end == '\n')
		end++;
	assert_string_equal(end, "");
	assert_false(strchr(line, '\n') && strchr(line, '\n')[1]);
	return json;
}

static const char *text_of(const cJSON *json, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);

	assert_true(cJSON_IsString(member));
	return member->valuestring;
}

static double number_of(const cJSON *json, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);

	assert_true(cJSON_IsNumber(member));
	return member->valuedouble;
}

/* Goes through syslog, as that needs no file. */
static void log_sample(const char *type)
{
	const struct log_field fields[] = {
		{"event", "17", "17"},
		{"type", type, NULL},
		{"steps", "record=0.4ms", "[{\"step\":\"record\",\"ms\":0.4}]"},
	};

	log_fields(LOG_LEVEL_WARNING, fields, ARRAY_LEN(fields), "event=%d type=%s", 17, type);
}

static void test_json(void **state)
{
	cJSON *json;

	(void)state;
	open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_JSON);
	log_set_request("abc-123");
	log_sample("MDM");
	json = parse_line(captured);
	assert_string_equal(text_of(json, "time"), "2020-02-24T16:52:25Z");
	assert_string_equal(text_of(json, "level"), "warning");
	assert_string_equal(text_of(json, "program"), "certprov");
	assert_int_equal((long)number_of(json, "pid"), getpid());
	assert_string_equal(text_of(json, "request"), "abc-123");
	assert_string_equal(text_of(json, "message"), "event=17 type=MDM");
	assert_int_equal((long)number_of(json, "event"), 17);
	assert_string_equal(text_of(json, "type"), "MDM");
	assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "steps")));
	assert_int_equal(cJSON_GetArraySize(json), 9);
	cJSON_Delete(json);
	log_set_request(NULL);
	log_info("plain");
	json = parse_line(captured);
	assert_int_equal(cJSON_GetArraySize(json), 5);
	assert_null(cJSON_GetObjectItemCaseSensitive(json, "request"));
	cJSON_Delete(json);
}

/* Any text comes out as it went in, and nothing in the line controls a terminal. */
static void test_json_hostile(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\"b\\c", NULL},
		{"x\",\"outcome\":\"ok", NULL},
		{"a\nb\r\n\t", NULL},
		{"\x1b[2J\x7f", NULL},
		{"\xe2\x80\xae"
		 "gpj \xc2\x9b[x",
			NULL},
		{"tag \xf3\xa0\x80\x81", NULL},
		{"Zo\xc3\xab \xf0\x9f\x9a\x80", NULL},
		{"\xff\x9bz", "\xef\xbf\xbd\xef\xbf\xbdz"},
		{"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
	};

	(void)state;
	open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_JSON);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *want = cases[i].out ? cases[i].out : cases[i].in;
		cJSON *json;

		log_sample(cases[i].in);
		assert_false(utf8_has_control(captured));
		json = parse_line(captured);
		assert_string_equal(text_of(json, "type"), want);
		assert_string_equal(text_of(json, "message") + strlen("event=17 type="), want);
		assert_int_equal(cJSON_GetArraySize(json), 8);
		cJSON_Delete(json);
	}
}

/* A message of any length gives a line of limited length that is JSON and has the fields. */
static void test_json_long(void **state)
{
	static const char bytes[] = {'a', '\n', '"', (char)0xff};
	char text[LONG_TEXT], raw[LONG_TEXT];
	const struct log_field too_long = {"more", raw, raw};

	(void)state;
	open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_JSON);
	log_set_request("0123456789012345678901234567890123456789012345678901234567890123");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		cJSON *json;

		memset(text, bytes[i], sizeof(text));
		text[sizeof(text) - 1] = '\0';
		log_sample(text);
		assert_true(strlen(captured) < LOG_ENTRY_SIZE);
		json = parse_line(captured);
		assert_true(strlen(text_of(json, "type")) > 50);
		assert_int_equal(cJSON_GetArraySize(json), 9);
		cJSON_Delete(json);
	}
	memset(raw, '1', sizeof(raw));
	raw[sizeof(raw) - 1] = '\0';
	log_fields(LOG_LEVEL_INFO, &too_long, 1, "x");
	cJSON_Delete(parse_line(captured));
	assert_null(strstr(captured, "more"));
}

/* --- syslog */

static void test_syslog(void **state)
{
	(void)state;
	open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT);
	log_sample("a\nb");
	assert_string_equal(captured, "event=17 type=a\\x0ab");
	assert_int_equal(syslog_priority, LOG_WARNING);
	log_set_request("abc");
	log_error("%s", "100%s");
	assert_string_equal(captured, "request=abc 100%s");
	assert_int_equal(syslog_priority, LOG_ERR);
}

/* --- the journal */

static void test_journal(void **state)
{
	(void)state;
	open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_JSON); /* the journal ignores the format */
	log_set_request("abc-123");
	log_sample("a\nMESSAGE=forged");
	receive();
	assert_string_equal(captured, "MESSAGE=event=17 type=a\\x0aMESSAGE=forged\n"
				      "PRIORITY=4\n"
				      "SYSLOG_IDENTIFIER=certprov\n"
				      "CERTPROV_REQUEST=abc-123\n"
				      "CERTPROV_EVENT=17\n"
				      "CERTPROV_TYPE=a\\x0aMESSAGE=forged\n"
				      "CERTPROV_STEPS=record=0.4ms\n");
	log_set_request(NULL);
	log_info("plain");
	receive();
	assert_string_equal(captured, "MESSAGE=plain\nPRIORITY=6\nSYSLOG_IDENTIFIER=certprov\n"
				      "CERTPROV_REQUEST=\n");
}

static void test_journal_long(void **state)
{
	char text[LONG_TEXT];

	(void)state;
	open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT);
	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_sample(text);
	receive();
	assert_non_null(strstr(captured, "\nCERTPROV_EVENT=17\nCERTPROV_TYPE=\\x0a"));
	assert_non_null(strstr(captured, "\nCERTPROV_STEPS=record=0.4ms\n"));
}

/* --- auto */

/* Sets $JOURNAL_STREAM to our standard error; off makes it another's. */
static void set_stream(unsigned long off)
{
	char text[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%lu:%lu", (unsigned long)st.st_dev,
		(unsigned long)st.st_ino + off);
	assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
}

/* Captures what goes to standard error while it logs. */
static size_t log_beside_stderr(void)
{
	char text[4096];
	int kept = dup(STDERR_FILENO), ends[2];
	ssize_t n;

	assert_true(kept >= 0);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	log_error("once");
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	n = read(ends[0], text, sizeof(text));
	close(kept);
	close(ends[0]);
	close(ends[1]);
	return n > 0 ? (size_t)n : 0;
}

static void test_auto_journal(void **state)
{
	(void)state;
	set_stream(0);
	open_log(LOG_TARGET_AUTO, LOG_FORMAT_TEXT);
	assert_int_equal(log_beside_stderr(), 0);
	receive();
	assert_string_equal(captured, "MESSAGE=once\nPRIORITY=3\nSYSLOG_IDENTIFIER=certprov\n"
				      "CERTPROV_REQUEST=\n");
	unsetenv("JOURNAL_STREAM");
}

/* An inherited variable does not count if standard error goes elsewhere. */
static void test_auto_stderr(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	open_log(LOG_TARGET_AUTO, LOG_FORMAT_TEXT);
	assert_true(log_beside_stderr() > 0);
	set_stream(1);
	open_log(LOG_TARGET_AUTO, LOG_FORMAT_TEXT);
	assert_true(log_beside_stderr() > 0);
	setenv("JOURNAL_STREAM", "nonsense", 1);
	open_log(LOG_TARGET_AUTO, LOG_FORMAT_TEXT);
	assert_true(log_beside_stderr() > 0);
	assert_true(recv(journal, captured, sizeof(captured), 0) < 0);
	unsetenv("JOURNAL_STREAM");
}

/* --- a body, longer than any other line */

#define BODY_LEN 60000

static const char *long_body(void)
{
	static char body[BODY_LEN];

	snprintf(body, sizeof(body), "{\"a\":\"%%s %0*d\"}", BODY_LEN - 20, 0);
	return body;
}

static void test_body(void **state)
{
	const char *body = long_body();
	char want[BODY_LEN + 100];
	cJSON *json, *inside;

	(void)state;
	open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT);
	log_set_request("abc");
	log_with_body(LOG_LEVEL_ERROR, "kept:", body);
	snprintf(want, sizeof(want), "request=abc kept: %s", body);
	assert_string_equal(captured, want);
	assert_int_equal(syslog_priority, LOG_ERR);
	open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_JSON);
	log_with_body(LOG_LEVEL_ERROR, "kept:", body);
	json = parse_line(captured);
	assert_string_equal(text_of(json, "message"), "kept:");
	inside = cJSON_GetObjectItemCaseSensitive(json, "body");
	assert_int_equal(strlen(text_of(inside, "a")), strlen(body) - strlen("{\"a\":\"\"}"));
	cJSON_Delete(json);
	open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT);
	log_with_body(LOG_LEVEL_ERROR, "kept:", body);
	receive();
	snprintf(want, sizeof(want),
		"MESSAGE=kept: %s\nPRIORITY=3\nSYSLOG_IDENTIFIER=certprov\nCERTPROV_REQUEST=\n",
		body);
	assert_string_equal(captured, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_hostile),
		cmocka_unit_test(test_json_long),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_journal_long),
		cmocka_unit_test(test_auto_journal),
		cmocka_unit_test(test_auto_stderr),
		cmocka_unit_test(test_body),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
