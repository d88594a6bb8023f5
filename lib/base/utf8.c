/*
 * UTF-8: validity, code points, kinds of characters, trimming. It maps no character to another.
 * What Unicode defines comes from libunistring; which characters we refuse or trim is decided here.
 */
#include "base/utf8.h"

#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/compiler.h"

#define EXPANSION_MAX 32 /* characters; no single one becomes more than 18 */

size_t utf8_next(const char *s, size_t len, uint32_t *cp)
{
	ucs4_t c = 0;
	int size = u8_mbtoucr(&c, (const uint8_t *)s, len);

	if (size <= 0)
		return 0;
	*cp = c;
	return (size_t)size;
}

bool utf8_is_valid(const char *s, size_t len)
{
	return !u8_check((const uint8_t *)s, len) && !memchr(s, '\0', len);
}

size_t utf8_cut(const char *s, size_t len)
{
	while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

bool utf8_is_control(uint32_t cp)
{
	const uint32_t mask = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp;

	return uc_is_general_category_withtable(cp, mask) ||
	       uc_is_property_default_ignorable_code_point(cp) ||
	       (cp >= 0xfff9 && cp <= 0xfffb); /* interlinear annotation */
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

/* A character of a script in which joiners change a letter's form. */
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

/* Returns true if the normalization form replaces the character. */
static bool replaces(uninorm_t form, uint32_t cp)
{
	uint32_t normal[EXPANSION_MAX];
	size_t len = EXPANSION_MAX;
	const uint32_t *out = u32_normalize(form, &cp, 1, normal, &len);

	return out != normal || len != 1 || normal[0] != cp;
}

bool utf8_is_compatibility(uint32_t cp)
{
	return replaces(UNINORM_NFKC, cp) && !replaces(UNINORM_NFC, cp);
}

bool utf8_is_space(uint32_t cp)
{
	return uc_is_property_white_space(cp);
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
