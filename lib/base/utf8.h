#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or NUL. */
bool utf8_is_valid(const char *s, size_t len);

/*
 * Reads one code point from s[0..len-1], len > 0, into *cp. Returns its length in bytes, or 0 if it
 * is not well-formed UTF-8.
 */
size_t utf8_next(const char *s, size_t len, uint32_t *cp);

/* The greatest length up to len at which s can be cut between characters; s[len] must exist. */
size_t utf8_cut(const char *s, size_t len);

/*
 * True for a character that is invisible or changes how others are shown: C0/C1 controls, line and
 * paragraph separators, bidi controls and marks, zero-width, filler and tag characters (Unicode's
 * Default_Ignorable_Code_Point). For a string: true if it has one, or is not UTF-8.
 */
bool utf8_is_control(uint32_t cp);
bool utf8_has_control(const char *s);

/*
 * The same, but allows a zero-width joiner or non-joiner after a character of a script that needs
 * them in names, such as Arabic, Devanagari or Malayalam.
 */
bool utf8_has_stray_control(const char *s);

/* True for a character that NFKC replaces but NFC keeps: full-width letters, ligatures. */
bool utf8_is_compatibility(uint32_t cp);

/* True for white space in any script (Unicode's White_Space). */
bool utf8_is_space(uint32_t cp);

/*
 * Removes white space of any script from both ends of s, which is UTF-8, in place, and characters
 * without width: zero-width spaces, word joiners, byte order marks, and joiners that belong to no
 * script. Returns the new start.
 */
char *utf8_trim(char *s);

#endif
