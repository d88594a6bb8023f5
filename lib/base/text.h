#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Strict parsing of small things. A false result leaves *out untouched. */

#define UUID_SIZE 37 /* 8-4-4-4-12 hexadecimal digits and a NUL */

/*
 * Reads a UUID of the form 8-4-4-4-12 in either case and writes it in lower case (RFC 9562, section
 * 4). False for any other form. The all-zero UUID is accepted; the caller decides what it means.
 */
bool text_uuid(const char *s, char out[UUID_SIZE]);

/* "00000000-0000-0000-0000-000000000000", which UEM sends for "none". */
bool text_uuid_is_nil(const char *uuid);

/* Digits only, 0 to max. */
bool text_number(const char *s, int64_t max, int64_t *out);

/* "90s", "10m", "12h", "365d" to seconds; a bare number is refused. */
bool text_duration(const char *s, int64_t max, int64_t *out);

/* "512", "64k", "1m" to bytes. */
bool text_size(const char *s, int64_t max, int64_t *out);

/* Lower-case hexadecimal; out has 2 * len + 1 bytes. */
void text_hex(const void *data, size_t len, char *out);
/* Exactly len bytes from 2 * len digits of either case. */
bool text_unhex(const char *s, unsigned char *out, size_t len);

/*
 * Converts up to 40 hexadecimal digits (a serial number of 20 octets) to decimal, as some CAs want
 * it. False for anything else.
 */
#define TEXT_DECIMAL_SIZE 50
bool text_decimal(const char *hex, char out[TEXT_DECIMAL_SIZE]);

/*
 * An object identifier in dotted decimal, such as 1.3.6.1.4.1.32473.1: at least two arcs without
 * leading zeros, the first 0 to 2, the second under 40 below 0 and 1 (X.690, 8.19.4), each at most
 * 32 bits (RFC 2578, 3.5): libtasn1 encodes longer ones wrongly, without an error.
 */
bool text_is_oid(const char *s);

/*
 * Standard base64 with padding, without white space or bits left over (RFC 4648, sections 3.5 and
 * 4). Appends to out, or nothing if the result is false.
 */
bool text_unbase64(const char *s, size_t len, struct buf *out);

/* The character as an escape of JSON, two where it takes a surrogate pair (RFC 8259, 7). */
#define TEXT_JSON_ESCAPE_SIZE 13
void text_json_escape(uint32_t cp, char out[TEXT_JSON_ESCAPE_SIZE]);

/* ASCII letters in lower case; any other character as it is. */
char text_lower(char c);

/* text, or "" if that is NULL. */
const char *text_or_empty(const char *text);

/* Compares without the case of ASCII letters. */
bool text_equal_nocase(const char *a, const char *b);

/* Removes spaces and tabs at both ends, in place; returns the new start. */
char *text_trim(char *s);

/*
 * Splits a comma-separated list, trims its items and leaves out empty ones. The result is one
 * allocation, NULL-terminated, freed with free(). NULL: no memory.
 */
char **text_list(const char *s);

#endif
