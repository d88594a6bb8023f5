/* TLS client identities from PKCS#12 files. */
#include "net/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/net_support.h"

static struct identity *open_identity(const char *file, const char *password)
{
	struct identity *identity = NULL;
	struct error e = {0};

	if (identity_open(net_file(file), password ? net_file(password) : NULL, &identity, &e))
		fail_msg("%s", e.text);
	return identity;
}

static void expect_failure(const char *file, const char *password, const char *text)
{
	struct identity *identity = NULL;
	struct error e = {0};

	assert_int_equal(
		identity_open(net_file(file), password ? net_file(password) : NULL, &identity, &e),
		ERR_CONFIG);
	assert_null(identity);
	if (!strstr(e.text, text) || !strstr(e.text, net_file("")))
		fail_msg("\"%s\" lacks \"%s\"", e.text, text);
	assert_null(strstr(e.text, "opensesame"));
}

/* Runs a shell script with the folder as $1; returns true if it succeeds. */
static bool judge(const char *script)
{
	return net_run((const char *const[]){"sh", "-ec", script, "sh", net_file(""), NULL});
}

/* Puts the identity's PEM and DER into files, for openssl. */
static void dump(const struct identity *identity)
{
	const struct blob *der = identity_certificate(identity);
	struct blob pem = {NULL, 0};
	struct error e = {0};

	unlink(net_file("dump.pem"));
	unlink(net_file("dump.der"));
	assert_int_equal(file_read(identity_path(identity), &pem, &e), ERR_OK);
	assert_int_equal(file_create(net_file("dump.pem"), 0600, pem.data, pem.len, &e), ERR_OK);
	assert_int_equal(file_create(net_file("dump.der"), 0600, der->data, der->len, &e), ERR_OK);
	blob_free(&pem);
}

/* openssl finds one key in it, which belongs to the first certificate. */
static const char same_key[] =
	"cd \"$1\"; test $(grep -c 'PRIVATE KEY' dump.pem) = 2\n"
	"test \"$(openssl pkey -in dump.pem -pubout)\" = "
	"\"$(openssl x509 -in dump.pem -noout -pubkey)\"\n"
	"test \"$(openssl x509 -in dump.pem)\" = \"$(openssl x509 -inform DER -in dump.der)\"\n";

static void assert_opens(const char *file, const char *password)
{
	struct identity *identity = open_identity(file, password);

	dump(identity);
	identity_close(identity);
	if (!judge(same_key))
		fail_msg("%s: openssl reads it otherwise", file);
}

static void test_all_kinds_open(void **state)
{
	static const char *const kinds[][2] = {
		{"client.p12", "password"},
		{"legacy.p12", "password"},
		{"utf8.p12", "password-utf8"},
		{"no-mac.p12", "password"},
		{"empty.p12", NULL},
		{"plain.p12", NULL},
		{"rsa.p12", "password"},
		{"gnutls.p12", "password"},
		{"gnutls-3des.p12", "password"},
		{"gnutls-empty.p12", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		assert_opens(kinds[i][0], kinds[i][1]);
}

static void test_no_password_at_all(void **state)
{
	(void)state;
	if (access(net_file("gnutls-null.p12"), F_OK) < 0) {
		print_message("# this version of certtool crashes on --null-password\n");
		skip();
	}
	assert_opens("gnutls-null.p12", NULL);
}

static void test_order_of_pem(void **state)
{
	struct identity *identity = open_identity("client.p12", "password");

	(void)state;
	dump(identity);
	identity_close(identity);
	assert_true(judge("cd \"$1\"; test \"$(openssl x509 -in client.pem)\" = "
			  "\"$(openssl x509 -in dump.pem)\"\n"
			  "cat client.pem client-sub-ca.pem | grep -v '^$' | "
			  "sed -n '/BEGIN/,/END/p' > expected.pem\n"
			  "sed -n '/BEGIN CERT/,/END CERT/p' dump.pem | cmp - expected.pem\n"
			  "tail -n 1 dump.pem | grep -q 'END PRIVATE KEY'"));
}

static void test_memory_file_is_sealed(void **state)
{
	struct identity *identity = open_identity("client.p12", "password");
	int fd = (int)strtol(strrchr(identity_path(identity), '/') + 1, NULL, 10);
	char path[64];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s", identity_path(identity));
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0); /* in no folder */
	identity_close(identity);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_end_of_validity(void **state)
{
	struct identity *identity = open_identity("client-expired.p12", "password");
	char date[CLOCK_RFC3339_SIZE];

	(void)state;
	clock_rfc3339(identity_not_after(identity), date);
	assert_string_equal(date, "2021-01-01T00:00:00Z");
	identity_close(identity);
	identity = open_identity("client.p12", "password");
	assert_in_range(
		identity_not_after(identity), clock_now() + 29 * 86400, clock_now() + 31 * 86400);
	identity_close(identity);
}

static void test_what_does_not_open(void **state)
{
	(void)state;
	expect_failure("client.p12", "password-wrong", "password-wrong is wrong for it");
	expect_failure("legacy.p12", "password-wrong", "password-wrong is wrong for it");
	expect_failure("no-mac.p12", "password-wrong", "password-wrong is wrong for it");
	expect_failure("empty.p12", "password-wrong", "password-wrong is wrong for it");
	expect_failure("client.p12", NULL, "client.p12 has a password");
	expect_failure(
		"client.p12", "password-latin1", "is not valid UTF-8 but, most likely, Latin-1");
	expect_failure("misread.p12", "password-utf8", "took the password in ");
	expect_failure("brainpool.p12", "password", "it is of the curve brainpoolP384r1; have");
	expect_failure("secp256k1.p12", "password", "it is of the curve secp256k1; have");
	expect_failure("wtls9.p12", "password", "it is of a rare curve; have");
	expect_failure("explicit.p12", "password", "it is of a curve given by explicit parameters");
	expect_failure("brainpool.p12", "password-wrong", "password-wrong is wrong for it");
	expect_failure("brainpool.p12", NULL, "brainpool.p12 has a password");
	expect_failure("camellia.p12", "password", "is encrypted in an unknown way");
	expect_failure("no-key.p12", "password", "has no private key");
	expect_failure("no-certificate.p12", "password", "has no certificate that belongs to");
	expect_failure("mismatch.p12", "password", "has no certificate that belongs to");
	expect_failure("two-keys.p12", "password", "several private keys");
	expect_failure("client.pem", "password", "is not a PKCS#12 file");
	expect_failure("short.p12", "password", "is not a PKCS#12 file");
	expect_failure("password", "password", "is not a PKCS#12 file");
	expect_failure("none.p12", "password", "none.p12: No such file");
	expect_failure("client.p12", "no-password", "no-password: No such file");
	identity_close(NULL);
}

static void test_file_modes(void **state)
{
	(void)state;
	assert_true(judge("cd \"$1\"; cp client.p12 open.p12; chmod 0644 open.p12\n"
			  "cp client.p12 group.p12; chmod 0640 group.p12\n"
			  "cp password open-password; chmod 0604 open-password\n"
			  "ln -s client.p12 link.p12"));
	expect_failure("open.p12", "password", "has mode 0644");
	expect_failure("client.p12", "open-password", "has mode 0604");
	expect_failure("link.p12", "password", "is a symbolic link");
	identity_close(open_identity("group.p12", "password"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_kinds_open),
		cmocka_unit_test(test_no_password_at_all),
		cmocka_unit_test(test_order_of_pem),
		cmocka_unit_test(test_memory_file_is_sealed),
		cmocka_unit_test(test_end_of_validity),
		cmocka_unit_test(test_what_does_not_open),
		cmocka_unit_test(test_file_modes),
	};

	return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
