/* Tokens of SoftHSM 2: what a URL may say, and what happens when a key cannot be used. */

#include "pki/token.h"

#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "pki/certificate.h"
#include "pki/issue.h"
#include "pki/token_objects.h"
#include "tests/unit/pki_tools.h"

#define PIN "4711-of-the-test"
#define TOKEN "pkcs11:token=test;"

static char *folder; /* NULL: no SoftHSM 2 here */
static char *pin_file;

/* Runs a shell script with the folder as $1 and the PIN as $2. */
static bool shell(const char *script)
{
	char *text = NULL;
	int status = TOOL(NULL, &text, "sh", "-ec", script, "sh", folder, PIN);

	if (status)
		print_message("%s: %s\n", script, text);
	free(text);
	return status == 0;
}

static void write_pin(const char *pin)
{
	FILE *file = fopen(pin_file, "w");

	assert_non_null(file);
	fprintf(file, "%s\n", pin);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(pin_file, 0600), 0);
}

static int set_up(void **state)
{
	char *text = NULL;

	(void)state;
	if (TOOL(NULL, &text, "sh", "-c", "command -v softhsm2-util && command -v p11tool")) {
		free(text);
		return 0;
	}
	free(text);
	folder = new_folder();
	assert_true(asprintf(&pin_file, "%s/pin", folder) > 0);
	assert_true(asprintf(&text, "%s/conf", folder) > 0);
	setenv("SOFTHSM2_CONF", text, 1);
	free(text);
	write_pin(PIN);
	assert_true(shell("mkdir \"$1/tokens\"\n"
			  "echo directories.tokendir = \"$1/tokens\" >\"$1/conf\"\n"
			  "echo objectstore.backend = file >>\"$1/conf\"\n"
			  "echo log.level = ERROR >>\"$1/conf\"\n"
			  "softhsm2-util --init-token --free --label test --pin \"$2\" "
			  "--so-pin 12345678"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (folder)
		remove_folder(folder);
	free(pin_file);
	return 0;
}

/* object of the token, with the PIN's file; lives until the next call. */
static const char *url_of(const char *object)
{
	static char url[512];

	snprintf(url, sizeof(url), TOKEN "object=%s;type=private?pin-source=%s", object, pin_file);
	return url;
}

static void need_softhsm(void)
{
	if (!folder) {
		print_message("# softhsm2 is not installed\n");
		skip();
	}
}

static struct token *new_token(const char *object)
{
	struct token *token = NULL;

	need_softhsm();
	assert_ok(token_new(url_of(object), &token, e));
	return token;
}

/* --- URLs */

static void test_urls(void **state)
{
	static const char *const wrong[][2] = {
		{"pkcs11:token=test;object=ca?pin-value=4711", "pin-value"},
		{"pkcs11:object=ca", "token=LABEL"},
		{"pkcs11:token=test", "object=LABEL"},
		{"pkcs11:token=test;object=ca;type=cert", "type=private"},
		{"pkcs11:token=test;object=ca;colour=red", "\"colour\" in a place where RFC 7512"},
		{"pkcs11:token=test;object=ca;x-vendor=1",
			"\"x-vendor\" in a place where RFC 7512"},
		{"pkcs11:token=test;object=ca;pinfile=/pin",
			"\"pinfile\" in a place where RFC 7512"},
		{"pkcs11:token=test;object=ca?pin-source=/a&pincode=1",
			"\"pincode\" in a place where RFC 7512"},
		{"pkcs11:token=test;object=ca;Type=private", "\"Type\" in a place where RFC 7512"},
		{"pkcs11:token=test;object=ca;object=cb", "\"object\" twice"},
		{"pkcs11:token=test;object=ca?pin-source=/a&pin-source=/b", "\"pin-source\" twice"},
		{"pkcs11:token=test;object=ca;pin-source=/a",
			"\"pin-source\" in a place where RFC 7512"},
		{"pkcs11:token=test?object=ca", "\"object\" in a place where RFC 7512"},
		{"pkcs11:token=%zz;object=ca", "RFC 7512"},
		{"pkcs11:token=test;object=ca?module-path=/lib/x.so", "pkcs11.conf(5)"},
		{"pkcs11:token=test;object=ca?pin-source=pin", "whole path"},
		{"pkcs11:token=test;object=ca?pin-source=%7Ccat%20/pin", "whole path"},
		{"pkcs11:token=test;object=ca?pin-source=https://localhost/pin", "whole path"},
		{"pkcs11:token=test;object=ca?pin-source=/none/pin", "/none/pin: No such file"},
	};
	struct token *token = NULL, *other = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_err(token_new(wrong[i][0], &token, e), ERR_CONFIG, wrong[i][1]);
		assert_null(token);
	}
	assert_true(token_is_url("pkcs11:token=a"));
	assert_false(token_is_url("/etc/pkcs11:key"));
	assert_ok(token_new("pkcs11:serial=07f3;id=%0A%ff", &token, e));
	assert_string_equal(token_name(token), "key \"0aff\" of token with serial number \"07f3\"");
	token_free(token);
	token_free(NULL);
	assert_ok(token_new("pkcs11:object=a%20b;token=t", &token, e));
	assert_ok(token_new("pkcs11:token=t;object=a%20b;type=private", &other, e));
	assert_string_equal(token_name(token), "key \"a b\" of token \"t\"");
	assert_true(token_same(token, other));
	token_free(other);
	assert_ok(token_new("pkcs11:token=t;object=ab", &other, e));
	assert_false(token_same(token, other));
	token_free(other);
	token_free(token);
}

static void test_pin_file(void **state)
{
	struct token *token = NULL;

	(void)state;
	need_softhsm();
	assert_int_equal(chmod(pin_file, 0644), 0);
	assert_err(token_new(url_of("ca"), &token, e), ERR_CONFIG, "has mode 0644");
	write_pin("");
	assert_err(token_new(url_of("ca"), &token, e), ERR_CONFIG, "must hold a password");
	write_pin(PIN);
}

/* --- keys */

/* Makes a root with that key and lets openssl judge it. */
static void make_root(struct token *token, struct blob *out)
{
	struct name name = new_name("CN=Token CA");
	struct blob pem = {NULL, 0};
	char *text = NULL, *path;

	assert_ok(issue_root_token(token, &name, 1700000000, 4000000000, out, e));
	assert_ok(certificate_to_pem(out, &pem, e));
	path = write_file(folder, "root.pem", &pem);
	assert_int_equal(TOOL(NULL, &text, "openssl", "verify", "-CAfile", path, path), 0);
	free(text);
	free(path);
	blob_free(&pem);
}

static void test_all_types(void **state)
{
	static const char *const objects[KEY_TYPE_COUNT] = {
		"rsa2048", "rsa3072", "rsa4096", "p256", "p384"};

	(void)state;
	need_softhsm();
	for (int type = 0; type < KEY_TYPE_COUNT; type++) {
		struct token *token = new_token(objects[type]);
		struct blob root = {NULL, 0};

		assert_err(token_find(token, e), ERR_NOT_FOUND, "does not have this object");
		assert_err(token_probe(token, e), ERR_UNAVAILABLE, "does not have this object");
		assert_ok(token_generate(token, (enum key_type)type, e));
		assert_err(
			token_generate(token, (enum key_type)type, e), ERR_CONFIG, "there already");
		make_root(token, &root);
		assert_ok(token_probe(token, e));
		blob_free(&root);
		token_free(token);
	}
}

static void test_another_key(void **state)
{
	struct token *token = new_token("p256");
	struct blob root = {NULL, 0};
	struct issuer *issuer = NULL;

	(void)state;
	make_root(token, &root);
	token_free(token);
	token = new_token("p384");
	assert_ok(issuer_new_token(&root, token, &issuer, e));
	assert_err(issuer_check_key(issuer, e), ERR_CONFIG, "another key than the certificate's");
	issuer_free(issuer);
	token = new_token("p256");
	assert_ok(issuer_new_token(&root, token, &issuer, e));
	assert_ok(issuer_check_key(issuer, e));
	issuer_free(issuer);
	blob_free(&root);
}

static void test_away_and_back(void **state)
{
	struct token *token = new_token("p256"), *other = new_token("rsa2048");
	struct timespec pause = {.tv_nsec = 200 * 1000000L}; /* more than between two searches */

	(void)state;
	assert_ok(token_probe(token, e));
	assert_ok(token_probe(other, e));
	assert_true(shell("mv \"$1/tokens\" \"$1/away\""));
	assert_err(token_probe(token, e), ERR_UNAVAILABLE,
		"key \"p256\" of token \"test\": the token is not there");
	assert_true(shell("mv \"$1/away\" \"$1/tokens\""));
	nanosleep(&pause, NULL);
	assert_ok(token_probe(token, e));
	assert_ok(token_probe(other, e));
	token_free(token);
	token_free(other);
}

/* --- PINs */

static void expect_refused(const char *words)
{
	struct token *token = new_token("p256");

	assert_err(token_probe(token, e), ERR_UNAVAILABLE, words);
	token_free(token);
}

static void test_wrong_pin(void **state)
{
	struct token *token = NULL;

	(void)state;
	need_softhsm();
	write_pin("not-the-pin");
	expect_refused("the token refused the PIN in");
	for (int i = 0; i < 3; i++)
		expect_refused("was refused, and is not tried again");
	assert_ok(token_new(TOKEN "object=p256", &token, e));
	assert_err(token_probe(token, e), ERR_UNAVAILABLE, "add ?pin-source=");
	token_free(token);
	write_pin("nor-this-one");
	expect_refused("the token refused the PIN in");
	write_pin(PIN);
	token = new_token("p256");
	assert_ok(token_probe(token, e));
	token_free(token);
	assert_false(shell("ls \"$1\"/pin.refused-* 2>/dev/null"));
	/* A PIN whose file is gone was not refused. */
	token = new_token("p256");
	assert_int_equal(unlink(pin_file), 0);
	assert_err(token_probe(token, e), ERR_UNAVAILABLE, "its PIN file cannot be read");
	write_pin(PIN);
	assert_ok(token_probe(token, e));
	token_free(token);
}

/* --- certificates */

static void test_chain(void **state)
{
	struct token *token = new_token("rsa2048");
	struct chain chain = {0};
	struct blob root = {NULL, 0};

	(void)state;
	make_root(token, &root);
	assert_err(token_chain(token, &chain, e), ERR_UNAVAILABLE, "there is no certificate");
	assert_true(shell("GNUTLS_PIN=$2 p11tool --batch --login --write --label rsa2048 "
			  "--load-certificate \"$1/root.pem\" pkcs11:token=test"));
	assert_ok(token_chain(token, &chain, e));
	assert_int_equal(chain.count, 1);
	assert_true(blob_equal(&chain.certificate[0], &root));
	assert_string_equal(token_lend(token), "pkcs11:token=test;object=rsa2048;type=private");
	chain_free(&chain);
	blob_free(&root);
	token_free(token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_pin_file),
		cmocka_unit_test(test_all_types),
		cmocka_unit_test(test_another_key),
		cmocka_unit_test(test_away_and_back),
		cmocka_unit_test(test_wrong_pin),
		cmocka_unit_test(test_chain),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
