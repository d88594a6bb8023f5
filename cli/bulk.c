#include "cli/bulk.h"

#include <stdio.h>

#include "base/text.h"
#include "cli/terminal.h"

#define RATE_MAX 1000

bool cli_rate(const char *text, unsigned *out)
{
	int64_t rate = 0;

	if (!text_number(text, RATE_MAX, &rate) || rate == 0)
		return false;
	*out = (unsigned)rate;
	return true;
}

/* From several processes: a line is one write. */
void cli_report(void *ctx, const struct store_pair *pair, enum err err, const char *text)
{
	bool device = *pair->device_uuid, user = *pair->user_uuid;

	(void)ctx;
	fprintf(stderr, "%scertprov: %s%s%s%s%s: %s: %s\n", terminal_erase(),
		device ? "device " : "", pair->device_uuid, device && user ? ", " : "",
		user ? "user " : "", pair->user_uuid,
		error_meaning(err)->retry ? "pending" : "failed", text);
}

void cli_progress(const struct run_tally *tally, const char *done)
{
	fprintf(stderr, "%s%lld of %lld: %lld %s, %lld pending, %lld failed", terminal_erase(),
		(long long)(tally->done + tally->pending + tally->failed), (long long)tally->total,
		(long long)tally->done, done, (long long)tally->pending, (long long)tally->failed);
}

void cli_progress_end(const struct run_tally *tally, const char *done)
{
	if (tally->total == 0)
		return;
	if (terminal_progress()) {
		cli_progress(tally, done);
		fputc('\n', stderr);
	} else {
		printf("%lld %s, %lld pending, %lld failed\n", (long long)tally->done, done,
			(long long)tally->pending, (long long)tally->failed);
	}
}

int cli_judge(const struct run_tally *tally)
{
	int64_t tried = tally->done + tally->pending + tally->failed;
	bool stopped = tally->stopped && tried < tally->total;

	if (stopped)
		fprintf(stderr, "certprov: stopped after %lld of %lld; the rest is unchanged\n",
			(long long)tried, (long long)tally->total);
	if (tally->failed > 0)
		return 1;
	return tally->pending > 0 || stopped ? error_meaning(ERR_UNAVAILABLE)->exit_status : 0;
}
