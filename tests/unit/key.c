/* Private keys: made, written and read again, judged by openssl. */

#include "pki/key.h"

#include "pki_tools.h"

static const struct {
	enum key_type type;
	const char *text;
} types[] = {
	{KEY_RSA_2048, "(2048 bit"},
	{KEY_RSA_3072, "(3072 bit"},
	{KEY_RSA_4096, "(4096 bit"},
	{KEY_EC_P256, "prime256v1"},
	{KEY_EC_P384, "secp384r1"},
};

/* openssl checks the numbers, and finds the same public key. */
static void judge(const struct key *key, const char *text)
{
	struct blob pkcs8 = {NULL, 0}, public_key = public_of(key);
	char *said = NULL;

	assert_ok(key_export(key, &pkcs8, e));
	assert_int_equal(TOOL(&pkcs8, &said, "openssl", "pkey", "-inform", "DER", "-check",
				 "-noout", "-text"),
		0);
	assert_has(said, "Key is valid");
	assert_has(said, text);
	free(said);
	assert_int_equal(TOOL(&pkcs8, &said, "openssl", "pkey", "-inform", "DER", "-pubout",
				 "-outform", "DER"),
		0);
	assert_memory_equal(said, public_key.data, public_key.len);
	free(said);
	blob_free(&pkcs8);
	blob_free(&public_key);
}

static void makes_all_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct key *key = new_key(types[i].type);

		assert_int_equal(key_type(key), types[i].type);
		judge(key, types[i].text);
		key_free(key);
	}
}

static void two_keys_differ(void **state)
{
	struct key *a = new_key(KEY_EC_P256), *b = new_key(KEY_EC_P256);
	struct blob public_a = public_of(a), public_b = public_of(b);

	(void)state;
	assert_false(blob_equal(&public_a, &public_b));
	blob_free(&public_a);
	blob_free(&public_b);
	key_free(a);
	key_free(b);
}

static void comes_back_as_it_went(void **state)
{
	static const enum key_type both[] = {KEY_RSA_2048, KEY_EC_P384};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct key *key = new_key(both[i]), *der = NULL, *pem = NULL;
		struct blob exported = {NULL, 0}, text = {NULL, 0}, again = {NULL, 0};

		assert_ok(key_export(key, &exported, e));
		assert_ok(key_import(&exported, &der, e));
		assert_ok(key_export(der, &again, e));
		assert_true(blob_equal(&exported, &again));
		blob_free(&again);
		assert_ok(key_export_pem(key, &text, e));
		assert_has((char *)text.data, "-----BEGIN PRIVATE KEY-----");
		assert_ok(key_import_pem(&text, &pem, e));
		assert_ok(key_export(pem, &again, e));
		assert_true(blob_equal(&exported, &again));
		assert_int_equal(key_type(pem), both[i]);
		blob_free(&exported);
		blob_free(&text);
		blob_free(&again);
		key_free(key);
		key_free(der);
		key_free(pem);
	}
}

static void reads_keys_of_other_programs(void **state)
{
	static const struct {
		const char *argv[10];
		int type;
	} rows[] = {
		{{"openssl", "genrsa", "2048"}, KEY_RSA_2048},
		{{"openssl", "genrsa", "-traditional", "2048"}, KEY_RSA_2048},
		{{"openssl", "ecparam", "-genkey", "-name", "prime256v1"}, KEY_EC_P256},
		{{"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"},
			KEY_EC_P384},
		{{"certtool", "--generate-privkey", "--key-type", "ecc", "--curve", "secp256r1"},
			KEY_EC_P256},
		{{"certtool", "--generate-privkey", "--key-type", "rsa", "--bits", "2048"},
			KEY_RSA_2048},
		{{"openssl", "genpkey", "-algorithm", "ED25519"}, -1},
		{{"openssl", "genrsa", "1024"}, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key *key = NULL;
		struct blob pem = {NULL, 0};
		char *text = NULL;

		assert_int_equal(tool(NULL, &text, rows[i].argv), 0);
		pem = (struct blob){(unsigned char *)text, strlen(text)};
		assert_ok(key_import_pem(&pem, &key, e));
		assert_int_equal(key_type(key), rows[i].type);
		key_free(key);
		free(text);
	}
}

static void refuses_what_is_no_key(void **state)
{
	static const char *const bad[] = {"", "x", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
	struct blob blob = {NULL, 0};
	struct key *key = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_ok(blob_copy(bad[i], strlen(bad[i]), &blob, e));
		assert_err(key_import_pem(&blob, &key, e), ERR_CONFIG, "private key");
		assert_err(key_import(&blob, &key, e), ERR_INTERNAL, "private key");
		assert_null(key);
		blob_free(&blob);
	}
}

static void refuses_encrypted_keys(void **state)
{
	struct key *key = NULL;
	struct blob pem = {NULL, 0};
	char *text = NULL;

	(void)state;
	assert_int_equal(
		TOOL(NULL, &text, "openssl", "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt",
			"ec_paramgen_curve:P-256", "-aes-256-cbc", "-pass", "pass:secret"),
		0);
	pem = (struct blob){(unsigned char *)text, strlen(text)};
	assert_err(key_import_pem(&pem, &key, e), ERR_CONFIG, "is encrypted");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_all_types),
		cmocka_unit_test(two_keys_differ),
		cmocka_unit_test(comes_back_as_it_went),
		cmocka_unit_test(reads_keys_of_other_programs),
		cmocka_unit_test(refuses_what_is_no_key),
		cmocka_unit_test(refuses_encrypted_keys),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
