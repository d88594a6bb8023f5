/* Reads the private key of a step-ca provisioner, a JWK. Encrypted ones are left to step. */

#include "ca/jwk.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "ca/jwt.h"

#define NUMBER_MAX 66 /* octets: of P-521 */

static const struct curve {
	const char *name;
	gnutls_ecc_curve_t id;
	size_t octets;
} curves[] = {
	{"P-256", GNUTLS_ECC_CURVE_SECP256R1, 32},
	{"P-384", GNUTLS_ECC_CURVE_SECP384R1, 48},
	{"P-521", GNUTLS_ECC_CURVE_SECP521R1, 66},
};

static const struct curve *find_curve(const cJSON *jwk)
{
	const char *type = json_text(jwk, "kty"), *name = json_text(jwk, "crv");

	if (!type || strcmp(type, "EC") != 0 || !name)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (strcmp(curves[i].name, name) == 0)
			return &curves[i];
	return NULL;
}

/* A number has exactly that many octets (RFC 7518, 6.2.1.2). */
static enum err read_number(
	const cJSON *jwk, const char *name, size_t octets, struct buf *out, struct error *e)
{
	const char *text = json_text(jwk, name);

	if (text && jwt_unbase64url(text, strlen(text), out) && out->len == octets)
		return ERR_OK;
	if (!text && strcmp(name, "d") == 0)
		return error_set(e, ERR_CONFIG, "it is a public key; the private one is needed");
	return error_set(e, ERR_CONFIG, "its \"%s\" is not base64url of %zu octets", name, octets);
}

static gnutls_datum_t datum(const struct buf *buf)
{
	return (gnutls_datum_t){(unsigned char *)buf->data, (unsigned)buf->len};
}

static enum err import(const struct curve *curve, const struct buf *x, const struct buf *y,
	const struct buf *d, gnutls_privkey_t *out, struct error *e)
{
	const gnutls_datum_t dx = datum(x), dy = datum(y), dd = datum(d);
	gnutls_privkey_t key = NULL;
	int rc = gnutls_privkey_init(&key);

	if (rc >= 0)
		rc = gnutls_privkey_import_ecc_raw(key, curve->id, &dx, &dy, &dd);
	if (rc >= 0)
		rc = gnutls_privkey_verify_params(key);
	if (rc >= 0) {
		*out = key;
		return ERR_OK;
	}
	gnutls_privkey_deinit(key);
	return error_set(
		e, ERR_CONFIG, "it is not a key on %s: %s", curve->name, gnutls_strerror(rc));
}

/* SHA-256 over the required members, in order and without spaces (RFC 7638, 3). */
static enum err thumbprint(const cJSON *jwk, struct buf *out, struct error *e)
{
	struct buf json = BUF_INIT(1024);
	unsigned char digest[32];
	int rc;

	buf_printf(&json, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
		json_text(jwk, "crv"), json_text(jwk, "x"), json_text(jwk, "y"));
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, json.data, json.len, digest);
	buf_free(&json);
	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "SHA-256: %s", gnutls_strerror(rc));
	jwt_base64url(out, digest, sizeof(digest));
	return ERR_OK;
}

static enum err read_kid(const cJSON *jwk, char **out, struct error *e)
{
	struct buf kid = BUF_INIT(1024);
	const char *said = json_text(jwk, "kid");
	enum err err = ERR_OK;

	if (said)
		buf_puts(&kid, said);
	else
		err = thumbprint(jwk, &kid, e);
	if (!err)
		err = buf_check(&kid, e);
	if (!err) {
		*out = strdup(kid.data);
		err = *out ? ERR_OK : error_memory(e);
	}
	buf_free(&kid);
	return err;
}

static enum err read_key(const cJSON *json, struct jwk *out, struct error *e)
{
	struct buf x = BUF_INIT(NUMBER_MAX), y = BUF_INIT(NUMBER_MAX), d = BUF_INIT(NUMBER_MAX);
	const struct curve *curve = find_curve(json);
	struct jwk jwk = {NULL, NULL};
	enum err err;

	if (!curve)
		return error_set(e, ERR_CONFIG,
			"it is not a JWK on a curve (kty EC, crv P-256, P-384 or P-521)");
	err = read_number(json, "x", curve->octets, &x, e);
	if (!err)
		err = read_number(json, "y", curve->octets, &y, e);
	if (!err)
		err = read_number(json, "d", curve->octets, &d, e);
	if (!err)
		err = import(curve, &x, &y, &d, &jwk.key, e);
	if (!err)
		err = read_kid(json, &jwk.kid, e);
	if (err)
		jwk_free(&jwk);
	else
		*out = jwk;
	buf_free(&d);
	buf_free(&y);
	buf_free(&x);
	return err;
}

/* Wipes the copy of the private number that cJSON keeps. */
static void delete_json(cJSON *json)
{
	const cJSON *d = cJSON_GetObjectItemCaseSensitive(json, "d");

	if (cJSON_IsString(d))
		secret_wipe(d->valuestring, strlen(d->valuestring));
	cJSON_Delete(json);
}

/* RFC 7516, 3.1 and 3.2: five parts that begin with a header in base64url, or JSON. */
static bool is_encrypted(const struct blob *text, const cJSON *json)
{
	static const char header[] = "eyJ"; /* {" */

	return json ? json_text(json, "ciphertext") != NULL
		    : text->len > strlen(header) && memcmp(text->data, header, strlen(header)) == 0;
}

enum err jwk_read(const struct blob *text, struct jwk *out, struct error *e)
{
	cJSON *json = NULL;
	enum err err = json_object(text->data, text->len, &json, e);

	if ((!err || err == ERR_MALFORMED) && is_encrypted(text, json))
		err = error_set(e, ERR_CONFIG,
			"it is encrypted: decrypt it once (step crypto jwe decrypt <THIS >NEW), "
			"and set jwk-file to NEW");
	else if (err == ERR_MALFORMED)
		err = error_set(e, ERR_CONFIG, "it is not a JWK");
	else if (!err)
		err = read_key(json, out, e);
	delete_json(json);
	return err;
}

void jwk_free(struct jwk *jwk)
{
	if (jwk->key)
		gnutls_privkey_deinit(jwk->key);
	free(jwk->kid);
	*jwk = (struct jwk){NULL, NULL};
}
