/* Turns the bytes of an XML text into UTF-8 that an XML parser accepts. Does not parse XML. */

#include "base/xml_text.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define XML_SPACE " \t\r\n"
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define DECLARATION_MAX 128
#define LATIN1 "iso-8859-1"
#define CHARACTERS_END 0x110000

/* --- encoding */

static bool begins(const char *text, size_t len, const char *with, size_t with_len)
{
	return len >= with_len && memcmp(text, with, with_len) == 0;
}

/* Of text in UTF-8: where its first tag may be. */
static size_t skip_to_markup(const char *text, size_t len)
{
	size_t at = begins(text, len, BYTE_ORDER_MARK, 3) ? 3 : 0;

	while (at < len && text[at] && strchr(XML_SPACE, text[at]))
		at++;
	return at;
}

static bool declares_latin1(const char *text, size_t len)
{
	char declaration[DECLARATION_MAX + 1];
	size_t n = 0;

	if (!begins(text, len, "<?xml", 5))
		return false;
	while (n < len && n < DECLARATION_MAX && text[n] && text[n] != '>') {
		declaration[n] = text_lower(text[n]);
		n++;
	}
	declaration[n] = '\0';
	return strstr(declaration, LATIN1) != NULL;
}

enum xml_encoding xml_text_encoding(const char *text, size_t len)
{
	size_t at = skip_to_markup(text, len);
	bool marked = begins(text, len, BYTE_ORDER_MARK, 3); /* which tells more than a name */

	if (begins(text, len, "\xff\xfe<\0", 4) || begins(text, len, "<\0", 2))
		return XML_TEXT_UTF16LE;
	if (begins(text, len, "\xfe\xff\0<", 4) || begins(text, len, "\0<", 2))
		return XML_TEXT_UTF16BE;
	if (at == len || text[at] != '<')
		return XML_TEXT_NONE;
	if (!marked && declares_latin1(text + at, len - at))
		return XML_TEXT_LATIN1;
	return XML_TEXT_UTF8;
}

bool xml_text_may_declare(enum xml_encoding encoding, const char *name)
{
	static const char *const names[] = {"utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii"};
	bool latin1 = text_equal_nocase(name, LATIN1);

	if (latin1 || encoding == XML_TEXT_LATIN1)
		return latin1 && encoding != XML_TEXT_UTF8;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_equal_nocase(name, names[i]))
			return true;
	return false;
}

/* --- from the encoding to UTF-8; NULs stay as they are */

static bool is_surrogate(uint32_t cp)
{
	return cp >= 0xd800 && cp <= 0xdfff;
}

static void put_character(struct buf *out, uint32_t cp)
{
	char lead = (char)(cp < 0x800	  ? 0xc0 | cp >> 6
			   : cp < 0x10000 ? 0xe0 | cp >> 12
					  : 0xf0 | cp >> 18);

	if (cp < 0x80) {
		buf_putc(out, (char)cp);
		return;
	}
	buf_putc(out, lead);
	if (cp >= 0x10000)
		buf_putc(out, (char)(0x80 | (cp >> 12 & 0x3f)));
	if (cp >= 0x800)
		buf_putc(out, (char)(0x80 | (cp >> 6 & 0x3f)));
	buf_putc(out, (char)(0x80 | (cp & 0x3f)));
}

static uint32_t utf16_unit(const char *text, bool little)
{
	unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

	return little ? (uint32_t)second << 8 | first : (uint32_t)first << 8 | second;
}

/* Returns the bytes read: 4 for a surrogate pair. */
static size_t put_utf16(
	const char *text, size_t len, bool little, struct buf *out, unsigned *damage)
{
	uint32_t cp = len < 2 ? 0xfffd : utf16_unit(text, little), low = 0;

	if (len < 2)
		*damage |= JSON_DAMAGE_BYTES;
	if (len >= 4)
		low = utf16_unit(text + 2, little);
	if (cp >= 0xd800 && cp < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
		put_character(out, 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00));
		return 4;
	}
	if (is_surrogate(cp)) {
		*damage |= JSON_DAMAGE_SURROGATES;
		cp = 0xfffd;
	}
	put_character(out, cp);
	return len < 2 ? len : 2;
}

static size_t put_utf8(const char *text, size_t len, struct buf *out, unsigned *damage)
{
	uint32_t cp = 0;
	size_t good = *text ? utf8_next(text, len, &cp) : 1;

	if (good) {
		buf_append(out, text, good);
		return good;
	}
	*damage |= JSON_DAMAGE_BYTES;
	buf_puts(out, REPLACEMENT);
	return 1;
}

static void decode(
	const char *text, size_t len, enum xml_encoding encoding, struct buf *out, unsigned *damage)
{
	for (size_t at = 0, taken = 1; at < len; at += taken) {
		if (encoding == XML_TEXT_LATIN1)
			put_character(out, (unsigned char)text[at]);
		else if (encoding == XML_TEXT_UTF8)
			taken = put_utf8(text + at, len - at, out, damage);
		else
			taken = put_utf16(
				text + at, len - at, encoding == XML_TEXT_UTF16LE, out, damage);
	}
}

/* --- characters that XML does not allow */

static bool is_allowed(uint32_t cp)
{
	return cp == '\t' || cp == '\n' || cp == '\r' ||
	       (cp >= 0x20 && cp < CHARACTERS_END && !is_surrogate(cp) && cp != 0xfffe &&
		       cp != 0xffff);
}

static int digit_value(char c, bool hex)
{
	char lower = text_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return hex && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads a reference such as "&#x1F;" at "&". Returns its length, or 0 if it is none. */
static size_t read_reference(const char *text, size_t len, uint32_t *cp)
{
	bool hex = begins(text, len, "&#x", 3);
	size_t start = hex ? 3 : 2, at = start;
	uint32_t value = 0;

	if (!begins(text, len, "&#", 2))
		return 0;
	while (at < len && digit_value(text[at], hex) >= 0) {
		value = value * (hex ? 16 : 10) + (uint32_t)digit_value(text[at++], hex);
		if (value > CHARACTERS_END)
			value = CHARACTERS_END;
	}
	if (at == start || at == len || text[at] != ';')
		return 0;
	*cp = value;
	return at + 1;
}

/* Reads one character, or a reference to one that is not allowed. Returns its length. */
static size_t read_character(const char *text, size_t len, uint32_t *cp)
{
	uint32_t referred = 0;
	size_t taken = *text == '&' ? read_reference(text, len, &referred) : 0;

	if (taken && !is_allowed(referred)) {
		*cp = referred;
		return taken;
	}
	*cp = 0;
	return *text ? utf8_next(text, len, cp) : 1;
}

static unsigned damage_of(uint32_t cp)
{
	if (cp < 0x20)
		return cp ? JSON_DAMAGE_CONTROLS : JSON_DAMAGE_NULS;
	return is_surrogate(cp) ? JSON_DAMAGE_SURROGATES : JSON_DAMAGE_BYTES;
}

static void put_replacements(struct buf *out, size_t count)
{
	for (; count; count--)
		buf_puts(out, REPLACEMENT);
}

/* text is UTF-8, but for NULs. */
static void replace_forbidden(const char *text, size_t len, struct buf *out, unsigned *damage)
{
	size_t nuls = 0; /* not yet put */

	for (size_t at = 0, taken; at < len; at += taken) {
		uint32_t cp;

		taken = read_character(text + at, len - at, &cp);
		if (!is_allowed(cp))
			*damage |= damage_of(cp);
		if (!cp) {
			nuls++;
			continue;
		}
		if (!begins(text + at, len - at, "</", 2))
			put_replacements(out, nuls);
		nuls = 0;
		if (is_allowed(cp))
			buf_append(out, text + at, taken);
		else
			put_replacements(out, 1);
	}
	put_replacements(out, nuls);
}

void xml_text_repair(
	const char *text, size_t len, enum xml_encoding encoding, struct buf *out, unsigned *damage)
{
	struct buf decoded = BUF_INIT(XML_TEXT_LEN(len));
	size_t start;

	decode(text, len, encoding, &decoded, damage);
	start = skip_to_markup(decoded.data ? decoded.data : "", decoded.len);
	if (decoded.len > start)
		replace_forbidden(decoded.data + start, decoded.len - start, out, damage);
	out->failed |= decoded.failed;
	out->no_memory |= decoded.no_memory;
	buf_free(&decoded);
}
