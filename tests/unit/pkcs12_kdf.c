/* PKCS#12's key derivation against published vectors, and against OpenSSL's PKCS12KDF. */
#include "pki/pkcs12_kdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "base/text.h"

#define OUTPUT_MAX 128
#define SALT_MAX 80

struct vector {
	gnutls_digest_algorithm_t hash;
	enum pkcs12_kdf_id id;
	unsigned iterations;
	const char *password;
	const char *salt;
	const char *expected;
};

#define STAPLE "correct horse battery staple, correct horse battery staple"

static const struct vector vectors[] = {
	/* S. Henson's, as in the test suites of Bouncy Castle and GnuTLS */
	{GNUTLS_DIG_SHA1, PKCS12_KDF_KEY, 1, "smeg", "0a58cf64530d823f",
		"8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_IV, 1, "smeg", "0a58cf64530d823f", "79993dfe048d3b76"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_KEY, 1, "smeg", "642b99ab44fb4b1f",
		"f3a95fec48d7711e985cfe67908c5ab79fa3d7c5caa5d966"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_IV, 1, "smeg", "642b99ab44fb4b1f", "c0a38d64a79bea1d"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_MAC, 1, "smeg", "3d83c0e4546ac140",
		"8d967d88f6caa9d714800ab3d48051d63f73a312"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_KEY, 1000, "queeg", "05dec959acff72f7",
		"ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_IV, 1000, "queeg", "05dec959acff72f7", "11dedad7758d4860"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_KEY, 1000, "queeg", "1682c0fc5b3f7ec5",
		"483dd6e919d7de2e8e648ba8f862f3fbfbdc2bcb2c02957f"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_IV, 1000, "queeg", "1682c0fc5b3f7ec5", "9d461d1b00355c50"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_MAC, 1000, "queeg", "263216fcc2fab31c",
		"5ec4c7a80df652294c3925b6489a7ab857c83476"},
	/* from the tests of Crypt::OpenSSL::PKCS::Func */
	{GNUTLS_DIG_SHA256, PKCS12_KDF_MAC, 2048, "123456", "e241f01650dbeae4",
		"721259f14aad70b58839f71566b433da1b8ad08f650f4d02faaa0b9b095bb51d"},
	/* by openssl kdf ... PKCS12KDF: more than one block of password, salt and output, carries
	 */
	{GNUTLS_DIG_SHA256, PKCS12_KDF_MAC, 2048, "pässwörd€", "000102030405060708090a0b0c0d0e0f",
		"a1953876495430e900cfd3911b2872cb148e1b383b8f282c7ea066ccd48c6cba"},
	{GNUTLS_DIG_SHA256, PKCS12_KDF_KEY, 3, STAPLE, "000102030405060708090a0b0c0d0e0f",
		"3d1cdfd6dc552396525b54478e3f46233bc15f33667f45e9f06fe029779bde5ac1a541d276ed757f"
		"1241b27399b7edb417ba6417821273b057b25a4b3f3b28b5de7046745167a5955be4b3c0e1f886c0"
		"ff598fc24ea2bf49f3fc51538dca4ed11b4c78c3"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_KEY, 3, STAPLE, "000102030405060708090a0b0c0d0e0f",
		"af95c9bcbe15fad75812724768500153cbaa92824798e3d98660c40286285ceeac3ecdd1adea2032"
		"345d7f1a552892844e512b6023f2a5666af5cbdcac177d0f6847a470c8f9ab34260a0319b82a0538"
		"5c8d5a3881140fd897fa42ab2392f6f75e95a5f6"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_KEY, 2048, "", "ffffffffffffffff",
		"acf63745479269274952fb07d32cadfa45c60ad7e1b7e319"},
	{GNUTLS_DIG_SHA1, PKCS12_KDF_IV, 2, "pässwörd€",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"81b74391ae217278b2597b08457bc7f8999a38324cdc1fa9c193149c590385102dc55032de238c76"
		"addc86cb2d"},
};

static void check_vector(const struct vector *v)
{
	unsigned char salt[SALT_MAX], out[OUTPUT_MAX];
	char hex[2 * OUTPUT_MAX + 1];
	size_t salt_len = strlen(v->salt) / 2, len = strlen(v->expected) / 2;
	struct blob password = {NULL, 0};
	struct error e = {.code = ERR_OK};
	struct pkcs12_kdf kdf = {v->hash, &password, salt, salt_len, v->iterations};

	assert_true(salt_len <= sizeof(salt) && len <= sizeof(out));
	assert_true(text_unhex(v->salt, salt, salt_len));
	assert_int_equal(pkcs12_password(v->password, &password, &e), ERR_OK);
	assert_int_equal(pkcs12_derive(&kdf, v->id, out, len, &e), ERR_OK);
	text_hex(out, len, hex);
	assert_string_equal(hex, v->expected);
	blob_free(&password);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		check_vector(&vectors[i]);
}

static void test_unsuitable_hash(void **state)
{
	const struct blob password = {NULL, 0};
	const struct pkcs12_kdf kdf = {GNUTLS_DIG_SHA512, &password, NULL, 0, 1};
	struct error e = {.code = ERR_OK};
	unsigned char out[16];

	(void)state;
	assert_int_equal(pkcs12_derive(&kdf, PKCS12_KDF_KEY, out, sizeof(out), &e), ERR_INTERNAL);
}

static void check_password(const char *utf8, const char *expected)
{
	struct blob bmp = {NULL, 0};
	struct error e = {.code = ERR_OK};
	char hex[64];

	assert_int_equal(pkcs12_password(utf8, &bmp, &e), ERR_OK);
	assert_true(bmp.len < sizeof(hex) / 2);
	text_hex(bmp.data, bmp.len, hex);
	assert_string_equal(hex, expected);
	blob_free(&bmp);
}

static void test_password(void **state)
{
	(void)state;
	check_password("Beavis", "0042006500610076006900730000"); /* RFC 7292, B.1 */
	check_password("", "0000");
	check_password(NULL, "0000");
	check_password("\x7f\u00a0\u07ff\u0800\uffff", "007f00a007ff0800ffff0000");
}

static void check_password_refused(const char *utf8, const char *why)
{
	struct blob bmp = {NULL, 1234};
	struct error e = {.code = ERR_OK};

	assert_int_equal(pkcs12_password(utf8, &bmp, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, why));
	assert_null(bmp.data);
	assert_int_equal(bmp.len, 1234);
}

static void test_password_refused(void **state)
{
	char longest[1024 + 2];
	struct blob bmp = {NULL, 0};
	struct error e = {.code = ERR_OK};

	(void)state;
	check_password_refused("key \U0001f511", "beyond U+FFFF");
	check_password_refused("p\xe4sswort", "UTF-8");	     /* Latin-1 */
	check_password_refused("p\xc3", "UTF-8");	     /* cut */
	check_password_refused("\xc0\xaf", "UTF-8");	     /* overlong */
	check_password_refused("\xed\xa0\x80", "UTF-8");     /* surrogate */
	check_password_refused("\xf4\x90\x80\x80", "UTF-8"); /* beyond U+10FFFF */
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	check_password_refused(longest, "longer than 1024");
	longest[1024] = '\0';
	assert_int_equal(pkcs12_password(longest, &bmp, &e), ERR_OK);
	assert_int_equal(bmp.len, 2 * 1024 + 2);
	blob_free(&bmp);
}

static void test_bmp_string(void **state)
{
	struct buf b = BUF_INIT(64);

	(void)state;
	assert_true(pkcs12_bmp_string("", &b));
	assert_int_equal(b.len, 0);
	assert_true(pkcs12_bmp_string("a€", &b));
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "\0a\x20\xac", 4);
	assert_false(pkcs12_bmp_string("\U0001f511z", &b));
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data + 4, "\xff\xfd\0z", 4);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_unsuitable_hash),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_password_refused),
		cmocka_unit_test(test_bmp_string),
	};

	return cmocka_run_group_tests_name("pkcs12_kdf", tests, NULL, NULL);
}
