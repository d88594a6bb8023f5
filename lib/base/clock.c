/* The wall clock, which tests replace, and the monotonic one, which they do not. */
#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static int64_t (*replacement)(void);

int64_t clock_now(void)
{
	return replacement ? replacement() : (int64_t)time(NULL);
}

void clock_replace(int64_t (*now)(void))
{
	replacement = now;
}

int64_t clock_monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int clock_left_ms(int64_t until)
{
	int64_t left = until - clock_monotonic_ms();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void clock_rfc3339(int64_t time, char out[CLOCK_RFC3339_SIZE])
{
	time_t t = (time_t)time;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
		snprintf(out, CLOCK_RFC3339_SIZE, "invalid");
		return;
	}
	/* strftime()'s %Y has no leading zeros */
	snprintf(out, CLOCK_RFC3339_SIZE, "%02u%02u-%02u-%02uT%02u:%02u:%02uZ",
		(unsigned)(tm.tm_year + 1900) / 100 % 100, (unsigned)(tm.tm_year + 1900) % 100,
		(unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
		(unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}
