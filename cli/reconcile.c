/* certprov reconcile: makes up for events of UEM that never came. */

#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/rows.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "provider/reconcile.h"

struct request {
	struct reconcile_options options;
	struct rows rows;
	bool dry_run;
};

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_left_out(FILE *to, int64_t count, const char *why)
{
	if (count)
		fprintf(to, "left out: %lld device%s %s\n", (long long)count, plural(count), why);
}

static void print_result(FILE *to, const struct reconcile_result *result)
{
	const struct bulk_tally *tally = &result->tally;

	fprintf(to,
		"UEM has %lld enrolled device%s; %lld enrollment%s and %lld unenrollment%s were "
		"missed\n",
		(long long)result->listed, plural(result->listed), (long long)result->enrollments,
		plural(result->enrollments), (long long)result->unenrollments,
		plural(result->unenrollments));
	if (tally->pending || tally->failed)
		fprintf(to, "%lld done, %lld pending, %lld failed\n", (long long)tally->done,
			(long long)tally->pending, (long long)tally->failed);
	print_left_out(to, result->userless, "for which UEM has no user");
	print_left_out(to, result->staging, "of users who enroll devices for others (staging)");
	print_left_out(
		to, result->ended, "unenrolled here, for which UEM tells of no later enrollment");
	print_left_out(to, result->unread, "of which UEM does not say which, or in what state");
}

static int reconcile(const struct config *config, struct reconcile_options *options)
{
	static char done[] = "done";
	struct reconcile_result result;
	struct error e;
	enum err err;

	options->report = tally_report;
	options->progress = terminal_progress() ? tally_progress : NULL;
	options->ctx = done;
	err = provider_reconcile(config, options, &result, &e);
	fputs(terminal_erase(), stderr);
	if (err)
		return cli_fail(&e);
	print_result(stdout, &result);
	return tally_status(&result.tally);
}

static enum err print_missed(
	void *ctx, const struct store_pair *pair, const struct uem_device *device, struct error *e)
{
	const struct store_column columns[] = {
		{"missed", device ? "enrollment" : "unenrollment", false},
		{"device_uuid", pair->device_uuid, false},
		{"user_uuid", pair->user_uuid, false},
		{"user_name", device && *device->user_name ? device->user_name : NULL, false},
		{"device_name", device && *device->name ? device->name : NULL, false},
	};

	return rows_add(ctx, columns, ARRAY_LEN(columns), e);
}

/* The list alone is on standard output. */
static int list_missed(const struct config *config, struct rows *rows)
{
	struct reconcile_result result;
	struct error e;
	enum err err = provider_reconcile_list(config, print_missed, rows, &result, &e);

	rows_end(rows, !err);
	if (err)
		return cli_fail(&e);
	print_result(stderr, &result);
	return 0;
}

static int run(struct call *call)
{
	struct request request = {.dry_run = false};
	int status = options_read(call, &request);
	struct config *config = NULL;
	struct error e;

	if (status != OPTIONS_DONE)
		return status;
	if (request.rows.json && !request.dry_run)
		return cli_wrong(call->command, "--json needs --dry-run");
	if (cli_load(call->config_file, &config, &e))
		return cli_fail(&e);
	status = request.dry_run ? list_missed(config, &request.rows)
				 : reconcile(config, &request.options);
	config_free(config);
	return status;
}

static const struct option_row options[] = {
	{"rate", '\0', &option_rate, offsetof(struct request, options.rate), "N",
		"events a second at most (default: [escrow] max-rate)"},
	{"dry-run", '\0', &option_flag, offsetof(struct request, dry_run), NULL,
		"instead: lists what was missed, a line each"},
	{"json", '\0', &option_flag, offsetof(struct request, rows.json), NULL,
		"with --dry-run: an array of objects"},
	{.name = NULL},
};

const struct command command_reconcile = {
	.name = "reconcile",
	.arguments = "[--rate N] [--dry-run [--json]]",
	.summary = "Makes up for events that never came: compares our devices with those in UEM",
	.options = options,
	.notes = "It needs [uem]. Exit status 1: something has failed; 75: something is to be "
		 "tried again\nlater, or UEM is out of reach.\n",
	.run = run,
};
