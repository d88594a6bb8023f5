/* Files of our encoder, opened by GnuTLS; the other judges are in tests/system. */
#include "pki/pkcs12.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>

#include "tests/unit/pkcs12_subjects.h"

#define SALT_SIZE 16
#define SHA1_SIZE 20
#define PASSWORD "pässwörd€"
#define FRIENDLY_NAME "Ann Ürsel Müller-Lüdenscheidt"

static struct blob encode(
	const struct subject *s, const struct pkcs12_options *options, const char *friendly_name)
{
	const struct pkcs12_entry entry = {&s->pkcs8, &s->chain, friendly_name};
	struct blob out = {NULL, 0};
	struct error e = {.code = ERR_OK};

	assert_int_equal(pkcs12_encode(&entry, 1, options, &out, &e), ERR_OK);
	return out;
}

static gnutls_pkcs12_t parse(const struct blob *file)
{
	const gnutls_datum_t datum = {file->data, (unsigned)file->len};
	gnutls_pkcs12_t pkcs12 = NULL;

	assert_int_equal(gnutls_pkcs12_init(&pkcs12), 0);
	assert_int_equal(gnutls_pkcs12_import(pkcs12, &datum, GNUTLS_X509_FMT_DER, 0), 0);
	return pkcs12;
}

static gnutls_pkcs12_bag_t bag_at(gnutls_pkcs12_t pkcs12, int at)
{
	gnutls_pkcs12_bag_t bag = NULL;

	assert_int_equal(gnutls_pkcs12_bag_init(&bag), 0);
	assert_int_equal(gnutls_pkcs12_get_bag(pkcs12, at, bag), 0);
	return bag;
}

static void assert_same_key(gnutls_x509_privkey_t key, const struct blob *pkcs8)
{
	gnutls_datum_t der = {NULL, 0};

	assert_int_equal(gnutls_x509_privkey_verify_params(key), 0);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
				 key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der),
		0);
	assert_int_equal(der.size, pkcs8->len);
	assert_memory_equal(der.data, pkcs8->data, pkcs8->len);
	gnutls_free(der.data);
}

/* MAC, key and chain as an application reads them. */
static void check_contents(gnutls_pkcs12_t pkcs12, const struct subject *s, const char *password)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t *chain = NULL;
	unsigned count = 0;

	assert_int_equal(gnutls_pkcs12_verify_mac(pkcs12, password), 0);
	assert_int_equal(gnutls_pkcs12_simple_parse(pkcs12, password, &key, &chain, &count, NULL,
				 NULL, NULL, GNUTLS_PKCS12_SP_INCLUDE_SELF_SIGNED),
		0);
	assert_same_key(key, &s->pkcs8);
	assert_int_equal(count, s->chain.count);
	for (unsigned i = 0; i < count; i++) {
		struct blob der = certificate_der(chain[i]);

		assert_true(blob_equal(&der, &s->chain.certificate[i]));
		blob_free(&der);
		gnutls_x509_crt_deinit(chain[i]);
	}
	gnutls_free(chain);
	gnutls_x509_privkey_deinit(key);
}

static void check_mac(
	gnutls_pkcs12_t pkcs12, const struct pkcs12_options *options, unsigned char *salt)
{
	unsigned algorithm = 0, salt_size = SALT_SIZE, iterations = 0;

	assert_int_equal(
		gnutls_pkcs12_mac_info(pkcs12, &algorithm, salt, &salt_size, &iterations, NULL), 0);
	assert_int_equal(
		algorithm, options->profile == PKCS12_LEGACY ? GNUTLS_MAC_SHA1 : GNUTLS_MAC_SHA256);
	assert_int_equal(salt_size, SALT_SIZE);
	assert_int_equal(iterations, options->iterations);
}

static void check_attributes(
	gnutls_pkcs12_bag_t bag, unsigned at, const struct subject *s, const char *friendly_name)
{
	const struct blob *leaf = &s->chain.certificate[0];
	unsigned char expected[SHA1_SIZE];
	gnutls_datum_t id = {NULL, 0};
	char *name = NULL;

	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA1, leaf->data, leaf->len, expected), 0);
	assert_int_equal(gnutls_pkcs12_bag_get_key_id(bag, at, &id), 0);
	assert_int_equal(id.size, SHA1_SIZE);
	assert_memory_equal(id.data, expected, SHA1_SIZE);
	assert_int_equal(gnutls_pkcs12_bag_get_friendly_name(bag, at, &name), 0);
	if (friendly_name)
		assert_string_equal(name, friendly_name);
	else
		assert_null(name);
}

static void check_encryption(unsigned schema, unsigned cipher, unsigned salt_size,
	unsigned iterations, const struct pkcs12_options *options)
{
	bool legacy = options->profile == PKCS12_LEGACY;

	assert_int_equal(schema, legacy ? GNUTLS_PKCS_PKCS12_3DES : GNUTLS_PKCS_PBES2_AES_256);
	assert_int_equal(cipher, legacy ? GNUTLS_CIPHER_3DES_CBC : GNUTLS_CIPHER_AES_256_CBC);
	assert_int_equal(salt_size, SALT_SIZE);
	assert_int_equal(iterations, options->iterations);
}

static void check_certificate_bag(gnutls_pkcs12_t pkcs12, const struct subject *s,
	const struct pkcs12_options *options, const char *friendly_name, const char *password,
	unsigned char *salt)
{
	unsigned schema = 0, cipher = 0, salt_size = SALT_SIZE, iterations = 0;
	gnutls_pkcs12_bag_t bag = bag_at(pkcs12, 0);
	gnutls_datum_t id = {NULL, 0};
	char *name = NULL;

	assert_int_equal(gnutls_pkcs12_bag_get_type(bag, 0), GNUTLS_BAG_ENCRYPTED);
	assert_int_equal(gnutls_pkcs12_bag_enc_info(
				 bag, &schema, &cipher, salt, &salt_size, &iterations, NULL),
		0);
	check_encryption(schema, cipher, salt_size, iterations, options);
	assert_int_equal(gnutls_pkcs12_bag_decrypt(bag, password), 0);
	assert_int_equal(gnutls_pkcs12_bag_get_count(bag), s->chain.count);
	check_attributes(bag, 0, s, friendly_name);
	for (unsigned i = 1; i < s->chain.count; i++) { /* none on the chain */
		assert_int_equal(gnutls_pkcs12_bag_get_type(bag, i), GNUTLS_BAG_CERTIFICATE);
		assert_int_equal(gnutls_pkcs12_bag_get_key_id(bag, i, &id), 0);
		assert_null(id.data);
		assert_int_equal(gnutls_pkcs12_bag_get_friendly_name(bag, i, &name), 0);
		assert_null(name);
	}
	gnutls_pkcs12_bag_deinit(bag);
}

static void check_key_bag(gnutls_pkcs12_t pkcs12, const struct subject *s,
	const struct pkcs12_options *options, const char *friendly_name, unsigned char *salt)
{
	unsigned schema = 0, cipher = 0, salt_size = SALT_SIZE, iterations = 0;
	gnutls_pkcs12_bag_t bag = bag_at(pkcs12, 1);
	gnutls_datum_t data = {NULL, 0};

	assert_int_equal(gnutls_pkcs12_bag_get_count(bag), 1);
	assert_int_equal(gnutls_pkcs12_bag_get_type(bag, 0), GNUTLS_BAG_PKCS8_ENCRYPTED_KEY);
	check_attributes(bag, 0, s, friendly_name);
	assert_int_equal(gnutls_pkcs12_bag_get_data(bag, 0, &data), 0);
	assert_int_equal(gnutls_pkcs8_info(&data, GNUTLS_X509_FMT_DER, &schema, &cipher, salt,
				 &salt_size, &iterations, NULL),
		0);
	check_encryption(schema, cipher, salt_size, iterations, options);
	gnutls_pkcs12_bag_deinit(bag);
}

static void check_file(
	const struct subject *s, const struct pkcs12_options *options, const char *friendly_name)
{
	const char *password = options->password ? options->password : "";
	unsigned char mac_salt[SALT_SIZE], key_salt[SALT_SIZE], certificate_salt[SALT_SIZE];
	struct blob file = encode(s, options, friendly_name);
	gnutls_pkcs12_t pkcs12 = parse(&file);

	check_contents(pkcs12, s, password);
	check_mac(pkcs12, options, mac_salt);
	check_certificate_bag(pkcs12, s, options, friendly_name, password, certificate_salt);
	check_key_bag(pkcs12, s, options, friendly_name, key_salt);
	assert_memory_not_equal(mac_salt, key_salt, SALT_SIZE);
	assert_memory_not_equal(mac_salt, certificate_salt, SALT_SIZE);
	assert_memory_not_equal(key_salt, certificate_salt, SALT_SIZE);
	gnutls_pkcs12_deinit(pkcs12);
	blob_free(&file);
}

static void check_all_passwords(enum pkcs12_profile profile, const struct subject *s)
{
	static const char *const passwords[] = {NULL, "", "secret", PASSWORD, "日本",
		"a password that is longer than one block of the hash, twice over"};
	static const unsigned iterations[] = {1, 2, 127, 2048};

	for (size_t i = 0; i < ARRAY_LEN(passwords); i++)
		for (size_t j = 0; j < ARRAY_LEN(iterations); j++)
			check_file(s,
				&(struct pkcs12_options){profile, iterations[j], passwords[i]},
				FRIENDLY_NAME);
	check_file(s, &(struct pkcs12_options){profile, 10000, "secret"}, NULL);
}

static void test_legacy_rsa(void **state)
{
	(void)state;
	check_all_passwords(PKCS12_LEGACY, &rsa);
}

static void test_legacy_ec(void **state)
{
	(void)state;
	check_all_passwords(PKCS12_LEGACY, &ec);
}

static void test_modern_rsa(void **state)
{
	(void)state;
	check_all_passwords(PKCS12_MODERN, &rsa);
}

static void test_modern_ec(void **state)
{
	(void)state;
	check_all_passwords(PKCS12_MODERN, &ec);
}

static const struct pkcs12_options plain_options = {
	.profile = PKCS12_LEGACY, .iterations = 1, .password = PASSWORD};

static void test_wrong_password(void **state)
{
	static const char *const wrong[] = {"", "passwort", "pässwörd"};
	struct blob file = encode(&ec, &plain_options, "Ann");
	gnutls_pkcs12_t pkcs12 = parse(&file);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(
			gnutls_pkcs12_verify_mac(pkcs12, wrong[i]), GNUTLS_E_MAC_VERIFY_FAILED);
	gnutls_pkcs12_deinit(pkcs12);
	blob_free(&file);
}

static void test_no_two_are_the_same(void **state)
{
	struct blob one = encode(&ec, &plain_options, "Ann"),
		    two = encode(&ec, &plain_options, "Ann");

	(void)state;
	assert_int_equal(one.len, two.len);
	assert_false(blob_equal(&one, &two));
	blob_free(&one);
	blob_free(&two);
}

/* Padding is one to a block of bytes: every length modulo a block must come back. */
static void test_every_padding(void **state)
{
	(void)state;
	for (size_t i = 0; i <= 16; i++) {
		struct pkcs12_options options = plain_options;
		char name[32];

		memset(name, 'x', sizeof(name));
		name[i + 1] = '\0';
		check_file(&ec, &options, name); /* two bytes a character */
		options.profile = PKCS12_MODERN;
		check_file(&ec, &options, name);
	}
}

/* Where the attribute's OID starts in the key's bag, which is the last thing before the MAC. */
static size_t last_oid(const struct blob *file, unsigned char last_arc)
{
	const unsigned char oid[] = {
		0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, last_arc};
	size_t at = file->len - sizeof(oid);

	while (at > 0 && memcmp(file->data + at, oid, sizeof(oid)) != 0)
		at--;
	return at;
}

/* X.690, 11.6: the encodings in ascending order. */
static void test_attributes_are_sorted(void **state)
{
	static const struct {
		const char *friendly_name;
		bool first;
	} cases[] = {{"Ann", true}, {"ten_chars_", true}, {"eleven_char", false},
		{FRIENDLY_NAME FRIENDLY_NAME FRIENDLY_NAME, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct blob file = encode(&ec, &plain_options, cases[i].friendly_name);
		size_t name = last_oid(&file, 20), id = last_oid(&file, 21);

		assert_true(name > 0 && id > 0);
		assert_int_equal(name < id, cases[i].first);
		blob_free(&file);
	}
}

static void test_friendly_name(void **state)
{
	struct blob file = encode(&ec, &plain_options, "key \U0001f511");
	gnutls_pkcs12_t pkcs12 = parse(&file);
	gnutls_pkcs12_bag_t bag = bag_at(pkcs12, 1);

	(void)state;
	check_attributes(bag, 0, &ec, "key \ufffd");
	gnutls_pkcs12_bag_deinit(bag);
	gnutls_pkcs12_deinit(pkcs12);
	blob_free(&file);

	file = encode(&ec, &plain_options, "");
	assert_int_equal(last_oid(&file, 20), 0);
	blob_free(&file);
}

/* The fault is in the second entry. */
static void expect_failure(const struct pkcs12_entry *entry, const struct pkcs12_options *options,
	enum err err, const char *why)
{
	const struct pkcs12_entry entries[] = {{&rsa.pkcs8, &rsa.chain, "Ann"}, *entry};
	struct blob out = {NULL, 1234};
	struct error e = {.code = ERR_OK};

	assert_int_equal(pkcs12_encode(entries, ARRAY_LEN(entries), options, &out, &e), err);
	assert_int_equal(e.code, err);
	assert_non_null(strstr(e.text, why));
	assert_null(out.data);
	assert_int_equal(out.len, 1234);
}

static void test_refused(void **state)
{
	const struct blob no_key = {NULL, 0};
	const struct chain no_chain = {.count = 0};
	const struct pkcs12_entry good = {&ec.pkcs8, &ec.chain, "Ann"};
	struct pkcs12_options options = plain_options;
	struct blob out = {NULL, 1234};
	struct error e = {.code = ERR_OK};

	(void)state;
	assert_int_equal(pkcs12_encode(&good, 0, &options, &out, &e), ERR_INTERNAL);
	assert_int_equal(out.len, 1234);
	expect_failure(&(struct pkcs12_entry){&no_key, &ec.chain, "Ann"}, &options, ERR_INTERNAL,
		"without");
	expect_failure(&(struct pkcs12_entry){&ec.pkcs8, &no_chain, "Ann"}, &options, ERR_INTERNAL,
		"without");
	expect_failure(&(struct pkcs12_entry){&ec.pkcs8, &ec.chain, "\xff"}, &options, ERR_INTERNAL,
		"friendlyName");
	options.iterations = 0;
	expect_failure(&good, &options, ERR_INTERNAL, "without");

	options = plain_options;
	options.password = "\xff";
	expect_failure(&good, &options, ERR_CONFIG, "password");
	options.password = "\U0001f511";
	expect_failure(&good, &options, ERR_CONFIG, "password");
}

static void test_too_large(void **state)
{
	enum { HUGE_SIZE = 5 * 1024 * 1024 };
	struct blob huge = {calloc(1, HUGE_SIZE), HUGE_SIZE};
	struct chain chain = {.count = 1, .certificate = {huge}};
	char *name = calloc(1, HUGE_SIZE);

	(void)state;
	assert_non_null(huge.data);
	assert_non_null(name);
	expect_failure(&(struct pkcs12_entry){&ec.pkcs8, &chain, "Ann"}, &plain_options,
		ERR_INTERNAL, "DER");
	expect_failure(&(struct pkcs12_entry){&huge, &ec.chain, "Ann"}, &plain_options,
		ERR_INTERNAL, "DER");
	memset(name, 'x', HUGE_SIZE - 1);
	expect_failure(&(struct pkcs12_entry){&ec.pkcs8, &ec.chain, name}, &plain_options,
		ERR_INTERNAL, "friendlyName");
	free(name);
	blob_free(&huge);
}

/* --- several keys in one file */

static void assert_certificate(gnutls_pkcs12_bag_t bag, unsigned at, const struct blob *expected)
{
	gnutls_datum_t der = {NULL, 0};

	assert_int_equal(gnutls_pkcs12_bag_get_type(bag, at), GNUTLS_BAG_CERTIFICATE);
	assert_int_equal(gnutls_pkcs12_bag_get_data(bag, at, &der), 0);
	assert_int_equal(der.size, expected->len);
	assert_memory_equal(der.data, expected->data, expected->len);
}

static void assert_encrypted_key(gnutls_pkcs12_bag_t bag, unsigned at, const struct blob *pkcs8)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t data = {NULL, 0};

	assert_int_equal(gnutls_pkcs12_bag_get_data(bag, at, &data), 0);
	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_import_pkcs8(key, &data, GNUTLS_X509_FMT_DER, PASSWORD, 0), 0);
	assert_same_key(key, pkcs8);
	gnutls_x509_privkey_deinit(key);
}

/* Leaves first, each with its own label; then the CAs, each once, though two chains share one. */
static void check_three(enum pkcs12_profile profile)
{
	const struct subject *s[] = {&rsa, &ec, &sibling};
	const char *const names[] = {"Ann 1", "Ann 2", "Ann 3"};
	const struct pkcs12_options options = {profile, 100, PASSWORD};
	struct pkcs12_entry entries[3];
	struct blob file = {NULL, 0};
	struct error e = {.code = ERR_OK};
	gnutls_pkcs12_t pkcs12;
	gnutls_pkcs12_bag_t certificates, keys;

	for (size_t i = 0; i < 3; i++)
		entries[i] = (struct pkcs12_entry){&s[i]->pkcs8, &s[i]->chain, names[i]};
	assert_int_equal(pkcs12_encode(entries, 3, &options, &file, &e), ERR_OK);
	pkcs12 = parse(&file);
	assert_int_equal(gnutls_pkcs12_verify_mac(pkcs12, PASSWORD), 0);
	certificates = bag_at(pkcs12, 0);
	keys = bag_at(pkcs12, 1);
	assert_int_equal(gnutls_pkcs12_bag_decrypt(certificates, PASSWORD), 0);
	assert_int_equal(gnutls_pkcs12_bag_get_count(certificates), 5);
	assert_int_equal(gnutls_pkcs12_bag_get_count(keys), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_certificate(certificates, i, &s[i]->chain.certificate[0]);
		check_attributes(certificates, i, s[i], names[i]);
		check_attributes(keys, i, s[i], names[i]);
		assert_encrypted_key(keys, i, &s[i]->pkcs8);
	}
	assert_certificate(certificates, 3, &rsa.chain.certificate[1]);
	assert_certificate(certificates, 4, &ec.chain.certificate[1]);
	gnutls_pkcs12_bag_deinit(certificates);
	gnutls_pkcs12_bag_deinit(keys);
	gnutls_pkcs12_deinit(pkcs12);
	blob_free(&file);
}

static void test_several(void **state)
{
	(void)state;
	check_three(PKCS12_LEGACY);
	check_three(PKCS12_MODERN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_legacy_rsa),
		cmocka_unit_test(test_legacy_ec),
		cmocka_unit_test(test_modern_rsa),
		cmocka_unit_test(test_modern_ec),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_no_two_are_the_same),
		cmocka_unit_test(test_every_padding),
		cmocka_unit_test(test_attributes_are_sorted),
		cmocka_unit_test(test_friendly_name),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests_name("pkcs12", tests, subjects_make, subjects_free);
}
