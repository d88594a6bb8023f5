/* Parses the forms in which UEM writes a time. */

#include "uem/event_time.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define DATE_PREFIX "/Date("
#define MS_MAX INT64_C(253402300799999) /* the year 9999 */
#define DIGITS "0123456789"

/* Reads exactly count digits of a value from least to most, and moves *s behind them. */
static bool read_part(const char **s, size_t count, int64_t least, int64_t most, int64_t *out)
{
	int64_t n = 0;

	if (strspn(*s, DIGITS) < count)
		return false;
	for (size_t i = 0; i < count; i++)
		n = n * 10 + (*s)[i] - '0';
	if (n < least || n > most)
		return false;
	*s += count;
	*out = n;
	return true;
}

static bool skip(const char **s, const char *any_of)
{
	if (!**s || !strchr(any_of, **s))
		return false;
	++*s;
	return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; a year begins in March here. */
static int64_t days_from_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t days_of_month(int64_t year, int64_t month)
{
	int64_t next = month == 12 ? 1 : month + 1;

	return days_from_1970(month == 12 ? year + 1 : year, next, 1) -
	       days_from_1970(year, month, 1);
}

/* "", "Z", "+01:00", "+0100", "+01"; nothing may follow. */
static bool read_offset(const char *s, int64_t *seconds)
{
	int64_t hours = 0, minutes = 0, sign = *s == '-' ? -1 : 1;

	*seconds = 0;
	if (skip(&s, "Zz") || !*s)
		return !*s;
	if (!skip(&s, "+-") || !read_part(&s, 2, 0, 14, &hours))
		return false;
	skip(&s, ":");
	if (*s && !read_part(&s, 2, 0, 59, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return !*s;
}

static int64_t parse_iso(const char *s)
{
	int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0, time;

	if (!read_part(&s, 4, 1, 9999, &year) || !skip(&s, "-") ||
		!read_part(&s, 2, 1, 12, &month) || !skip(&s, "-") ||
		!read_part(&s, 2, 1, days_of_month(year, month), &day) || !skip(&s, "Tt ") ||
		!read_part(&s, 2, 0, 23, &hour) || !skip(&s, ":") ||
		!read_part(&s, 2, 0, 59, &minute) || !skip(&s, ":") ||
		!read_part(&s, 2, 0, 60, &second))
		return 0;
	if (skip(&s, ".,"))
		s += strspn(s, DIGITS);
	if (!read_offset(s, &offset))
		return 0;
	time = days_from_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return time > offset ? time - offset : 0;
}

/* A date alone: its first second. */
static int64_t parse_date(const char *s)
{
	int64_t year = 0, month = 0, day = 0;

	if (!read_part(&s, 4, 1, 9999, &year) || !skip(&s, "-/") ||
		!read_part(&s, 2, 1, 12, &month) || !skip(&s, "-/") ||
		!read_part(&s, 2, 1, days_of_month(year, month), &day) || *s)
		return 0;
	return days_from_1970(year, month, day) * 86400;
}

/* One digit or two. */
static bool read_short(const char **s, int64_t least, int64_t most, int64_t *out)
{
	return read_part(s, strspn(*s, DIGITS) > 1 ? 2 : 1, least, most, out);
}

/* "4/2/2026 7:38:11 AM": month, day, year, and a clock of twelve hours. */
static int64_t parse_american(const char *s)
{
	int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
	bool afternoon;

	if (!read_short(&s, 1, 12, &month) || !skip(&s, "/") || !read_short(&s, 1, 31, &day) ||
		!skip(&s, "/") || !read_part(&s, 4, 1, 9999, &year) || !skip(&s, " ") ||
		day > days_of_month(year, month) || !read_short(&s, 1, 12, &hour) ||
		!skip(&s, ":") || !read_part(&s, 2, 0, 59, &minute) || !skip(&s, ":") ||
		!read_part(&s, 2, 0, 59, &second) || !skip(&s, " "))
		return 0;
	afternoon = text_equal_nocase(s, "PM");
	if (!afternoon && !text_equal_nocase(s, "AM"))
		return 0;
	hour = hour % 12 + (afternoon ? 12 : 0);
	return days_from_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/* The milliseconds are UTC; an offset after them only says where the writer was. */
static int64_t parse_legacy(const char *s)
{
	char number[16] = "";
	size_t digits = strspn(s, DIGITS);
	int64_t ms = 0, ignored = 0;

	if (digits >= sizeof(number))
		return 0;
	memcpy(number, s, digits);
	s += digits;
	if (!text_number(number, MS_MAX, &ms))
		return 0;
	if (skip(&s, "+-") && !read_part(&s, 4, 0, 1459, &ignored))
		return 0;
	return strcmp(s, ")/") == 0 ? ms / 1000 : 0;
}

int64_t event_time_parse(const char *s)
{
	size_t prefix = strlen(DATE_PREFIX);

	return strncmp(s, DATE_PREFIX, prefix) == 0 ? parse_legacy(s + prefix) : parse_iso(s);
}

int64_t uem_time_parse(const char *s)
{
	static int64_t (*const layouts[])(const char *s) = {
		event_time_parse, parse_date, parse_american};
	int64_t time = 0;

	for (size_t i = 0; i < ARRAY_LEN(layouts) && !time; i++)
		time = layouts[i](s);
	return time > 0 ? time : 0;
}
