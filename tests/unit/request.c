/* PKCS#10 requests, judged by openssl. */

#include "pki/request.h"

#include "pki_tools.h"

static const struct {
	enum key_type key;
	enum usage usage;
	const char *key_usage, *signature;
} rows[] = {
	{KEY_RSA_2048, USAGE_SIGNING, "Digital Signature, Non Repudiation\n",
		"sha256WithRSAEncryption"},
	{KEY_RSA_2048, USAGE_ENCRYPTION, "Key Encipherment\n", "sha256WithRSAEncryption"},
	{KEY_EC_P256, USAGE_SIGNING, "Digital Signature, Non Repudiation\n", "ecdsa-with-SHA256"},
	{KEY_EC_P384, USAGE_ENCRYPTION, "Key Agreement\n", "ecdsa-with-SHA256"},
};

/* What openssl says of a request; the request itself goes to *out. */
static char *make(
	enum key_type type, enum usage usage, const char *mail, const char *dn, struct blob *out)
{
	struct key *key = new_key(type);
	struct name name = new_name(dn);
	struct address address = {.text = ""};
	struct blob der = {NULL, 0};
	char *said = NULL;

	assert_ok(address_parse(mail, &address, e));
	assert_ok(request_make(key, usage, &name, &address, &der, e));
	assert_int_equal(TOOL(&der, &said, "openssl", "req", "-inform", "DER", "-noout", "-verify",
				 "-text", "-nameopt", "RFC2253,utf8,-esc_msb"),
		0);
	assert_has(said, "verify OK");
	key_free(key);
	*out = der;
	return said;
}

static void asks_for_what_issue_gives(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct blob der;
		char *said = make(rows[i].key, rows[i].usage, "o'brien@example.com",
			"CN=O'Brien\\, Pat,O=Acme", &der);

		assert_has(said, "Subject: CN=O'Brien\\, Pat,O=Acme\n");
		assert_has(said, "Key Usage: critical\n");
		assert_has(said, rows[i].key_usage);
		assert_has(said, "Extended Key Usage: \n                    E-mail Protection\n");
		assert_has(said, "email:o'brien@example.com\n");
		assert_has(said, rows[i].signature);
		free(said);
		blob_free(&der);
	}
}

static void takes_foreign_addresses(void **state)
{
	struct blob der;
	char *said = make(KEY_EC_P256, USAGE_SIGNING, "jörg@bücher.example", "CN=x", &der);

	(void)state;
	assert_utf8_mailbox(&der, "jörg@xn--bcher-kva.example");
	assert_has_not(said, "email:");
	free(said);
	blob_free(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_what_issue_gives),
		cmocka_unit_test(takes_foreign_addresses),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
