#include "store/seal.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

#define NONCE_SIZE 12
#define TAG_SIZE 16
#define KEY_DIGITS (2 * MASTER_KEY_SIZE)

struct seal {
	gnutls_aead_cipher_hd_t cipher;
};

static enum err cipher_error(struct error *e, const char *what, int code)
{
	return error_set(e, ERR_INTERNAL, "AES-256-GCM: %s: %s", what, gnutls_strerror(code));
}

/* 64 hexadecimal digits, and a line break or none. */
static bool read_digits(struct blob *content, unsigned char key[MASTER_KEY_SIZE])
{
	char *text = (char *)content->data;
	size_t len = content->len;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len != KEY_DIGITS)
		return false;
	text[len] = '\0';
	return text_unhex(text, key, MASTER_KEY_SIZE);
}

static enum err seal_new(unsigned char key[MASTER_KEY_SIZE], struct seal **out, struct error *e)
{
	gnutls_datum_t datum = {key, MASTER_KEY_SIZE};
	struct seal *seal = calloc(1, sizeof(*seal));
	int code;

	if (!seal)
		return error_memory(e);
	code = gnutls_aead_cipher_init(&seal->cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);
	if (code < 0) {
		free(seal);
		return cipher_error(e, "set up", code);
	}
	*out = seal;
	return ERR_OK;
}

enum err seal_open_file(const char *path, struct seal **out, struct error *e)
{
	unsigned char key[MASTER_KEY_SIZE];
	struct blob content = {NULL, 0};
	enum err err = file_read_secret(path, &content, e);

	if (err)
		return err;
	if (read_digits(&content, key))
		err = seal_new(key, out, e);
	else
		err = error_set(e, ERR_CONFIG,
			"%s: a master key is %d hexadecimal digits in one line", path, KEY_DIGITS);
	secret_wipe(key, sizeof(key));
	blob_free(&content);
	return err;
}

enum err seal_create_file(const char *path, struct error *e)
{
	unsigned char key[MASTER_KEY_SIZE];
	char text[KEY_DIGITS + 1];
	enum err err = secret_random(key, sizeof(key), e);

	if (!err) {
		text_hex(key, sizeof(key), text);
		text[KEY_DIGITS] = '\n';
		err = file_create(path, 0600, text, sizeof(text), e);
	}
	secret_wipe(key, sizeof(key));
	secret_wipe(text, sizeof(text));
	return err;
}

void seal_close(struct seal *seal)
{
	if (!seal)
		return;
	gnutls_aead_cipher_deinit(seal->cipher);
	free(seal);
}

enum err seal_close_blob(const struct seal *seal, const struct blob *plain, const char *row,
	struct blob *out, struct error *e)
{
	size_t len = plain->len + TAG_SIZE;
	struct blob sealed = {malloc(NONCE_SIZE + len), NONCE_SIZE + len};
	enum err err;
	int code;

	if (!sealed.data)
		return error_memory(e);
	err = secret_random(sealed.data, NONCE_SIZE, e);
	if (err)
		goto out;
	code = gnutls_aead_cipher_encrypt(seal->cipher, sealed.data, NONCE_SIZE, row, strlen(row),
		TAG_SIZE, plain->data, plain->len, sealed.data + NONCE_SIZE, &len);
	if (code < 0) {
		err = cipher_error(e, "seal", code);
		goto out;
	}
	*out = sealed;
	return ERR_OK;
out:
	blob_free(&sealed);
	return err;
}

enum err seal_open_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, struct error *e)
{
	struct blob plain = {NULL, 0};
	int code = GNUTLS_E_DECRYPTION_FAILED;

	if (sealed->len >= NONCE_SIZE + TAG_SIZE) {
		/* Room for the tag, too: nothing is to be written behind it on any version. */
		plain.len = sealed->len - NONCE_SIZE;
		plain.data = malloc(plain.len + 1);
		if (!plain.data)
			return error_memory(e);
		code = gnutls_aead_cipher_decrypt(seal->cipher, sealed->data, NONCE_SIZE, row,
			strlen(row), TAG_SIZE, sealed->data + NONCE_SIZE, sealed->len - NONCE_SIZE,
			plain.data, &plain.len);
	}
	if (code >= 0) {
		plain.data[plain.len] = '\0';
		*out = plain;
		return ERR_OK;
	}
	blob_free(&plain);
	if (code != GNUTLS_E_DECRYPTION_FAILED)
		return cipher_error(e, "open", code);
	return error_set(e, ERR_CONFIG,
		"sealed under another master key, moved from another row, or altered");
}
