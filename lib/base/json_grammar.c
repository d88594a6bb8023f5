/*
 * Checks the grammar of JSON before cJSON reads a text, as cJSON accepts broken escapes and
 * numbers. Repairs strings on request. It makes no tree.
 */
#include "base/json_grammar.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define SPACE " \t\r\n"
#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define REPLACEMENT "\xef\xbf\xbd"
#define ESCAPE_LEN 6 /* \uXXXX */
#define NUMBER_LEN_MAX 60
#define LONG_NUMBER "1e999" /* no field expects such a number */

struct scan {
	const char *text;
	size_t len, at;
	struct buf *out; /* or NULL */
	bool tolerant;
	unsigned damage;
	char open[JSON_DEPTH_MAX]; /* '{' or '[' */
	size_t depth;
	struct error *e;
};

static bool fault(struct scan *s, const char *why)
{
	if (s->at >= s->len)
		error_set(s->e, ERR_MALFORMED, "it is cut");
	else
		error_set(s->e, ERR_MALFORMED, "it has a fault in its syntax at byte %zu: %s",
			s->at + 1, why);
	return false;
}

/* The next byte; NUL at the end or for a NUL, which no rule accepts outside a string. */
static char peek(const struct scan *s)
{
	return s->at < s->len ? s->text[s->at] : '\0';
}

static void put(struct scan *s, const char *bytes, size_t len)
{
	if (s->out)
		buf_append(s->out, bytes, len);
}

/* Passes len bytes, which are right as they are. */
static void take(struct scan *s, size_t len)
{
	put(s, s->text + s->at, len);
	s->at += len;
}

static bool take_one_of(struct scan *s, const char *any)
{
	char c = peek(s);

	if (!c || !strchr(any, c))
		return false;
	take(s, 1);
	return true;
}

static size_t take_all_of(struct scan *s, const char *any)
{
	size_t from = s->at;

	while (take_one_of(s, any))
		;
	return s->at - from;
}

/* --- strings */

/* Notes damage; returns true if the text is repaired, else sets the error. */
static bool tolerate(struct scan *s, unsigned kind)
{
	s->damage |= kind;
	if (s->tolerant)
		return true;
	error_set(s->e, ERR_MALFORMED, "%s",
		kind == JSON_DAMAGE_BYTES	 ? "it is not UTF-8"
		: kind == JSON_DAMAGE_SURROGATES ? "a string has half of a surrogate pair"
		: kind == JSON_DAMAGE_CONTROLS	 ? "it has a control character"
						 : "a string has a NUL character");
	return false;
}

/* Reads \uXXXX at byte at. */
static bool read_unit(const struct scan *s, size_t at, uint32_t *out)
{
	uint32_t unit = 0;

	if (s->len < ESCAPE_LEN || at > s->len - ESCAPE_LEN || s->text[at] != '\\' ||
		s->text[at + 1] != 'u')
		return false;
	for (size_t i = at + 2; i < at + ESCAPE_LEN; i++) {
		const char *digit = s->text[i] ? strchr(HEX, s->text[i]) : NULL;
		uint32_t value = digit ? (uint32_t)(digit - HEX) : 0;

		if (!digit)
			return false;
		unit = unit << 4 | (value > 15 ? value - 6 : value);
	}
	*out = unit;
	return true;
}

/* Writes the NULs that something follows, since those are not padding. */
static void put_nuls(struct scan *s, size_t *nuls)
{
	for (; *nuls; --*nuls)
		put(s, REPLACEMENT, strlen(REPLACEMENT));
}

/* Replaces len bytes. */
static bool replace(struct scan *s, size_t len, unsigned kind, size_t *nuls)
{
	if (!tolerate(s, kind))
		return false;
	s->at += len;
	if (kind == JSON_DAMAGE_NULS) {
		++*nuls;
		return true;
	}
	put_nuls(s, nuls);
	put(s, REPLACEMENT, strlen(REPLACEMENT));
	return true;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool scan_escape(struct scan *s, size_t *nuls)
{
	uint32_t unit = 0, next = 0;
	size_t len = ESCAPE_LEN;

	if (s->at + 1 < s->len && s->text[s->at + 1] && strchr("\"\\/bfnrt", s->text[s->at + 1]))
		len = 2;
	else if (!read_unit(s, s->at, &unit))
		return fault(s, "an escape that does not exist");
	else if (unit == 0)
		return replace(s, len, JSON_DAMAGE_NULS, nuls);
	else if (is_high(unit) && read_unit(s, s->at + len, &next) && is_low(next))
		len += ESCAPE_LEN;
	else if (is_high(unit) || is_low(unit))
		return replace(s, len, JSON_DAMAGE_SURROGATES, nuls);
	put_nuls(s, nuls);
	take(s, len);
	return true;
}

static bool scan_control(struct scan *s, size_t *nuls)
{
	unsigned char c = (unsigned char)s->text[s->at];

	if (c == 0)
		return replace(s, 1, JSON_DAMAGE_NULS, nuls);
	if (!tolerate(s, JSON_DAMAGE_CONTROLS))
		return false;
	put_nuls(s, nuls);
	if (s->out)
		buf_printf(s->out, "\\u%04x", c);
	s->at++;
	return true;
}

static bool scan_character(struct scan *s, size_t *nuls)
{
	uint32_t c = 0;
	size_t size;

	if (s->text[s->at] == '\\')
		return scan_escape(s, nuls);
	if ((unsigned char)s->text[s->at] < 0x20)
		return scan_control(s, nuls);
	size = utf8_next(s->text + s->at, s->len - s->at, &c);
	if (size == 0)
		return replace(s, 1, JSON_DAMAGE_BYTES, nuls);
	put_nuls(s, nuls);
	take(s, size);
	return true;
}

/* NULs at the end of a value are padding; in a key they would change the key. */
static bool scan_string(struct scan *s, bool is_key)
{
	size_t nuls = 0;

	if (!take_one_of(s, "\""))
		return fault(s, "a string was expected");
	while (s->at < s->len && s->text[s->at] != '"')
		if (!scan_character(s, &nuls))
			return false;
	if (is_key)
		put_nuls(s, &nuls);
	return take_one_of(s, "\"") || fault(s, "a string without an end");
}

/* --- other values */

static bool scan_digits(struct scan *s)
{
	take_one_of(s, "-");
	if (!take_one_of(s, "0") && !take_all_of(s, DIGITS))
		return fault(s, "a number without digits");
	if (take_one_of(s, ".") && !take_all_of(s, DIGITS))
		return fault(s, "a number without digits behind its point");
	if (!take_one_of(s, "eE"))
		return true;
	take_one_of(s, "+-");
	return take_all_of(s, DIGITS) || fault(s, "a number without digits in its exponent");
}

static bool scan_number(struct scan *s)
{
	size_t from = s->at, written = s->out ? s->out->len : 0;

	if (!scan_digits(s))
		return false;
	if (s->out && s->at - from > NUMBER_LEN_MAX) {
		buf_truncate(s->out, written);
		put(s, LONG_NUMBER, strlen(LONG_NUMBER));
	}
	return true;
}

static bool scan_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);

		if (s->len - s->at >= len && memcmp(s->text + s->at, words[i], len) == 0) {
			take(s, len);
			return true;
		}
	}
	return fault(s, "a value was expected");
}

static bool scan_scalar(struct scan *s)
{
	char c = peek(s);

	if (c == '"')
		return scan_string(s, false);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	return scan_word(s);
}

/* --- arrays and objects */

static bool scan_key(struct scan *s)
{
	take_all_of(s, SPACE);
	if (!scan_string(s, true))
		return false;
	take_all_of(s, SPACE);
	return take_one_of(s, ":") || fault(s, "a colon was expected");
}

static bool close_one(struct scan *s)
{
	if (!s->depth || !take_one_of(s, s->open[s->depth - 1] == '{' ? "}" : "]"))
		return false;
	s->depth--;
	return true;
}

/* Goes to the start of the next value, or to the end of the text; *more is false there. */
static bool scan_behind(struct scan *s, bool *more)
{
	do
		take_all_of(s, SPACE);
	while (close_one(s));
	*more = s->depth > 0;
	if (!*more)
		return s->at == s->len || fault(s, "something follows its end");
	if (!take_one_of(s, ","))
		return fault(s, "a comma or the end of a list was expected");
	return s->open[s->depth - 1] != '{' || scan_key(s);
}

/* Opens an array or object. *empty tells that it is closed already. */
static bool scan_open(struct scan *s, bool *empty)
{
	if (s->depth == JSON_DEPTH_MAX)
		return fault(s, "it is nested too deep");
	s->open[s->depth++] = peek(s);
	take(s, 1);
	take_all_of(s, SPACE);
	*empty = close_one(s);
	return *empty || s->open[s->depth - 1] != '{' || scan_key(s);
}

static bool scan_text(struct scan *s)
{
	bool more = true;

	while (more) {
		bool whole = true;

		take_all_of(s, SPACE);
		if (peek(s) == '{' || peek(s) == '[') {
			if (!scan_open(s, &whole))
				return false;
		} else if (!scan_scalar(s)) {
			return false;
		}
		if (whole && !scan_behind(s, &more))
			return false;
	}
	return true;
}

enum err json_grammar(
	const char *text, size_t len, struct buf *out, unsigned *damage, struct error *e)
{
	struct scan s = {.text = text, .len = len, .out = out, .tolerant = damage, .e = e};

	if (!scan_text(&s))
		return e->code;
	if (out && buf_check(out, e))
		return e->code;
	if (damage)
		*damage |= s.damage;
	return ERR_OK;
}
