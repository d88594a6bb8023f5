/* Judges how near the end of a certificate or list is, and says so. It reads no file. */

#include "provider/expiry.h"

#include <stdio.h>

#include "base/clock.h"

#define DAY 86400
#define ANNOUNCED_DAYS 60 /* before something is worse than it was */

/* --- the rule */

static enum expiry_level level_of(int64_t left)
{
	static const struct {
		int64_t days;
		enum expiry_level level;
	} levels[] = {{1, EXPIRY_WITHIN_1}, {7, EXPIRY_WITHIN_7}, {30, EXPIRY_WITHIN_30},
		{60, EXPIRY_WITHIN_60}};

	if (left < 0)
		return EXPIRY_ENDED;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (left <= levels[i].days * DAY)
			return levels[i].level;
	return EXPIRY_FINE;
}

struct expiry expiry_judge(enum expiry_what what, int64_t not_before, int64_t not_after)
{
	int64_t now = clock_now(), left = not_after - now;
	struct expiry expiry = {
		.what = what,
		.level = level_of(left),
		.not_before = not_before,
		.not_after = not_after,
		.left = left,
	};

	if (left >= 0 && not_before > now)
		expiry.level = EXPIRY_NOT_YET;
	else if (what == EXPIRY_CRL && left > (not_after - not_before) / 4)
		expiry.level = EXPIRY_FINE;
	return expiry;
}

struct expiry expiry_judge_ca(int64_t not_before, int64_t not_after, int64_t validity)
{
	struct expiry expiry = expiry_judge(EXPIRY_CA, not_before, not_after);

	expiry.shortens = not_after - validity;
	if (expiry.level == EXPIRY_FINE && expiry.left <= validity + ANNOUNCED_DAYS * DAY)
		expiry.level = EXPIRY_SHORTENS;
	return expiry;
}

struct expiry expiry_unknown(enum expiry_what what, const struct error *e)
{
	struct expiry expiry = {.what = what, .level = EXPIRY_UNKNOWN};

	snprintf(expiry.cause, sizeof(expiry.cause), "%s", e->text);
	return expiry;
}

bool expiry_is_near(const struct expiry *expiry)
{
	return expiry->level != EXPIRY_NONE && expiry->level != EXPIRY_FINE;
}

bool expiry_is_over(const struct expiry *expiry)
{
	return expiry->what != EXPIRY_CRL &&
	       (expiry->level == EXPIRY_ENDED || expiry->level == EXPIRY_NOT_YET);
}

enum log_level expiry_log_level(const struct expiry *expiry)
{
	bool last_day = expiry->what != EXPIRY_CRL && expiry->level == EXPIRY_WITHIN_1;

	return expiry_is_over(expiry) || last_day ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
}

int64_t expiry_days(const struct expiry *expiry)
{
	return (expiry->left < 0 ? expiry->left - (DAY - 1) : expiry->left) / DAY;
}

/* --- words for people */

static const char *const names[EXPIRY_COUNT] = {
	[EXPIRY_CLIENT] = "our client certificate",
	[EXPIRY_RA] = "our certificate at the CA",
	[EXPIRY_CA] = "the CA certificate",
	[EXPIRY_CRL] = "the revocation list",
};

/* The remedy. */
static const char *const advice[EXPIRY_COUNT] = {
	[EXPIRY_CLIENT] = " (register the new thumbprint at the Escrow Gateway first)",
	[EXPIRY_RA] = " ([ca] identity; without it nothing is issued)",
	[EXPIRY_CA] = " (no certificate that it has issued outlives it)",
	[EXPIRY_CRL] = "it was not requested lately; see that the job that copies it runs",
};

static const char *const urgency[] = {
	[EXPIRY_SHORTENS] = "plan to replace it",
	[EXPIRY_WITHIN_60] = "plan to replace it",
	[EXPIRY_WITHIN_30] = "replace it soon",
	[EXPIRY_WITHIN_7] = "replace it now",
	[EXPIRY_WITHIN_1] = "replace it at once",
	[EXPIRY_ENDED] = "replace it at once",
};

const char *expiry_name(enum expiry_what what)
{
	return names[what];
}

/* ", 29 days left": in the largest unit of which there are two or more. */
static void put_left(int64_t left, struct buf *out)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{DAY, "days"}, {3600, "hours"}, {60, "minutes"}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (left < 2 * units[i].seconds)
			continue;
		buf_printf(
			out, ", %lld %s left", (long long)(left / units[i].seconds), units[i].name);
		return;
	}
	buf_puts(out, ", less than two minutes left");
}

static void put_end(const struct expiry *expiry, struct buf *out)
{
	bool crl = expiry->what == EXPIRY_CRL;
	char end[CLOCK_RFC3339_SIZE];

	clock_rfc3339(expiry->not_after, end);
	if (expiry->level == EXPIRY_ENDED) {
		buf_printf(out, "%s %s", crl ? "was to be renewed by" : "ended", end);
		return;
	}
	buf_printf(out, "%s %s", crl ? "is to be renewed by" : "ends", end);
	put_left(expiry->left, out);
}

/* The effect of a CA's end long before it comes. */
static void put_shortens(const struct expiry *expiry, struct buf *out)
{
	bool already = expiry->left < expiry->not_after - expiry->shortens;
	char begin[CLOCK_RFC3339_SIZE];

	clock_rfc3339(expiry->shortens, begin);
	buf_printf(out, "; %s %s certificates are issued for less than validity in [certificates]",
		already ? "since" : "from", begin);
}

void expiry_text(const struct expiry *expiry, struct buf *out)
{
	char begin[CLOCK_RFC3339_SIZE];

	if (expiry->level == EXPIRY_NONE)
		return;
	if (expiry->level == EXPIRY_UNKNOWN) {
		buf_printf(out, "cannot be read: %s", expiry->cause);
		return;
	}
	if (expiry->level == EXPIRY_NOT_YET) {
		clock_rfc3339(expiry->not_before, begin);
		buf_printf(out, "is not valid before %s: check this machine's clock", begin);
		return;
	}
	put_end(expiry, out);
	if (expiry->level == EXPIRY_SHORTENS)
		put_shortens(expiry, out);
	if (expiry->level != EXPIRY_FINE)
		buf_printf(out, ": %s%s", expiry->what == EXPIRY_CRL ? "" : urgency[expiry->level],
			advice[expiry->what]);
}
