#ifndef BASE_XML_TEXT_H
#define BASE_XML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json_grammar.h"

/* The encodings of XML texts that are read. */
enum xml_encoding {
	XML_TEXT_NONE, /* it does not begin as XML */
	XML_TEXT_UTF8,
	XML_TEXT_LATIN1,
	XML_TEXT_UTF16LE,
	XML_TEXT_UTF16BE,
};

#define XML_TEXT_LEN(len) (3 * (len)) /* a byte becomes U+FFFD */

/*
 * The encoding of text[0..len-1], if it begins with "<", in UTF-8 also behind a byte order mark and
 * white space, in UTF-16 also behind its mark. It is ISO-8859-1 where the XML declaration says so.
 */
enum xml_encoding xml_text_encoding(const char *text, size_t len);

/* True if a text in that encoding may be declared to be in the encoding of that name. UTF-8 may be
 * declared as UTF-16: that is what .NET's StringWriter does. */
bool xml_text_may_declare(enum xml_encoding encoding, const char *name);

/*
 * Appends text to out as UTF-8, from its "<" on. Damage that would end the parsing anywhere is
 * repaired and added to *damage, as base/json_grammar.h does it for JSON: bytes that are not in the
 * encoding, half surrogates, and control characters and NULs, which XML 1.0 does not allow (section
 * 2.2), become U+FFFD; NULs at the end of an element are dropped. The same holds for references to
 * such characters, as .NET writes them. Linear in len. buf_check() is the caller's.
 */
void xml_text_repair(const char *text, size_t len, enum xml_encoding encoding, struct buf *out,
	unsigned *damage);

#endif
