/* The output and exit status of commands that work on very many items. */

#include "cli/tally.h"

#include <stdio.h>

#include "cli/terminal.h"

/* Several processes call it: a line is one write. */
void tally_report(void *ctx, const struct store_pair *pair, enum err err, const char *text)
{
	bool device = *pair->device_uuid, user = *pair->user_uuid;

	(void)ctx;
	fprintf(stderr, "%scertprov: %s%s%s%s%s: %s: %s\n", terminal_erase(),
		device ? "device " : "", pair->device_uuid, device && user ? ", " : "",
		user ? "user " : "", pair->user_uuid,
		error_meaning(err)->retry ? "pending" : "failed", text);
}

void tally_progress(void *ctx, const struct bulk_tally *tally)
{
	const char *done = ctx;

	fprintf(stderr, "%s%lld of %lld: %lld %s, %lld pending, %lld failed", terminal_erase(),
		(long long)(tally->done + tally->pending + tally->failed), (long long)tally->total,
		(long long)tally->done, done, (long long)tally->pending, (long long)tally->failed);
}

void tally_end(const struct bulk_tally *tally, char *done)
{
	if (tally->total == 0)
		return;
	if (terminal_progress()) {
		tally_progress(done, tally);
		fputc('\n', stderr);
	} else {
		printf("%lld %s, %lld pending, %lld failed\n", (long long)tally->done, done,
			(long long)tally->pending, (long long)tally->failed);
	}
}

int tally_status(const struct bulk_tally *tally)
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
