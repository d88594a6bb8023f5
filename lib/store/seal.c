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

#define FILE_TEXT_MAX (SEAL_KEYS_MAX * (KEY_DIGITS + 1) + 1)

struct seal {
	size_t count;
	struct master_key {
		unsigned char bytes[MASTER_KEY_SIZE];
		gnutls_aead_cipher_hd_t cipher;
	} keys[SEAL_KEYS_MAX]; /* the first seals */
};

static enum err cipher_error(struct error *e, const char *what, int code)
{
	return error_set(e, ERR_INTERNAL, "AES-256-GCM: %s: %s", what, gnutls_strerror(code));
}

static enum err set_up(struct master_key *key, struct error *e)
{
	gnutls_datum_t datum = {key->bytes, sizeof(key->bytes)};
	int code = gnutls_aead_cipher_init(&key->cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);

	return code < 0 ? cipher_error(e, "set up", code) : ERR_OK;
}

/* --- the key file */

/* Gives the start of the next line; NULL if this one is no key. */
static char *read_line(char *line, unsigned char key[MASTER_KEY_SIZE])
{
	size_t len = strcspn(line, "\r\n");
	char *next = line + len;

	next += *next == '\r';
	next += *next == '\n';
	line[len] = '\0';
	return len == KEY_DIGITS && text_unhex(line, key, MASTER_KEY_SIZE) ? next : NULL;
}

static bool read_keys(struct blob *content, struct seal *seal)
{
	char *line = (char *)content->data;
	const char *end = line + content->len;

	do {
		line = seal->count < SEAL_KEYS_MAX ? read_line(line, seal->keys[seal->count].bytes)
						   : NULL;
		seal->count += line ? 1 : 0;
	} while (line && line < end);
	return line != NULL;
}

enum err seal_open_file(const char *path, struct seal **out, struct error *e)
{
	struct blob content = {NULL, 0};
	struct seal *seal = NULL;
	enum err err = file_read_secret(path, &content, e);

	if (err)
		return err;
	seal = calloc(1, sizeof(*seal));
	if (!seal)
		err = error_memory(e);
	else if (!read_keys(&content, seal))
		err = error_set(e, ERR_CONFIG,
			"%s: a master key is %d hexadecimal digits in one line, and there are %d "
			"of them at most: put its copy back",
			path, KEY_DIGITS, SEAL_KEYS_MAX);
	for (size_t i = 0; !err && i < seal->count; i++)
		err = set_up(&seal->keys[i], e);
	blob_free(&content);
	if (err)
		seal_close(seal);
	else
		*out = seal;
	return err;
}

/* The first count keys, a line each; gives the length. */
static size_t write_keys(const struct seal *seal, size_t count, char text[FILE_TEXT_MAX])
{
	for (size_t i = 0; i < count; i++) {
		char *line = text + i * (KEY_DIGITS + 1);

		text_hex(seal->keys[i].bytes, MASTER_KEY_SIZE, line);
		line[KEY_DIGITS] = '\n';
	}
	return count * (KEY_DIGITS + 1);
}

enum err seal_create_file(const char *path, struct error *e)
{
	struct seal seal = {.count = 1};
	char text[FILE_TEXT_MAX];
	enum err err = secret_random(seal.keys[0].bytes, MASTER_KEY_SIZE, e);

	if (!err)
		err = file_create(path, 0600, text, write_keys(&seal, seal.count, text), e);
	secret_wipe(&seal, sizeof(seal));
	secret_wipe(text, sizeof(text));
	return err;
}

enum err seal_write_file(const struct seal *seal, size_t count, const char *path, struct error *e)
{
	char text[FILE_TEXT_MAX];
	enum err err = file_replace_secret(path, text, write_keys(seal, count, text), e);

	secret_wipe(text, sizeof(text));
	return err;
}

enum err seal_add_key(struct seal *seal, struct error *e)
{
	struct master_key key = {.cipher = NULL};
	enum err err;

	if (seal->count == SEAL_KEYS_MAX)
		return error_set(e, ERR_CONFIG, "there are %d master keys already", SEAL_KEYS_MAX);
	err = secret_random(key.bytes, sizeof(key.bytes), e);
	if (!err)
		err = set_up(&key, e);
	if (!err) {
		memmove(&seal->keys[1], &seal->keys[0], seal->count * sizeof(seal->keys[0]));
		seal->keys[0] = key;
		seal->count++;
	}
	secret_wipe(&key, sizeof(key));
	return err;
}

size_t seal_key_count(const struct seal *seal)
{
	return seal->count;
}

void seal_close(struct seal *seal)
{
	if (!seal)
		return;
	for (size_t i = 0; i < seal->count; i++)
		if (seal->keys[i].cipher)
			gnutls_aead_cipher_deinit(seal->keys[i].cipher);
	secret_wipe(seal, sizeof(*seal));
	free(seal);
}

/* --- sealing */

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
	code = gnutls_aead_cipher_encrypt(seal->keys[0].cipher, sealed.data, NONCE_SIZE, row,
		strlen(row), TAG_SIZE, plain->data, plain->len, sealed.data + NONCE_SIZE, &len);
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

/* *which: the key that opened it. */
static enum err open_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, size_t *which, struct error *e)
{
	/* Room for the tag, too: nothing is to be written behind it on any version. */
	size_t room = sealed->len > NONCE_SIZE ? sealed->len - NONCE_SIZE : 0;
	struct blob plain = {malloc(room + 1), room};
	int code = GNUTLS_E_DECRYPTION_FAILED;
	size_t i = 0;

	if (!plain.data)
		return error_memory(e);
	for (; room >= TAG_SIZE && i < seal->count; i++) {
		plain.len = room;
		code = gnutls_aead_cipher_decrypt(seal->keys[i].cipher, sealed->data, NONCE_SIZE,
			row, strlen(row), TAG_SIZE, sealed->data + NONCE_SIZE, room, plain.data,
			&plain.len);
		if (code != GNUTLS_E_DECRYPTION_FAILED)
			break;
	}
	if (code >= 0) {
		plain.data[plain.len] = '\0';
		*out = plain;
		*which = i;
		return ERR_OK;
	}
	plain.len = room;
	blob_free(&plain);
	if (code != GNUTLS_E_DECRYPTION_FAILED)
		return cipher_error(e, "open", code);
	return error_set(e, ERR_CONFIG,
		"sealed under another master key, moved from another row, or altered");
}

enum err seal_open_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, struct error *e)
{
	size_t which = 0;

	return open_blob(seal, sealed, row, out, &which, e);
}

enum err seal_renew_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, struct error *e)
{
	struct blob plain = {NULL, 0};
	size_t which = 0;
	enum err err = open_blob(seal, sealed, row, &plain, &which, e);

	if (!err && which > 0)
		err = seal_close_blob(seal, &plain, row, out, e);
	blob_free(&plain);
	return err;
}

void seal_row_parts(struct buf *row, const char *const parts[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(row, "%zu:%s,", strlen(parts[i]), parts[i]);
}
