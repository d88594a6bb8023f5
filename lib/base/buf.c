/* Buffers that grow up to a limit and are wiped; blobs of a fixed length. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define FIRST_CAPACITY 256

void buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf)BUF_INIT(limit);
}

void buf_free(struct buf *b)
{
	if (b->data)
		secret_wipe(b->data, b->cap);
	free(b->data);
	buf_init(b, b->limit);
}

void buf_reset(struct buf *b)
{
	if (b->data)
		secret_wipe(b->data, b->cap);
	b->len = 0;
	b->failed = false;
	b->no_memory = false;
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	secret_wipe(b->data + len, b->len - len);
	b->len = len;
}

/* Makes room for more bytes and a NUL. realloc() would leave copies in memory. */
static bool reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : FIRST_CAPACITY;
	char *data;

	if (b->failed || more > b->limit - b->len) {
		b->failed = true;
		return false;
	}
	if (b->len + more < b->cap)
		return true;
	while (cap <= b->len + more && cap <= SIZE_MAX / 2)
		cap *= 2;
	data = cap > b->len + more ? malloc(cap) : NULL;
	if (!data) {
		b->failed = true;
		b->no_memory = true;
		return false;
	}
	if (b->data) {
		memcpy(data, b->data, b->len);
		secret_wipe(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0) {
		b->failed = true;
		return;
	}
	if (!reserve(b, (size_t)len))
		return;
	va_start(args, fmt);
	vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
}

void buf_base64(struct buf *b, const void *data, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = data;
	char *out;

	if (len > SIZE_MAX / 2 || !reserve(b, (len + 2) / 3 * 4)) {
		b->failed = true;
		return;
	}
	out = b->data + b->len;
	for (; len > 0; in += 3) {
		unsigned v = (unsigned)in[0] << 16 | (len > 1 ? (unsigned)in[1] << 8 : 0) |
			     (len > 2 ? in[2] : 0);

		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = len > 1 ? alphabet[v >> 6 & 63] : '=';
		*out++ = len > 2 ? alphabet[v & 63] : '=';
		len -= len > 2 ? 3 : len;
	}
	*out = '\0';
	b->len = (size_t)(out - b->data);
}

/* Terminals take U+0080 to U+009F for commands (ECMA-48); in UTF-8 they are C2 80 to C2 9F. */
static bool is_c1(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;

	return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
}

void buf_json_string(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\u%04x", c);
		else if (is_c1(s))
			buf_printf(b, "\\u%04x", (unsigned char)*++s);
		else
			buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

void buf_percent(struct buf *b, const char *s)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	for (; *s; s++) {
		if (strchr(unreserved, *s))
			buf_putc(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
	}
}

enum err buf_check(const struct buf *b, struct error *e)
{
	if (!b->failed)
		return ERR_OK;
	if (b->no_memory)
		return error_memory(e);
	return error_set(e, ERR_TOO_LARGE, "over %zu bytes", b->limit);
}

enum err blob_copy(const void *data, size_t len, struct blob *out, struct error *e)
{
	unsigned char *copy = malloc(len + 1);

	if (!copy)
		return error_memory(e);
	if (len)
		memcpy(copy, data, len);
	copy[len] = '\0';
	*out = (struct blob){copy, len};
	return ERR_OK;
}

enum err blob_take(struct buf *b, struct blob *out, struct error *e)
{
	enum err err = buf_check(b, e);

	if (!err)
		err = blob_copy(b->data, b->len, out, e);
	buf_free(b);
	return err;
}

void blob_free(struct blob *b)
{
	if (b->data)
		secret_wipe(b->data, b->len);
	free(b->data);
	*b = (struct blob){NULL, 0};
}

bool blob_equal(const struct blob *a, const struct blob *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}
