/* The configuration as a file: sections, lines, encodings, places. */

#include "config_tools.h"

static void test_unknown(void **state)
{
	(void)state;
	assert_refused(LEAST "password = x\n", ":6: unknown key \"password\" in [escrow]");
	assert_refused(LEAST "URL = x\n", ":6: unknown key \"URL\" in [escrow]: did you mean url?");
	assert_refused(LEAST "= x\n", ":6: unknown key \"\" in [escrow]");
	assert_refused(LEAST "users-file = x\n", ":6: unknown key \"users-file\" in [escrow]");
	assert_refused("[events]\nusres-file = x\n",
		":2: unknown key \"usres-file\" in [events]: did you mean users-file?");
	assert_refused("[eskrow]\nurl = x\n", ":1: unknown section [eskrow]: did you mean escrow?");
	assert_refused(LEAST "[eskrow]\n", ":6: unknown section [eskrow]: did you mean escrow?");
	assert_refused("[ log]\n", ":1: unknown section [ log]: did you mean log?");
	assert_refused("[]\n", ":1: unknown section []");
	assert_refused("\n\nlevel = info\n", ":3: \"level\" is before the first [section]");
}

static void test_sections(void **state)
{
	(void)state;
	assert_refused(
		LEAST "[log]\n[events]\n", ":7: section [events] occurs twice, first in line 1");
	assert_refused("[log] level = info\n", ":1: expected [section], alone in its line");
	assert_refused("[log]]\n", ":1: expected [section], alone in its line");
	assert_refused("[log\n", ":1: expected [section], alone in its line");
	assert_refused("[\n", ":1: expected [section], alone in its line");
	config_free(good("  [log] \t; where to\n[store];\n" LEAST "[ca]"));
}

static void test_lines(void **state)
{
	(void)state;
	assert_refused(
		LEAST "max-rate\n", ":6: neither a [section], nor key = value, nor a comment");
	assert_refused(LEAST "max-rate ; = 5\n",
		":6: neither a [section], nor key = value, nor a comment");
	/* the first fault counts */
	assert_refused(LEAST "max-rate\ntimeout = 1\nfoo = 1\n",
		":6: neither a [section], nor key = value, nor a comment");
	assert_refused(LEAST "timeout = 1\n[log]\nfoo = 1\n",
		":6: [escrow] timeout: expected a duration such as 90s, 10m, 12h or 365d, "
		"from 1s to 300s");
	assert_refused("[log]\nlevel = in\x01"
		       "fo\n",
		":2: has a control character");
	assert_refused("[log]\nlevel = in\rfo\n", ":2: has a control character");
	assert_refused("[log]\n\x0blevel = info\n", ":2: has a control character");
	assert_refused("[identity]\nname = a\xe2\x80\x8b"
		       "b\n",
		":2: [identity] name: has an invisible character; write it again without");
}

static void test_indented_key(void **state)
{
	struct config *c;

	(void)state;
	/* the first key of a section may stand anywhere */
	c = good(LEAST "[log]\n    level = debug\n");
	assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
	config_free(c);
	/* the next one would silently become part of its value */
	assert_refused("[identity]\n  name = x\n  subject = CN=x\n",
		":3: an indented line continues the value of name; write it at the margin");
	assert_refused("[identity]\nname = x\n\tsubject: CN=x\n",
		":3: an indented line continues the value of name; write it at the margin");
	assert_refused("[identity]\nname = x\n  [log]\n",
		":3: an indented line continues the value of name; write it at the margin");
}

static void test_continuation(void **state)
{
	struct config *c = good(LEAST "[identity]\n"
				      "mail = {A},   ; first\n"
				      "\t{B}@b.example  ;second\n"
				      "# not this one\n"
				      "   ; nor this\n"
				      "\n"
				      "  , {C};d@c.example\r\n"
				      "subject =\n"
				      "  CN={name},\n"
				      "  O=Example\n"
				      "name = {X}\n");

	(void)state;
	assert_string_equal(c->identity.mail[0], "{A}");
	assert_string_equal(c->identity.mail[1], "{B}@b.example");
	assert_string_equal(c->identity.mail[2], "{C};d@c.example");
	assert_null(c->identity.mail[3]);
	assert_string_equal(c->identity.subject, "CN={name}, O=Example");
	assert_string_equal(c->identity.name, "{X}");
	config_free(c);
	assert_refused(LEAST "max-rate = 5\n  0\n",
		":6: [escrow] max-rate: expected a number from 1 to 1000");
}

static void test_line_ends(void **state)
{
	static const char *const texts[] = {
		"[events]\r\nusers-file = u\r\n[escrow]\r\nurl = https://eg\r\nidentity = x\r\n",
		"\xef\xbb\xbf[events]\nusers-file = u\n[escrow]\nurl = https://eg\nidentity = x",
		"[events]\nusers-file=u\n\n\n[escrow]\nidentity\t=\tx\t\nurl = https://eg\r",
		("# c\n;c\n[events];c\nusers-file = u ;c\n"
		 "[escrow]\nidentity:x\nurl : https://eg ; c"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct config *c = good(texts[i]);

		assert_string_equal(c->events.users_file, "/etc/certprov/u");
		assert_string_equal(c->escrow.identity, "/etc/certprov/x");
		assert_string_equal(c->escrow.urls[0], "https://eg");
		config_free(c);
	}
}

static void test_long_lines(void **state)
{
	char as[400];
	struct buf text = BUF_INIT(65536);

	(void)state;
	memset(as, 'a', sizeof(as));
	buf_printf(&text, "# %.399s\n  ; %.399s\n" LEAST "[identity]\nname = %.191s\n", as, as, as);
	config_free(good(text.data));
	buf_reset(&text);
	buf_printf(&text, LEAST "[identity]\nname = %.192s\n", as);
	assert_refused(text.data, ":7: longer than 198 bytes; go on in the next line, indented");
	buf_reset(&text);
	buf_puts(&text, LEAST "[identity]\nname = a\n");
	for (int i = 0; i < 60; i++)
		buf_printf(&text, " %.190s\n", as);
	assert_refused(text.data, ":7: [identity] name: longer than 8192 bytes");
	buf_free(&text);
}

static void test_not_text(void **state)
{
	static const char nul[] = "[log]\nlevel = info\0\n";
	struct config *config = NULL;
	struct error e;

	(void)state;
	assert_refused("[log]\nlevel = \xff\n", ": not UTF-8 text");
	assert_int_equal(config_parse(FILE_NAME, nul, sizeof(nul) - 1, &config, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "not UTF-8 text"));
	assert_null(config);
}

static void test_error(void **state)
{
	struct config *c = good(LEAST);
	struct error e;

	(void)state;
	assert_int_equal(config_error(c, "escrow", "identity", &e, "n=%d", 1), ERR_CONFIG);
	assert_string_equal(e.text, FILE_NAME ":5: [escrow] identity: n=1");
	assert_string_equal(e.field, "identity");
	config_error(c, "ca", "key", &e, "x");
	assert_string_equal(e.text, FILE_NAME ": [ca] key: x");
	config_free(c);
	config_free(NULL);
}

static void write_file(const char *path, const char *text)
{
	struct error e;

	unlink(path);
	if (file_create(path, 0644, text, strlen(text), &e))
		fail_msg("%s", e.text);
}

/* A file's path is resolved first; relative paths in it start there. */
static void test_load(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char folder[4096], file[4200], expected[4300];
	struct config *c = NULL;
	struct error e;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/certprov-config-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/a.conf", folder);
	assert_int_equal(config_load(file, &c, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "a.conf: No such file"));
	assert_int_equal(config_load(folder, &c, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "not a regular file"));
	write_file(file, "[log]\nlevel = loud\n");
	assert_int_equal(config_load(file, &c, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, "/a.conf:2: [log] level: expected"));
	assert_null(c);

	write_file(file, LEAST);
	snprintf(file, sizeof(file), "%s/../%s/./a.conf", folder, strrchr(folder, '/') + 1);
	assert_int_equal(config_load(file, &c, &e), ERR_OK);
	assert_int_equal(*c->path, '/');
	assert_null(strstr(c->path, ".."));
	snprintf(expected, sizeof(expected), "%.*seg.pfx", (int)(strlen(c->path) - 6), c->path);
	assert_string_equal(c->escrow.identity, expected);
	unlink(c->path);
	config_free(c);
	assert_int_equal(rmdir(folder), 0);
}

static void test_path(void **state)
{
	(void)state;
	setenv("CERTPROV_CONFIG", "/from/environment", 1);
	assert_string_equal(config_path("/given"), "/given");
	assert_string_equal(config_path(NULL), "/from/environment");
	setenv("CERTPROV_CONFIG", "", 1);
	assert_string_equal(config_path(NULL), CERTPROV_CONFIG_FILE);
	unsetenv("CERTPROV_CONFIG");
	assert_string_equal(config_path(NULL), CERTPROV_CONFIG_FILE);
}

/* --- all errors at once */

static void gather(void *ctx, const char *text)
{
	struct buf *out = ctx;

	buf_puts(out, strncmp(text, FILE_NAME, strlen(FILE_NAME)) == 0 ? text + strlen(FILE_NAME)
								       : strchr(text, ':'));
	buf_putc(out, '\n');
}

/* Writes it to a file, as config_test() reads one. */
static void assert_faults(const char *text, const char *expected)
{
	char name[] = "/tmp/certprov-config.XXXXXX";
	int fd = mkstemp(name);
	struct buf faults = BUF_INIT(16384);
	struct config *config = NULL;
	struct error e;
	enum err err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = config_test(name, gather, &faults, &config, &e);
	unlink(name);
	assert_string_equal(faults.data ? faults.data : "", expected);
	assert_int_equal(err, *expected ? ERR_CONFIG : ERR_OK);
	assert_true(!*expected == (config != NULL));
	config_free(config);
	buf_free(&faults);
}

static void test_all_errors(void **state)
{
	(void)state;
	assert_faults(LEAST, "");
	assert_faults("key = 1\n"
		      "[events]\n"
		      "users-flie = uem.users\n"
		      "\tcontinued\n"
		      "nonsense\n"
		      "max-body = 1\n"
		      "[logs]\n"
		      "level = info\n"
		      "\tand = more\n"
		      "[certificates]\n"
		      "validity = 10d\n"
		      "[escrow]\n"
		      "url = ftp://eg.example.com\n"
		      "timeout = 0\n"
		      "[ca]\n"
		      "type = est\n"
		      "program = /bin/true\n",
		":1: \"key\" is before the first [section]\n"
		":3: unknown key \"users-flie\" in [events]: did you mean users-file?\n"
		":5: neither a [section], nor key = value, nor a comment\n"
		":6: [events] max-body: expected a size such as 4096, 64k or 1m, from 1024 to "
		"1048576 bytes\n"
		":7: unknown section [logs]: did you mean log?\n"
		":13: [escrow] url: expected https:// URLs without credentials, query or fragment\n"
		":14: [escrow] timeout: expected a duration such as 90s, 10m, 12h or 365d, from 1s "
		"to 300s\n"
		": [events] users-file: missing; authenticate = basic needs it\n"
		": [escrow] identity: missing\n"
		": [certificates] renew-within: must be shorter than validity\n"
		": [ca] url: missing; type = est needs it\n"
		":17: [ca] program: a CA with type = est does not use it\n");
}

/* libinih never sees a refused [section] and would count its keys to the section before. */
static void test_keys_of_a_refused_section(void **state)
{
	(void)state;
	assert_faults(LEAST "[log]\n"
			    "level = info\n"
			    "[events]\n"
			    "workers = 3\n"
			    "[store\n"
			    "url = sqlite:x.db\n",
		":8: section [events] occurs twice, first in line 1\n"
		":10: expected [section], alone in its line\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_keys_of_a_refused_section),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_indented_key),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
