/* UTF-8: validity, code points, kinds of characters, trimming. It maps none to others. */

#include "base/utf8.h"

#include <string.h>

#include "base/compiler.h"

size_t utf8_next(const char *s, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t size = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : 4;
	uint32_t c = p[0];

	if (size == 4 && p[0] >> 3 != 30)
		return 0;
	if (size > len)
		return 0;
	if (size > 1)
		c &= 0x7fu >> size;
	for (size_t i = 1; i < size; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return size;
}

bool utf8_is_valid(const char *s, size_t len)
{
	uint32_t c;

	for (size_t at = 0, size; at < len; at += size) {
		size = utf8_next(s + at, len - at, &c);
		if (size == 0 || c == 0)
			return false;
	}
	return true;
}

bool utf8_is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x00, 0x1f},	    /* C0 */
		{0x7f, 0x9f},	    /* delete, C1 */
		{0xad, 0xad},	    /* soft hyphen */
		{0x34f, 0x34f},	    /* combining grapheme joiner */
		{0x61c, 0x61c},	    /* Arabic letter mark */
		{0x115f, 0x1160},   /* Hangul fillers */
		{0x17b4, 0x17b5},   /* Khmer inherent vowels */
		{0x180b, 0x180f},   /* Mongolian variation selectors, vowel separator */
		{0x200b, 0x200f},   /* zero width, left-to-right and right-to-left marks */
		{0x2028, 0x202e},   /* separators, bidi embeddings and overrides */
		{0x2060, 0x206f},   /* word joiner, bidi isolates, deprecated controls */
		{0x3164, 0x3164},   /* Hangul filler */
		{0xfe00, 0xfe0f},   /* variation selectors */
		{0xfeff, 0xfeff},   /* byte order mark */
		{0xffa0, 0xffa0},   /* halfwidth Hangul filler */
		{0xfff0, 0xfffb},   /* unassigned, interlinear annotation */
		{0x1bca0, 0x1bca3}, /* shorthand format controls */
		{0x1d173, 0x1d17a}, /* musical format controls */
		{0xe0000, 0xe0fff}, /* tags, further variation selectors */
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool utf8_has_control(const char *s)
{
	uint32_t c = 0;

	for (size_t left = strlen(s), size; left > 0; s += size, left -= size) {
		size = utf8_next(s, left, &c);
		if (size == 0 || utf8_is_control(c))
			return true;
	}
	return false;
}

static bool is_joiner(uint32_t c)
{
	return c == 0x200c || c == 0x200d;
}

/* Of a script in which joiners choose a letter's form. */
static bool takes_joiner(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x600, 0x8ff},	    /* Arabic, Syriac, Thaana, N'Ko, Mandaic */
		{0x900, 0xdff},	    /* Indic, Sinhala */
		{0x1000, 0x109f},   /* Myanmar */
		{0x1780, 0x18af},   /* Khmer, Mongolian */
		{0x1b00, 0x1bff},   /* Balinese, Sundanese, Batak */
		{0xa800, 0xaaff},   /* Syloti Nagri, Devanagari extended, Javanese, Cham */
		{0xfb50, 0xfdff},   /* Arabic presentation forms */
		{0xfe70, 0xfefc},   /* likewise */
		{0x11000, 0x11fff}, /* Brahmi and its descendants */
		{0x1e900, 0x1e95f}, /* Adlam */
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool utf8_has_stray_control(const char *s)
{
	uint32_t c = 0, before = 0;

	for (size_t left = strlen(s), size; left > 0; s += size, left -= size) {
		size = utf8_next(s, left, &c);
		if (size == 0)
			return true;
		if (is_joiner(c) ? !takes_joiner(before) : utf8_is_control(c))
			return true;
		before = c;
	}
	return false;
}

bool utf8_is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

static bool is_trimmed(uint32_t c, uint32_t before)
{
	return utf8_is_space(c) || c == 0x200b || c == 0x2060 || c == 0xfeff ||
	       (is_joiner(c) && !takes_joiner(before));
}

char *utf8_trim(char *s)
{
	size_t len = strlen(s), start = 0, end = 0;
	uint32_t c = 0, before = 0;

	for (size_t at = 0, size; at < len; at += size, before = c) {
		size = utf8_next(s + at, len - at, &c);
		if (size > 0 && is_trimmed(c, before)) {
			start += end == 0 ? size : 0;
			continue;
		}
		size = size ? size : 1;
		end = at + size;
	}
	s[end > start ? end : start] = '\0';
	return s + start;
}
