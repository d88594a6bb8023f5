#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Private keys at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce of
 * 96 bits under the master key; the identity of the row is bound to it as
 * associated data, so a sealed key cannot be moved to another row.
 */
#define MASTER_KEY_SIZE 32
#define SEAL_KEYS_MAX 4

struct seal;

/*
 * Names a row that a seal is bound to: each part behind its length, so that no two rows have the
 * same name.
 */
void seal_row_parts(struct buf *row, const char *const parts[], size_t count);

/*
 * Key file: a secret file with 64 hexadecimal digits in a line. Further lines are earlier keys,
 * at most SEAL_KEYS_MAX in all: what the first does not open, they may. ERR_CONFIG.
 */
enum err seal_open_file(const char *path, struct seal **out, struct error *e) must_check;
enum err seal_create_file(const char *path, struct error *e) must_check;
void seal_close(struct seal *seal);
size_t seal_key_count(const struct seal *seal);

/* Puts a new key before those that are there. ERR_CONFIG if there is no room. */
enum err seal_add_key(struct seal *seal, struct error *e) must_check;
/* Writes the first count keys into the key file, which must be there: file_replace_secret(). */
enum err seal_write_file(
	const struct seal *seal, size_t count, const char *path, struct error *e) must_check;

/* Under the first key. out: nonce, ciphertext and tag. */
enum err seal_close_blob(const struct seal *seal, const struct blob *plain, const char *row,
	struct blob *out, struct error *e) must_check;

/* ERR_CONFIG if it was sealed under no key of these, belongs to another row, or was altered. */
enum err seal_open_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, struct error *e) must_check;

/* Seals under the first key what an earlier one has sealed; what is so already leaves out alone. */
enum err seal_renew_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, struct error *e) must_check;

#endif
