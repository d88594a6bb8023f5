#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/jwk.h"
#include "ca/jwt.h"

/*
 * JWE (RFC 7516), encrypted with a password (RFC 7518, 4.8): PBKDF2 makes the key that AES Key Wrap
 * (RFC 3394) has wrapped the key of AES-GCM with.
 */

#define PART_MAX (64 * 1024)
#define KEY_MAX 32		/* octets */
#define ITERATIONS_MIN 1000	/* RFC 7518, 4.8.1.2 */
#define ITERATIONS_MAX 10000000 /* seconds: step takes 600,000 */
#define BLOCK 16
#define HALF 8 /* of a block: the unit of the key wrap */

enum part { PROTECTED, ENCRYPTED_KEY, IV, CIPHERTEXT, TAG, PART_COUNT };

static const char *const part_names[PART_COUNT] = {
	[PROTECTED] = "protected",
	[ENCRYPTED_KEY] = "encrypted_key",
	[IV] = "iv",
	[CIPHERTEXT] = "ciphertext",
	[TAG] = "tag",
};

static const struct wrapping {
	const char *alg;
	gnutls_mac_algorithm_t prf;
	gnutls_cipher_algorithm_t cipher;
	size_t octets;
} wrappings[] = {
	{"PBES2-HS256+A128KW", GNUTLS_MAC_SHA256, GNUTLS_CIPHER_AES_128_CBC, 16},
	{"PBES2-HS384+A192KW", GNUTLS_MAC_SHA384, GNUTLS_CIPHER_AES_192_CBC, 24},
	{"PBES2-HS512+A256KW", GNUTLS_MAC_SHA512, GNUTLS_CIPHER_AES_256_CBC, 32},
};

static const struct content {
	const char *enc;
	gnutls_cipher_algorithm_t cipher;
	size_t octets;
} contents[] = {
	{"A128GCM", GNUTLS_CIPHER_AES_128_GCM, 16},
	{"A192GCM", GNUTLS_CIPHER_AES_192_GCM, 24},
	{"A256GCM", GNUTLS_CIPHER_AES_256_GCM, 32},
};

struct jwe {
	struct buf text; /* of the protected header, as it came: it is authenticated */
	struct buf part[PART_COUNT];
	const struct wrapping *wrapping;
	const struct content *content;
	struct buf salt; /* with the name of the algorithm in front */
	unsigned iterations;
};

static enum err malformed(struct error *e, const char *what)
{
	return error_set(e, ERR_CONFIG, "it is no JWE: %s", what);
}

/* --- from text to parts */

static enum err put_part(
	struct jwe *jwe, enum part part, const char *text, size_t len, struct error *e)
{
	if (part == PROTECTED)
		buf_append(&jwe->text, text, len);
	return jwt_unbase64url(text, len, &jwe->part[part]) ? ERR_OK
							    : malformed(e, part_names[part]);
}

/* RFC 7516, 3.1: the parts with dots in between. */
static enum err read_compact(struct jwe *jwe, const char *text, struct error *e)
{
	enum err err = ERR_OK;

	for (int i = 0; i < PART_COUNT && !err; i++) {
		size_t len = strcspn(text, i == TAG ? " \t\r\n" : ".");

		err = put_part(jwe, (enum part)i, text, len, e);
		text += len;
		if (!err && i < TAG && *text++ != '.')
			err = malformed(e, "a part is missing");
	}
	if (!err && text[strspn(text, " \t\r\n")])
		err = malformed(e, "something stands behind it");
	return err;
}

/* RFC 7516, 7.2.2. */
static enum err read_flattened(struct jwe *jwe, const cJSON *json, struct error *e)
{
	enum err err = ERR_OK;

	for (int i = 0; i < PART_COUNT && !err; i++) {
		const char *text = json_text(json, part_names[i]);

		err = text ? put_part(jwe, (enum part)i, text, strlen(text), e)
			   : malformed(e, part_names[i]);
	}
	return err;
}

static enum err read_parts(struct jwe *jwe, const struct blob *text, struct error *e)
{
	struct error ignored;
	cJSON *json = NULL;
	enum err err;

	if (json_object(text->data, text->len, &json, &ignored) == ERR_OK)
		err = read_flattened(jwe, json, e);
	else
		err = read_compact(jwe, (const char *)text->data, e);
	cJSON_Delete(json);
	return err;
}

/* --- the header */

static const struct wrapping *find_wrapping(const char *alg)
{
	for (size_t i = 0; alg && i < ARRAY_LEN(wrappings); i++)
		if (strcmp(wrappings[i].alg, alg) == 0)
			return &wrappings[i];
	return NULL;
}

static const struct content *find_content(const char *enc)
{
	for (size_t i = 0; enc && i < ARRAY_LEN(contents); i++)
		if (strcmp(contents[i].enc, enc) == 0)
			return &contents[i];
	return NULL;
}

static enum err read_header_of(struct jwe *jwe, const cJSON *header, struct error *e)
{
	const char *salt = json_text(header, "p2s"), *alg = json_text(header, "alg");
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(header, "p2c");
	double n = cJSON_IsNumber(count) ? count->valuedouble : 0;

	jwe->wrapping = find_wrapping(alg);
	jwe->content = find_content(json_text(header, "enc"));
	if (!jwe->wrapping || !jwe->content)
		return error_set(e, ERR_CONFIG,
			"it is encrypted in a way that is not known here: PBES2 and AES-GCM are");
	if (cJSON_GetObjectItemCaseSensitive(header, "crit") ||
		cJSON_GetObjectItemCaseSensitive(header, "zip"))
		return malformed(e, "crit and zip are not known");
	if (n < ITERATIONS_MIN || n > ITERATIONS_MAX)
		return malformed(e, "p2c");
	jwe->iterations = (unsigned)n;
	buf_append(&jwe->salt, alg, strlen(alg) + 1); /* RFC 7518, 4.8.1.1: and the NUL */
	if (!salt || !jwt_unbase64url(salt, strlen(salt), &jwe->salt))
		return malformed(e, "p2s");
	return buf_check(&jwe->salt, e);
}

static enum err read_header(struct jwe *jwe, struct error *e)
{
	const struct buf *text = &jwe->part[PROTECTED];
	struct error ignored;
	cJSON *header = NULL;
	enum err err;

	if (!text->len || json_object(text->data, text->len, &header, &ignored))
		return malformed(e, part_names[PROTECTED]);
	err = read_header_of(jwe, header, e);
	cJSON_Delete(header);
	return err;
}

/* --- keys */

static int make_key(const struct jwe *jwe, const char *password, unsigned char key[KEY_MAX])
{
	const gnutls_datum_t secret = {
		(unsigned char *)(uintptr_t)password, (unsigned)strlen(password)};
	const gnutls_datum_t salt = {(unsigned char *)jwe->salt.data, (unsigned)jwe->salt.len};

	return gnutls_pbkdf2(
		jwe->wrapping->prf, &secret, &salt, jwe->iterations, key, jwe->wrapping->octets);
}

/* One block alone: CBC with a vector of zeros. */
static int decrypt_block(gnutls_cipher_hd_t cipher, unsigned char block[BLOCK])
{
	unsigned char zeros[BLOCK] = {0};

	gnutls_cipher_set_iv(cipher, zeros, sizeof(zeros));
	return gnutls_cipher_decrypt(cipher, block, BLOCK);
}

/* RFC 3394, 2.2.2: register holds count units, and in front of them the one that proves it. */
static int unwrap_units(gnutls_cipher_hd_t cipher, unsigned char *units, size_t count)
{
	unsigned char block[BLOCK];
	int rc = 0;

	for (size_t t = 6 * count; t > 0 && rc >= 0; t--) {
		unsigned char *unit = units + HALF * ((t - 1) % count + 1);

		memcpy(block, units, HALF);
		memcpy(block + HALF, unit, HALF);
		block[HALF - 1] ^= (unsigned char)t; /* at most 6 * 4 */
		rc = decrypt_block(cipher, block);
		memcpy(units, block, HALF);
		memcpy(unit, block + HALF, HALF);
	}
	secret_wipe(block, sizeof(block));
	return rc;
}

static enum err wrong_password(struct error *e)
{
	return error_set(e, ERR_CONFIG, "the password is wrong for it");
}

static enum err unwrap_key(const struct jwe *jwe, const unsigned char key[KEY_MAX],
	unsigned char out[KEY_MAX], struct error *e)
{
	const gnutls_datum_t datum = {
		(unsigned char *)(uintptr_t)key, (unsigned)jwe->wrapping->octets};
	const struct buf *wrapped = &jwe->part[ENCRYPTED_KEY];
	unsigned char units[HALF + KEY_MAX], zeros[BLOCK] = {0}, proof[HALF];
	const gnutls_datum_t iv = {zeros, sizeof(zeros)};
	gnutls_cipher_hd_t cipher = NULL;
	enum err err = ERR_OK;
	int rc;

	if (wrapped->len != HALF + jwe->content->octets)
		return malformed(e, part_names[ENCRYPTED_KEY]);
	rc = gnutls_cipher_init(&cipher, jwe->wrapping->cipher, &datum, &iv);
	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "AES: %s", gnutls_strerror(rc));
	memcpy(units, wrapped->data, wrapped->len);
	memset(proof, 0xa6, sizeof(proof)); /* RFC 3394, 2.2.3.1 */
	rc = unwrap_units(cipher, units, jwe->content->octets / HALF);
	gnutls_cipher_deinit(cipher);
	if (rc < 0 || !secret_equal(units, proof, HALF))
		err = wrong_password(e);
	else
		memcpy(out, units + HALF, jwe->content->octets);
	secret_wipe(units, sizeof(units));
	return err;
}

/* --- the content */

static enum err decrypt_content(const struct jwe *jwe, const unsigned char key[KEY_MAX],
	unsigned char *out, size_t *len, struct error *e)
{
	const gnutls_datum_t datum = {
		(unsigned char *)(uintptr_t)key, (unsigned)jwe->content->octets};
	const struct buf *iv = &jwe->part[IV], *tag = &jwe->part[TAG];
	struct buf sealed = BUF_INIT(2 * PART_MAX);
	gnutls_aead_cipher_hd_t cipher = NULL;
	int rc = gnutls_aead_cipher_init(&cipher, jwe->content->cipher, &datum);

	if (rc < 0)
		return error_set(e, ERR_INTERNAL, "AES-GCM: %s", gnutls_strerror(rc));
	buf_append(&sealed, jwe->part[CIPHERTEXT].data, jwe->part[CIPHERTEXT].len);
	buf_append(&sealed, tag->data, tag->len);
	rc = sealed.failed ? -1
			   : gnutls_aead_cipher_decrypt(cipher, iv->data, iv->len, jwe->text.data,
				     jwe->text.len, tag->len, sealed.data, sealed.len, out, len);
	gnutls_aead_cipher_deinit(cipher);
	buf_free(&sealed);
	return rc < 0 ? wrong_password(e) : ERR_OK;
}

static enum err decrypt(
	const struct jwe *jwe, const char *password, struct blob *out, struct error *e)
{
	unsigned char wrapper[KEY_MAX], key[KEY_MAX];
	struct blob plain = {NULL, 0};
	enum err err;

	if (jwe->part[IV].len != 12 || jwe->part[TAG].len != 16 || !jwe->part[CIPHERTEXT].len)
		return malformed(e, "its parts are not of AES-GCM");
	if (make_key(jwe, password, wrapper) < 0)
		return error_set(e, ERR_INTERNAL, "PBKDF2");
	err = unwrap_key(jwe, wrapper, key, e);
	if (!err)
		err = blob_copy(jwe->part[CIPHERTEXT].data, jwe->part[CIPHERTEXT].len, &plain, e);
	if (!err)
		err = decrypt_content(jwe, key, plain.data, &plain.len, e);
	secret_wipe(wrapper, sizeof(wrapper));
	secret_wipe(key, sizeof(key));
	if (err)
		blob_free(&plain);
	else
		*out = plain;
	return err;
}

enum err jwe_decrypt(
	const struct blob *text, const char *password, struct blob *out, struct error *e)
{
	struct jwe jwe = {.text = BUF_INIT(PART_MAX), .salt = BUF_INIT(PART_MAX)};
	enum err err;

	for (int i = 0; i < PART_COUNT; i++)
		buf_init(&jwe.part[i], PART_MAX);
	err = read_parts(&jwe, text, e);
	if (!err)
		err = read_header(&jwe, e);
	if (!err)
		err = decrypt(&jwe, password, out, e);
	for (int i = 0; i < PART_COUNT; i++)
		buf_free(&jwe.part[i]);
	buf_free(&jwe.salt);
	buf_free(&jwe.text);
	return err;
}
