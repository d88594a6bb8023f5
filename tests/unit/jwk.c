/* JWKs of step-ca provisioners: read, or refused with the reason. */

#include "ca/jwk.h"

#include <gnutls/abstract.h>

#include "ca/jwt.h"
#include "pki_tools.h"

/* A key made for this test by step's own library (tests/peers/step-ca), plain and encrypted. */
#define KID "OroVu6U9jr4s4F3e-Cge_yeNWB-TCYt2hcu_DIo0NMk"
#define X "4jw-g5nifxs83gZSA7aKnnjWWEYu53Hm5R_oCfFVtEY"
#define Y "uESfh98zR1tnRE1JOCw7x9crNi8aqO0zJCzfbpsNpUI"
#define D "heGRu1w5ou6jcQ3nNzvkpFK6GGNwuDGmr1Vkr1OjUy8"
#define PLAIN                                            \
	"{\"use\":\"sig\",\"kty\":\"EC\",\"kid\":\"" KID \
	"\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" D "\"}"
#define PROTECTED                                                                      \
	"eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjdHkiOiJqd2sranNvbiIsImVuYyI6IkEyNTZH" \
	"Q00iLCJwMmMiOjEwMDAwMCwicDJzIjoieTdheHhKcklEVU1TUmxuRm5tQnpKZyJ9"
#define ENCRYPTED_KEY "yVSUKLnJ3dyVD-tBd2mS9ToA6Wi589vDFUV86fe0-HE9FeZwZx_L0A"
#define IV "Is6nyvOfdVnfGsY-"
#define CIPHERTEXT                                                                     \
	"Wjbps_sxde_eHj7t8r04b-qhrIS1Kh_NyOy5k6f3RmlkQnJZLV9mlbAZd_nTx4Tm-NtUFUvMfQLi" \
	"ePTy8hB27x3m9yUBEQXmeMV_HWo7W20rh_wCxKt3LFzCu0TpqBGZid0lAOEEZkjfTVo7_V-W95l-" \
	"hJHRLqzCVSsiGInnbiCYJ5bJAZdhNo32RCjEnklU-f7VRJ-Wt72dQfsbXTuO3dnf7S7Bobz9wNkO" \
	"yWMbQOaTuNJiTRRZgsQOvIVWOgP9g1KSMqtfCUrKKBVXXyPXsOa4SqgqeZruV0nwiMDMfHnk6YxG" \
	"14IFhUOPm3FUc9zPHWJqeZouZ9iHqtEeND8"
#define TAG "MAr8jZT9KVkQPnvE0441XQ"
#define COMPACT PROTECTED "." ENCRYPTED_KEY "." IV "." CIPHERTEXT "." TAG
#define FLATTENED                                                                               \
	"{\"protected\":\"" PROTECTED "\",\"encrypted_key\":\"" ENCRYPTED_KEY "\",\"iv\":\"" IV \
	"\",\"ciphertext\":\"" CIPHERTEXT "\",\"tag\":\"" TAG "\"}\n"

static enum err load(const char *text, struct jwk *out, struct error *e)
{
	const struct blob blob = {(unsigned char *)(uintptr_t)text, strlen(text)};

	return jwk_read(&blob, out, e);
}

static void assert_is_ours(struct jwk *jwk)
{
	struct buf x = BUF_INIT(32);
	gnutls_datum_t got = {NULL, 0};

	assert_string_equal(jwk->kid, KID);
	assert_true(jwt_unbase64url(D, strlen(D), &x));
	assert_int_equal(gnutls_privkey_export_ecc_raw2(
				 jwk->key, NULL, NULL, NULL, &got, GNUTLS_EXPORT_FLAG_NO_LZ),
		0);
	assert_int_equal(got.size, x.len);
	assert_memory_equal(got.data, x.data, x.len);
	gnutls_free(got.data);
	buf_free(&x);
	jwk_free(jwk);
}

static void plain_ones_are_read(void **state)
{
	struct jwk jwk;

	(void)state;
	assert_ok(load(PLAIN, &jwk, e));
	assert_is_ours(&jwk);
	/* Without a name it is known by its thumbprint, as in step. */
	assert_ok(load("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
		       "\",\"d\":\"" D "\"}",
		&jwk, e));
	assert_is_ours(&jwk);
}

static void others_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "not a JWK"},
		{"[]", "not a JWK"},
		{"{}", "kty EC"},
		{"{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "kty EC"},
		{"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" D
		 "\"}",
			"P-521"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
			"public key"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"" Y "\",\"d\":\"" D
		 "\"}",
			"\"x\" is not base64url of 32"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y "\",\"y\":\"" X "\",\"d\":\"" D
		 "\"}",
			"not a key on P-256"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" X
		 "\"}",
			"not a key on P-256"},
	};
	struct jwk jwk = {NULL, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(load(bad[i].text, &jwk, e), ERR_CONFIG, bad[i].says);
	assert_null(jwk.key);
}

/* In each form that step writes. */
static void encrypted_ones_are_refused(void **state)
{
	static const char *const texts[] = {COMPACT, COMPACT "\n", FLATTENED};
	struct jwk jwk = {NULL, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_err(load(texts[i], &jwk, e), ERR_CONFIG,
			"it is encrypted: decrypt it once (step crypto jwe decrypt");
	assert_null(jwk.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_ones_are_read),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(encrypted_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
