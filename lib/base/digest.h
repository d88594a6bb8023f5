#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define DIGEST_SIZE 32	   /* SHA-256 */
#define DIGEST_HEX_SIZE 65 /* SHA-256, lower-case hexadecimal, and a NUL */

/* SHA-256 (FIPS 180-4). ERR_INTERNAL. */
enum err digest_hex(
	const void *data, size_t len, char out[DIGEST_HEX_SIZE], struct error *e) must_check;

/* HMAC-SHA-256 (RFC 2104, FIPS 180-4). ERR_INTERNAL. */
enum err digest_hmac(const struct blob *key, const void *data, size_t len,
	unsigned char out[DIGEST_SIZE], struct error *e) must_check;

#endif
