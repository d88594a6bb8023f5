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

struct seal;

/* Key file: 64 hexadecimal digits in one line, a secret file. ERR_CONFIG. */
enum err seal_open_file(const char *path, struct seal **out, struct error *e) must_check;
enum err seal_create_file(const char *path, struct error *e) must_check;
void seal_close(struct seal *seal);

/* out: nonce, ciphertext and tag. */
enum err seal_close_blob(const struct seal *seal, const struct blob *plain, const char *row,
	struct blob *out, struct error *e) must_check;

/* ERR_CONFIG if it was sealed under another key, belongs to another row, or was altered. */
enum err seal_open_blob(const struct seal *seal, const struct blob *sealed, const char *row,
	struct blob *out, struct error *e) must_check;

#endif
