/* HTTP Basic credentials against a users file, and what workers share about passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "fcgi/auth.h"

/* All but the last of "secret", by htpasswd and mkpasswd. */
#define BCRYPT_Y "$2y$04$cu86kV5HSNszt4mp0sY3aOZlFr00vKmF/UgOX8cquWR9u6PehPihS"
#define BCRYPT_A "$2a$05$S3qECfxHa7vWFqQ5yGkWFepddeGXQQOgeNC50SLdP0lfEaIzIyjN2"
#define BCRYPT_B "$2b$05$zTwuC6onPh5uW9KpoWbHnuQPrs8alSnC6pMtxKrnX3rCjfhtQZLlC"
#define BCRYPT_10 "$2y$10$RbjqTdRoveTOJVTls9UMT.0ysrqkZsBN.J3yP3OURAnhgAvzkBx7W"
#define YESCRYPT "$y$j75$4bFho8XnKXCDeNXTBXiza.$3Jm/XBbBAzBXKGVPQTQpmo4nxUsKvF/0YT0foYNWW16"
#define GOST "$gy$j75$PM7xdxz5Zv2JgpQBtur5J/$QEJkFAGbD.jasCjYQ.eOcqxXdQyrsts4caMVBMpNk.6"
#define SHA512                             \
	"$6$rounds=1000$u6xBz.9vJVEEYxjN$" \
	"U.BEklK67M.6uJdO6v2BdvnUEZSbvg5zyqoQAYw51Evl8o/v8NZYptYJ36zxUZe24nWqqsXbRMxJuEzcUA72v/"
#define SHA256 "$5$rounds=1000$kldbqpjy49OySEWb$RYxIwbGNSO.ES4mj2mKTRf/lhzIvwkji.nWkwFZsvr9"
#define BCRYPT_UMLAUT "$2b$05$61fv..gyQKwXj5ZPkLDU0u8CCUjyvDCeWJBYYfVAkSMqa0Mb2UQL6"

struct fixture {
	char folder[64];
	char path[80];
	const char *address;
	struct auth *auth;
	struct auth_memory *memory; /* where a test shares it */
	struct error e;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->folder, sizeof(f->folder), "/tmp/auth-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/users", f->folder);
	f->address = "192.0.2.1";
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	auth_close(f->auth);
	auth_memory_free(f->memory);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void write_users(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(f->path, 0600), 0);
}

static void open_users(struct fixture *f, const char *text)
{
	write_users(f, text);
	if (auth_open(f->path, &f->auth, &f->e))
		fail_msg("%s", f->e.text);
}

static enum err check_header(struct fixture *f, const char *header)
{
	return auth_check(f->auth, header, f->address, &f->e);
}

static enum err check_with(struct fixture *f, const char *scheme, const char *pair, size_t len)
{
	struct buf header = BUF_INIT(8192);
	enum err err;

	buf_puts(&header, scheme);
	buf_base64(&header, pair, len);
	f->e = (struct error){.code = ERR_OK};
	err = check_header(f, header.data);
	buf_free(&header);
	return err;
}

static enum err check(struct fixture *f, const char *pair)
{
	return check_with(f, "Basic ", pair, strlen(pair));
}

#define assert_refused(err, f, reason)                                      \
	do {                                                                \
		assert_int_equal(err, ERR_UNAUTHENTICATED);                 \
		if (!strstr((f)->e.text, reason))                           \
			fail_msg("\"%s\" not in: %s", reason, (f)->e.text); \
	} while (0)

static void takes_every_strong_hash(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"y", "a", "b", "yes", "gost", "sha512", "sha256"};
	char pair[64];

	open_users(f, "# users\n\ny:" BCRYPT_Y "\na:" BCRYPT_A "\r\n  b:" BCRYPT_B "\nyes:" YESCRYPT
		      "\ngost:" GOST "\nsha512:" SHA512 "\nsha256:" SHA256);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(pair, sizeof(pair), "%s:secret", names[i]);
		assert_int_equal(check(f, pair), ERR_OK);
		assert_int_equal(check(f, pair), ERR_OK);
		snprintf(pair, sizeof(pair), "%s:Secret", names[i]);
		assert_refused(check(f, pair), f, "wrong password");
	}
}

static void takes_any_form_of_the_scheme(void **state)
{
	struct fixture *f = *state;
	static const char *const schemes[] = {"Basic ", "basic ", "BaSIc ", "BASIC    "};

	open_users(f, "uem:" BCRYPT_Y "\n");
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		assert_int_equal(check_with(f, schemes[i], "uem:secret", 10), ERR_OK);
}

static void takes_colons_and_utf8_in_the_password(void **state)
{
	struct fixture *f = *state;

	open_users(f, "uem:" BCRYPT_UMLAUT "\n");
	assert_int_equal(check(f, "uem:p\xc3\xa4\xc3\x9f:w\xc3\xb6rt"), ERR_OK);
	assert_refused(check(f, "uem:p\xe4\xdf:w\xf6rt"), f, "wrong password");
}

static void refuses_what_is_no_credentials(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *header, *reason;
		enum auth_failure failure;
	} cases[] = {
		{"", "no credentials", AUTH_MISSING},
		{"Basic", "not valid base64", AUTH_MALFORMED},
		{"Basic ", "not valid base64", AUTH_MALFORMED},
		{"Bearer dWVtOnNlY3JldA==", "not HTTP Basic", AUTH_MALFORMED},
		{"Basics dWVtOnNlY3JldA==", "not HTTP Basic", AUTH_MALFORMED},
		{"dWVtOnNlY3JldA==", "not HTTP Basic", AUTH_MALFORMED},
		{"Basic dWVtOnNlY3JldA", "not valid base64", AUTH_MALFORMED},
		{"Basic dWVtOnNlY3JldB==", "not valid base64", AUTH_MALFORMED},
		{"Basic dWVtOnNlY3JldA== ", "not valid base64", AUTH_MALFORMED},
		{"Basic dWVtOnNlY3JldA==, Basic dWVtOnNlY3JldA==", "not valid base64",
			AUTH_MALFORMED},
		{"Basic dWVt", "user:password", AUTH_MALFORMED},
	};

	open_users(f, "uem:" BCRYPT_Y "\n");
	assert_int_equal(check_header(f, "Basic dWVtOnNlY3JldA=="), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_refused(check_header(f, cases[i].header), f, cases[i].reason);
		assert_int_equal(auth_failure(f->auth), cases[i].failure);
	}
}

static void refuses_wrong_pairs(void **state)
{
	struct fixture *f = *state;
	char longest[1400];

	open_users(f, "uem:" BCRYPT_Y "\n");
	assert_refused(check(f, "uem:"), f, "user \"uem\": wrong password");
	assert_int_equal(auth_failure(f->auth), AUTH_WRONG_PASSWORD);
	assert_refused(check(f, ":secret"), f, "no such user");
	assert_int_equal(auth_failure(f->auth), AUTH_UNKNOWN_USER);
	assert_refused(check(f, "Uem:secret"), f, "user \"Uem\": there is no such user");
	assert_refused(check(f, "uem\n\"\x1b:secret"), f, "user \"uem???\"");
	assert_refused(check_with(f, "Basic ", "uem:secret\0", 11), f, "user:password");
	assert_refused(check_with(f, "Basic ", "uem\0:secret", 11), f, "user:password");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "uem:", 4);
	assert_refused(check_with(f, "Basic ", longest, sizeof(longest)), f, "wrong password");
	assert_null(strstr(f->e.text, "xxxx"));
}

static void refuses_overlong_credentials(void **state)
{
	struct fixture *f = *state;
	char pair[4000];

	open_users(f, "uem:" BCRYPT_Y "\n");
	memset(pair, 'x', sizeof(pair));
	pair[3] = ':';
	assert_refused(check_with(f, "Basic ", pair, sizeof(pair)), f, "too long");
}

static int64_t processor_us(void)
{
	struct timespec used;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
	return used.tv_sec * 1000000LL + used.tv_nsec / 1000;
}

/* Of the processor, which others do not count in. */
static int64_t time_of(struct fixture *f, const char *pair, enum err expected, int times)
{
	int64_t begin = processor_us();

	for (int i = 0; i < times; i++)
		assert_int_equal(check(f, pair), expected);
	return processor_us() - begin;
}

static void remembers_only_what_was_right(void **state)
{
	struct fixture *f = *state;
	int64_t first, again, wrong;

	open_users(f, "uem:" BCRYPT_10 "\n");
	wrong = time_of(f, "uem:wrong", ERR_UNAUTHENTICATED, 1);
	first = time_of(f, "uem:secret", ERR_OK, 1);
	again = time_of(f, "uem:secret", ERR_OK, 10);
	assert_true(again < first / 2);
	again = time_of(f, "uem:wrong", ERR_UNAUTHENTICATED, 1);
	assert_true(again > wrong / 4);
}

static void unknown_users_cost_as_much(void **state)
{
	struct fixture *f = *state;
	int64_t known, unknown;

	open_users(f, "uem:" BCRYPT_10 "\n");
	known = time_of(f, "uem:wrong", ERR_UNAUTHENTICATED, 3);
	unknown = time_of(f, "nobody:wrong", ERR_UNAUTHENTICATED, 3);
	assert_true(unknown > known / 4);
	assert_refused(check(f, "nobody:secret"), f, "no such user"); /* the first one's password */
}

static void forgets_the_oldest_of_many(void **state)
{
	struct fixture *f = *state;
	struct buf text = BUF_INIT(8192);
	char pair[32];

	for (int i = 0; i < 20; i++)
		buf_printf(&text, "user%d:%s\n", i, BCRYPT_Y);
	open_users(f, text.data);
	for (int i = 0; i < 60; i++) {
		snprintf(pair, sizeof(pair), "user%d:secret", i % 20);
		assert_int_equal(check(f, pair), ERR_OK);
	}
	buf_free(&text);
}

/* --- what several processes know together */

static void share(struct fixture *f, const char *text)
{
	if (!f->memory)
		assert_int_equal(auth_memory_new(&f->memory, &f->e), ERR_OK);
	auth_close(f->auth);
	open_users(f, text);
	auth_share(f->auth, f->memory);
}

/* Another worker, in the middle of a hash for ever. */
static pid_t hold_the_turn(struct fixture *f)
{
	int ends[2];
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		if (auth_memory_take_turn(f->memory, "198.51.100.1", &f->e) ||
			write(ends[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

static void kill_it(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void one_process_computes_at_a_time(void **state)
{
	struct fixture *f = *state;
	pid_t other;

	share(f, "uem:" BCRYPT_Y "\n");
	assert_refused(check(f, "uem:wrong"), f, "wrong password");
	other = hold_the_turn(f);
	assert_int_equal(check(f, "uem:wrong"), ERR_UNAVAILABLE);
	assert_int_equal(check(f, "nobody:wrong"), ERR_UNAVAILABLE);
	assert_true(f->e.retry_after > 0);
	kill_it(other); /* the turn ends with it */
	assert_refused(check(f, "uem:wrong"), f, "wrong password");
	assert_int_equal(check(f, "uem:secret"), ERR_OK);
}

static void what_was_right_needs_no_turn(void **state)
{
	struct fixture *f = *state;
	pid_t other;

	share(f, "uem:" BCRYPT_Y "\nsecond:" BCRYPT_A "\n");
	assert_int_equal(check(f, "uem:secret"), ERR_OK);
	share(f, "uem:" BCRYPT_Y "\nsecond:" BCRYPT_A "\n"); /* another worker */
	assert_refused(check(f, "uem:wrong"), f, "wrong password");
	other = hold_the_turn(f);
	assert_int_equal(check(f, "uem:secret"), ERR_OK);
	assert_int_equal(check(f, "second:secret"), ERR_UNAVAILABLE);
	assert_int_equal(check(f, "uem:Secret"), ERR_UNAVAILABLE);
	kill_it(other);
}

static void a_new_hash_ends_what_was_right(void **state)
{
	struct fixture *f = *state;

	share(f, "uem:" BCRYPT_Y "\n");
	assert_int_equal(check(f, "uem:secret"), ERR_OK);
	share(f, "uem:" BCRYPT_UMLAUT "\n");
	assert_refused(check(f, "uem:secret"), f, "wrong password");
	share(f, "other:" BCRYPT_Y "\n");
	assert_refused(check(f, "uem:secret"), f, "no such user");
}

/* The limit is 30; the clock may give back a few meanwhile. */
static void an_address_that_keeps_failing_is_not_looked_at(void **state)
{
	struct fixture *f = *state;
	enum err err = ERR_UNAUTHENTICATED;
	int tries = 0;

	share(f, "uem:" BCRYPT_Y "\nsecond:" BCRYPT_A "\n");
	assert_int_equal(check(f, "uem:secret"), ERR_OK);
	while (err == ERR_UNAUTHENTICATED && tries++ < 10000)
		err = check(f, "uem:wrong");
	assert_int_equal(err, ERR_UNAVAILABLE);
	assert_true(tries > 30);
	assert_non_null(strstr(f->e.text, "from this address"));
	assert_true(f->e.retry_after > 0);
	assert_int_equal(check(f, "uem:secret"), ERR_OK);
	f->address = "192.0.2.2";
	assert_int_equal(check(f, "second:secret"), ERR_OK);
	assert_refused(check(f, "uem:wrong"), f, "wrong password");
}

static void an_ipv6_network_is_one_address(void **state)
{
	struct fixture *f = *state;
	char address[64];
	enum err err = ERR_UNAUTHENTICATED;

	share(f, "uem:" BCRYPT_Y "\n");
	f->address = address;
	for (int i = 0; err == ERR_UNAUTHENTICATED && i < 10000; i++) {
		snprintf(address, sizeof(address), "2001:db8:0:1::%x", i);
		err = check(f, "uem:wrong");
	}
	assert_int_equal(err, ERR_UNAVAILABLE);
	f->address = "2001:db8:0:2::1";
	assert_refused(check(f, "uem:wrong"), f, "wrong password");
}

static void names_the_line_that_is_wrong(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"", ": there is no user in it"},
		{"# nobody\n\n", ": there is no user in it"},
		{"uem\n", ":1: expected user:hash"},
		{"# first\n:" BCRYPT_Y "\n", ":2: expected user:hash"},
		{"uem:\n", ":1: there is no hash"},
		{"uem:secret\n", ":1: only bcrypt"},
		{"uem:rJpFpW1aEmuKo\n", ":1: only bcrypt"},
		{"uem:$1$OXwqgDn3$H3YU.g2h3kS2CxzZ1OShF.\n", ":1: only bcrypt"},
		{"uem:$apr1$Df953pDS$jWQbS1AjZWVWV5jMB65jN1\n", ":1: only bcrypt"},
		{"uem:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n", ":1: only bcrypt"},
		{"uem:$2x$05$zTwuC6onPh5uW9KpoWbHnuQPrs8alSnC6pMtxKrnX3rCjfhtQZLlC\n",
			":1: only bcrypt"},
		{"uem:$2y$05$cu86kV5HSNszt4mp0sY3aO\n", ":1: the hash is damaged or cut"},
		{"uem:" SHA512 "x\n", ":1: the hash is damaged or cut"},
		{"uem:" BCRYPT_Y ":0\n", ":1: the hash is damaged or cut"},
		{"uem:" BCRYPT_Y "\n\nuem:" BCRYPT_B "\n", ":3: this user already has a line"},
		{"u\x01:" BCRYPT_Y "\n", ":1: the user name has control characters"},
		{"u\xff:" BCRYPT_Y "\n", ":1: the user name has control characters"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char expected[256];

		write_users(f, cases[i].text);
		assert_int_equal(auth_open(f->path, &f->auth, &f->e), ERR_CONFIG);
		assert_null(f->auth);
		snprintf(expected, sizeof(expected), "%s%s", f->path, cases[i].reason);
		if (strncmp(f->e.text, expected, strlen(expected)) != 0)
			fail_msg("expected \"%s\", got \"%s\"", expected, f->e.text);
	}
}

static void refuses_an_open_or_missing_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(auth_open(f->path, &f->auth, &f->e), ERR_CONFIG);
	write_users(f, "uem:" BCRYPT_Y "\n");
	assert_int_equal(chmod(f->path, 0644), 0);
	assert_int_equal(auth_open(f->path, &f->auth, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, "0644"));
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(takes_every_strong_hash),
		WITH_FOLDER(takes_any_form_of_the_scheme),
		WITH_FOLDER(takes_colons_and_utf8_in_the_password),
		WITH_FOLDER(refuses_what_is_no_credentials),
		WITH_FOLDER(refuses_wrong_pairs),
		WITH_FOLDER(refuses_overlong_credentials),
		WITH_FOLDER(remembers_only_what_was_right),
		WITH_FOLDER(unknown_users_cost_as_much),
		WITH_FOLDER(forgets_the_oldest_of_many),
		WITH_FOLDER(one_process_computes_at_a_time),
		WITH_FOLDER(what_was_right_needs_no_turn),
		WITH_FOLDER(a_new_hash_ends_what_was_right),
		WITH_FOLDER(an_address_that_keeps_failing_is_not_looked_at),
		WITH_FOLDER(an_ipv6_network_is_one_address),
		WITH_FOLDER(names_the_line_that_is_wrong),
		WITH_FOLDER(refuses_an_open_or_missing_file),
	};

	return cmocka_run_group_tests_name("fcgi_auth", tests, NULL, NULL);
}
