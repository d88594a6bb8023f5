#ifndef BASE_JSON_GRAMMAR_H
#define BASE_JSON_GRAMMAR_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Damage inside strings that can be repaired: a set of these. */
enum {
	JSON_DAMAGE_BYTES = 1,	    /* bytes that are not UTF-8 */
	JSON_DAMAGE_SURROGATES = 2, /* an escape for half of a surrogate pair */
	JSON_DAMAGE_CONTROLS = 4,   /* control characters that were not escaped */
	JSON_DAMAGE_NULS = 8,	    /* NUL, escaped or not */
};

#define JSON_DEPTH_MAX 512 /* arrays and objects inside each other */

/*
 * Checks that text[0..len-1] is JSON (RFC 8259), in UTF-8, without NUL in a string. Appends it to
 * out, unless that is NULL, so that cJSON up to 1.7.17 can read it: it cuts numbers of more than 60
 * characters, so they become 1e999.
 *
 * If damage is not NULL, it tolerates the damage above, adds it to *damage, and repairs it in out:
 * bytes that are not UTF-8 and half surrogates become U+FFFD, control characters are escaped, NULs
 * at the end of a value are dropped, other NULs become U+FFFD. If damage is NULL, any damage is a
 * fault. Linear in len. ERR_MALFORMED with a text of the form "it is cut".
 */
enum err json_grammar(const char *text, size_t len, struct buf *out, unsigned *damage,
	struct error *e) must_check;

#endif
