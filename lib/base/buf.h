#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Bytes that grow up to a limit. Appending reports no failure: the buffer remembers the first one
 * and buf_check() reports it. A buffer's content is wiped when it moves and when it is freed, so it
 * may hold keys and passwords. From the first append on, a NUL follows the data; len does not count
 * it. Before that, data is NULL.
 */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit;
	bool failed;
	bool no_memory; /* why it failed; else it is over the limit */
};

#define BUF_INIT(max)          \
	{                      \
		.limit = (max) \
	}

void buf_init(struct buf *b, size_t limit);
void buf_free(struct buf *b);
void buf_reset(struct buf *b);		      /* empties it and forgets a failure; keeps memory */
void buf_truncate(struct buf *b, size_t len); /* wipes and drops what follows len */

void buf_append(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);

/* Standard base64 with padding and without line breaks (RFC 4648, section 4). */
void buf_base64(struct buf *b, const void *data, size_t len);

/* A JSON string with its quotes; s must be valid UTF-8 (RFC 8259, section 7). Control characters,
 * C1 among them, are escaped, so that a terminal may show it. */
void buf_json_string(struct buf *b, const char *s);

/* s as one segment of a path or one value of a query: all bytes but letters, digits and "-._~"
 * become %XX (RFC 3986, 2.1 and 2.3). */
void buf_percent(struct buf *b, const char *s);

/* ERR_OK, or why an append failed: over the limit (ERR_TOO_LARGE) or no memory (ERR_INTERNAL). */
enum err buf_check(const struct buf *b, struct error *e) must_check;

/* Bytes of a fixed length with an owner: certificates, keys, tokens. */
struct blob {
	unsigned char *data;
	size_t len;
};

enum err blob_copy(const void *data, size_t len, struct blob *out, struct error *e) must_check;
enum err blob_take(struct buf *b, struct blob *out, struct error *e) must_check; /* empties b */
void blob_free(struct blob *b);							 /* wipes */
bool blob_equal(const struct blob *a, const struct blob *b);

#endif
