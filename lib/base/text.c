/* Strict parsing of numbers, UUIDs, OIDs, hexadecimal, base64 and lists. All of it is ASCII. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_uuid(const char *s, char out[UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char uuid[UUID_SIZE];

	for (int i = 0; i < UUID_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		int digit = hex_digit(s[i]);

		if (dash ? s[i] != '-' : digit < 0)
			return false;
		uuid[i] = dash ? '-' : digits[digit];
	}
	if (s[UUID_SIZE - 1] != '\0')
		return false;
	uuid[UUID_SIZE - 1] = '\0';
	memcpy(out, uuid, sizeof(uuid));
	return true;
}

bool text_uuid_is_nil(const char *uuid)
{
	return strspn(uuid, "0-") == UUID_SIZE - 1 && uuid[UUID_SIZE - 1] == '\0';
}

/* Reads the digits at the start of s; returns what follows, NULL if none or over max. */
static const char *read_digits(const char *s, int64_t max, int64_t *out)
{
	int64_t n = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		int digit = *s - '0';

		if (digit > max || n > (max - digit) / 10)
			return NULL;
		n = n * 10 + digit;
	}
	*out = n;
	return s;
}

bool text_number(const char *s, int64_t max, int64_t *out)
{
	int64_t n = 0;
	const char *rest = read_digits(s, max, &n);

	if (!rest || *rest)
		return false;
	*out = n;
	return true;
}

struct unit {
	char letter;
	int64_t factor;
};

static bool number_with_unit(
	const char *s, const struct unit *units, size_t count, int64_t max, int64_t *out)
{
	int64_t n = 0;
	const char *rest = read_digits(s, max, &n);

	if (!rest || (rest[0] && rest[1]))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rest[0] != units[i].letter)
			continue;
		if (n > max / units[i].factor)
			return false;
		*out = n * units[i].factor;
		return true;
	}
	return false;
}

bool text_duration(const char *s, int64_t max, int64_t *out)
{
	static const struct unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

	return number_with_unit(s, units, ARRAY_LEN(units), max, out);
}

bool text_size(const char *s, int64_t max, int64_t *out)
{
	static const struct unit units[] = {{'\0', 1}, {'k', 1024}, {'m', 1024 * 1024}};

	return number_with_unit(s, units, ARRAY_LEN(units), max, out);
}

bool text_is_oid(const char *s)
{
	int64_t arc, first = 0;
	size_t count = 0;

	for (;; count++) {
		const char *rest = read_digits(s, UINT32_MAX, &arc);

		if (!rest || (*s == '0' && rest - s > 1))
			return false;
		if (count == 0 && (first = arc) > 2)
			return false;
		if (count == 1 && first < 2 && arc >= 40)
			return false;
		if (*rest != '.')
			return !*rest && count > 0;
		s = rest + 1;
	}
}

void text_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}

bool text_unhex(const char *s, unsigned char *out, size_t len)
{
	if (strlen(s) != 2 * len || strspn(s, "0123456789abcdefABCDEF") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)(hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	return true;
}

/* Digits in base 10, the last one first: number = 16 * number + add. */
static size_t times_sixteen(unsigned char *digits, size_t count, unsigned add)
{
	for (size_t i = 0; i < count; i++) {
		add += 16U * digits[i];
		digits[i] = (unsigned char)(add % 10);
		add /= 10;
	}
	for (; add; add /= 10)
		digits[count++] = (unsigned char)(add % 10);
	return count;
}

bool text_decimal(const char *hex, char out[TEXT_DECIMAL_SIZE])
{
	unsigned char digits[TEXT_DECIMAL_SIZE];
	size_t len = strlen(hex), count = 0;

	if (len == 0 || len > 40 || strspn(hex, "0123456789abcdefABCDEF") != len)
		return false;
	for (size_t i = 0; i < len; i++)
		count = times_sixteen(digits, count, (unsigned)hex_digit(hex[i]));
	if (count == 0)
		digits[count++] = 0;
	for (size_t i = 0; i < count; i++)
		out[i] = (char)('0' + digits[count - 1 - i]);
	out[count] = '\0';
	return true;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool append_unbase64(const char *s, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i += 4) {
		bool last = i + 4 == len;
		int pad = !last || s[i + 3] != '=' ? 0 : s[i + 2] == '=' ? 2 : 1;
		uint32_t v = 0;

		for (int j = 0; j < 4; j++) {
			int digit = j >= 4 - pad ? 0 : base64_digit(s[i + j]);

			if (digit < 0)
				return false;
			v = v << 6 | (uint32_t)digit;
		}
		if (pad && (v & (pad == 2 ? 0xffff : 0xff)))
			return false;
		buf_append(out, (const char[]){(char)(v >> 16), (char)(v >> 8), (char)v}, 3 - pad);
	}
	return !out->failed;
}

bool text_unbase64(const char *s, size_t len, struct buf *out)
{
	size_t before = out->len;

	if (len % 4 == 0 && append_unbase64(s, len, out))
		return true;
	buf_truncate(out, before);
	return false;
}

void text_json_escape(uint32_t cp, char out[TEXT_JSON_ESCAPE_SIZE])
{
	uint32_t high = 0xd800 + ((cp - 0x10000) >> 10 & 0x3ff), low = 0xdc00 + (cp & 0x3ff);

	if (cp < 0x10000)
		snprintf(out, TEXT_JSON_ESCAPE_SIZE, "\\u%04x", (unsigned)cp & 0xffff);
	else
		snprintf(out, TEXT_JSON_ESCAPE_SIZE, "\\u%04x\\u%04x", (unsigned)high & 0xffff,
			(unsigned)low & 0xffff);
}

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

bool text_equal_nocase(const char *a, const char *b)
{
	while (*a && text_lower(*a) == text_lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

char *text_trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return s;
}

char **text_list(const char *s)
{
	size_t commas = 0, len = strlen(s) + 1, n = 0;
	char **items, *copy, *item;

	for (const char *p = s; *p; p++)
		commas += *p == ',';
	items = malloc((commas + 2) * sizeof(*items) + len);
	if (!items)
		return NULL;
	copy = memcpy(items + commas + 2, s, len);
	while ((item = strsep(&copy, ",")) != NULL) {
		item = text_trim(item);
		if (*item)
			items[n++] = item;
	}
	items[n] = NULL;
	return items;
}
