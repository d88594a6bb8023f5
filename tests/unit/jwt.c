/* JSON Web Tokens: base64url and signatures, judged by GnuTLS and openssl. */

#include "ca/jwt.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "ca/jwk.h"
#include "pki_tools.h"

/* RFC 7515, A.3.1 */
#define A3_HEADER "eyJhbGciOiJFUzI1NiJ9"
#define A3_PAYLOAD                                                                     \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p" \
	"c19yb290Ijp0cnVlfQ"
#define A3_JWK                                                   \
	"{\"kty\":\"EC\",\"crv\":\"P-256\","                     \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"," \
	"\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"
#define A3_SIGNATURE \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

static void base64url_has_its_own_letters(void **state)
{
	static const unsigned char bytes[] = {3, 236, 255, 224, 193, 251, 255};
	struct buf out = BUF_INIT(256);

	(void)state;
	/* RFC 7515, C */
	jwt_base64url(&out, bytes, 5);
	assert_string_equal(out.data, "A-z_4ME");
	buf_reset(&out);
	assert_true(jwt_unbase64url("A-z_4ME", 7, &out));
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data, bytes, 5);
	buf_reset(&out);
	buf_puts(&out, "a=b.");
	jwt_base64url(&out, bytes, 6);
	assert_string_equal(out.data, "a=b.A-z_4MH7");
	buf_reset(&out);
	assert_true(jwt_unbase64url("", 0, &out));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void base64url_is_strict(void **state)
{
	static const char *const bad[] = {"A+z_4ME", "A-z/4ME", "A-z_4ME=", "A-z_4", "A-z_4MF",
		"A-z_ 4ME", "A-z_4M\n", "=", "A"};
	struct buf out = BUF_INIT(256);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(jwt_unbase64url(bad[i], strlen(bad[i]), &out));
	assert_false(jwt_unbase64url("A-z_4ME\0", 8, &out));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/* --- signatures, judged by GnuTLS's public half and by openssl */

static struct jwk a3_key(void)
{
	const struct blob text = {(unsigned char *)(uintptr_t)A3_JWK, strlen(A3_JWK)};
	struct jwk jwk;

	assert_ok(jwk_read(&text, &jwk, e));
	return jwk;
}

/* A signature as JOSE has it, back in ASN.1. */
static bool verifies(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, const void *input,
	size_t len, const void *signature, size_t signature_len)
{
	const unsigned half = (unsigned)signature_len / 2;
	const gnutls_datum_t r = {(unsigned char *)(uintptr_t)signature, half};
	const gnutls_datum_t s = {(unsigned char *)(uintptr_t)signature + half, half};
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)input, (unsigned)len};
	gnutls_datum_t der = {NULL, 0};
	gnutls_pubkey_t public = NULL;
	bool good;

	assert_int_equal(gnutls_pubkey_init(&public), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(public, key, 0, 0), 0);
	assert_int_equal(gnutls_encode_rs_value(&der, &r, &s), 0);
	good = gnutls_pubkey_verify_data2(public, algorithm, 0, &data, &der) >= 0;
	gnutls_free(der.data);
	gnutls_pubkey_deinit(public);
	return good;
}

static void rfc_7515_a3(void **state)
{
	const char *input = A3_HEADER "." A3_PAYLOAD;
	struct buf signature = BUF_INIT(256);
	struct jwk jwk = a3_key();

	(void)state;
	assert_string_equal(jwt_algorithm(jwk.key), "ES256");
	assert_true(jwt_unbase64url(A3_SIGNATURE, strlen(A3_SIGNATURE), &signature));
	assert_true(verifies(jwk.key, GNUTLS_SIGN_ECDSA_SHA256, input, strlen(input),
		signature.data, signature.len));
	signature.data[63] ^= 1;
	assert_false(verifies(jwk.key, GNUTLS_SIGN_ECDSA_SHA256, input, strlen(input),
		signature.data, signature.len));
	buf_free(&signature);
	jwk_free(&jwk);
}

/* Often enough for an r or s that begins with a zero octet, or with a bit that ASN.1 pads. */
static void signatures_have_a_fixed_length(void **state)
{
	struct jwk jwk = a3_key();

	(void)state;
	for (int i = 0; i < 600; i++) {
		struct buf signature = BUF_INIT(256);

		assert_ok(jwt_signature(jwk.key, &i, sizeof(i), &signature, e));
		assert_int_equal(signature.len, 64);
		assert_true(verifies(jwk.key, GNUTLS_SIGN_ECDSA_SHA256, &i, sizeof(i),
			signature.data, signature.len));
		buf_free(&signature);
	}
	jwk_free(&jwk);
}

static gnutls_privkey_t generate(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	gnutls_privkey_t key = NULL;

	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_generate(key, algorithm, bits, 0), 0);
	return key;
}

static void each_key_has_its_algorithm(void **state)
{
	static const struct {
		gnutls_ecc_curve_t curve;
		const char *name;
		gnutls_sign_algorithm_t sign;
		size_t octets;
	} curves[] = {
		{GNUTLS_ECC_CURVE_SECP384R1, "ES384", GNUTLS_SIGN_ECDSA_SHA384, 96},
		{GNUTLS_ECC_CURVE_SECP521R1, "ES512", GNUTLS_SIGN_ECDSA_SHA512, 132},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		gnutls_privkey_t key =
			generate(GNUTLS_PK_EC, (unsigned)GNUTLS_CURVE_TO_BITS(curves[i].curve));
		struct buf signature = BUF_INIT(256);

		assert_string_equal(jwt_algorithm(key), curves[i].name);
		assert_ok(jwt_signature(key, "input", 5, &signature, e));
		assert_int_equal(signature.len, curves[i].octets);
		assert_true(
			verifies(key, curves[i].sign, "input", 5, signature.data, signature.len));
		buf_free(&signature);
		gnutls_privkey_deinit(key);
	}
}

static void other_keys_have_none(void **state)
{
	gnutls_privkey_t key = generate(GNUTLS_PK_EDDSA_ED25519, 256);
	struct buf out = BUF_INIT(4096);

	(void)state;
	assert_null(jwt_algorithm(key));
	assert_err(jwt_sign(key, "\"kid\":\"x\"", "{}", &out, e), ERR_CONFIG, "type");
	assert_int_equal(out.len, 0);
	buf_free(&out);
	gnutls_privkey_deinit(key);
}

/* {"alg":"RS256","typ":"JWT","kid":"x"} and {"a":1} */
#define RS256_INPUT "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IngifQ.eyJhIjoxfQ."

/* RS256 is PKCS#1, the same each time: openssl makes the same one. */
static void openssl_signs_alike(void **state)
{
	gnutls_privkey_t key = generate(GNUTLS_PK_RSA, 2048);
	char *folder = new_folder(), *key_file, *input_file, *said = NULL;
	gnutls_x509_privkey_t x509 = NULL;
	gnutls_datum_t pem = {NULL, 0};
	struct buf token = BUF_INIT(4096);
	struct blob blob;
	char *dot;

	(void)state;
	assert_int_equal(gnutls_privkey_export_x509(key, &x509), 0);
	assert_int_equal(gnutls_x509_privkey_export2(x509, GNUTLS_X509_FMT_PEM, &pem), 0);
	blob = (struct blob){pem.data, pem.size};
	key_file = write_file(folder, "key", &blob);
	assert_ok(jwt_sign(key, "\"kid\":\"x\"", "{\"a\":1}", &token, e));
	assert_int_equal(strncmp(token.data, RS256_INPUT, strlen(RS256_INPUT)), 0);
	dot = strrchr(token.data, '.');
	*dot = '\0';
	blob = (struct blob){(unsigned char *)token.data, strlen(token.data)};
	input_file = write_file(folder, "input", &blob);
	assert_int_equal(TOOL(NULL, &said, "sh", "-c",
				 "openssl dgst -sha256 -sign \"$0\" \"$1\" | base64 -w0 | tr '+/' "
				 "'-_' | tr -d '='",
				 key_file, input_file),
		0);
	assert_string_equal(said, dot + 1);
	free(said);
	free(key_file);
	free(input_file);
	buf_free(&token);
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(x509);
	gnutls_privkey_deinit(key);
	remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_has_its_own_letters),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(rfc_7515_a3),
		cmocka_unit_test(signatures_have_a_fixed_length),
		cmocka_unit_test(each_key_has_its_algorithm),
		cmocka_unit_test(other_keys_have_none),
		cmocka_unit_test(openssl_signs_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
