/* certprov renew: replaces certificates that end soon. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/rows.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "provider/renew.h"

struct request {
	struct renew_options options;
	struct names names;
	struct rows rows;
	bool dry_run;
};

static int renew(const struct config *config, struct renew_options *options)
{
	static char done[] = "done";
	struct bulk_tally tally = {.total = 0};
	struct error e;
	enum err err;

	options->report = tally_report;
	options->progress = terminal_progress() ? tally_progress : NULL;
	options->ctx = done;
	err = provider_renew(config, options, &tally, &e);
	tally_end(&tally, done);
	if (!err && options->now && tally.total == 0)
		printf("nothing is replaced: user %s has no active certificate on an enrolled "
		       "device\n",
			options->user_uuid);
	return err ? cli_fail(&e) : tally_status(&tally);
}

static enum err print_due(void *ctx, const struct credential *c, struct error *e)
{
	char not_after[CLOCK_RFC3339_SIZE];
	const struct store_column columns[] = {
		{"user_uuid", c->user_uuid, false},
		{"device_uuid", c->device_uuid, false},
		{"usage", usage_names[c->usage], false},
		{"serial", c->serial, false},
		{"not_after", not_after, false},
		{"mail", c->mail, false},
	};

	clock_rfc3339(c->not_after, not_after);
	return rows_add(ctx, columns, ARRAY_LEN(columns), e);
}

static int list_due(const struct config *config, struct request *request)
{
	struct error e;
	enum err err =
		provider_renew_list(config, &request->options, print_due, &request->rows, &e);

	rows_end(&request->rows, !err);
	return err ? cli_fail(&e) : 0;
}

/* field: a flag for each usage. */
static enum err set_usage(void *field, const char *value, struct error *e)
{
	bool *usages = field;
	int usage = vocabulary_find(usage_names, USAGE_COUNT, value);

	(void)e;
	if (usage < 0)
		return ERR_USAGE;
	for (int i = 0; i < USAGE_COUNT; i++)
		usages[i] = i == usage;
	return ERR_OK;
}

static int run(struct call *call)
{
	struct request request = {.options = {.within = -1, .usages = {true, true}}};
	int status = options_read(call, &request);
	struct config *config = NULL;
	struct error e;

	if (status != OPTIONS_DONE)
		return status;
	if (request.options.now && !request.names.user)
		return cli_wrong(call->command, "--now needs --user");
	if (request.rows.json && !request.dry_run)
		return cli_wrong(call->command, "--json needs --dry-run");
	if (cli_load(call->config_file, &config, &e))
		return cli_fail(&e);
	if (names_find(config, &request.names, &e)) {
		config_free(config);
		return cli_fail(&e);
	}
	memcpy(request.options.user_uuid, request.names.user_uuid, UUID_SIZE);
	status = request.dry_run ? list_due(config, &request) : renew(config, &request.options);
	config_free(config);
	return status;
}

static const struct option_kind one_usage = {"signing or encryption", set_usage};

static const struct option_row options[] = {
	{"within", '\0', &option_ahead, offsetof(struct request, options.within), "TIME",
		"within that time, such as 30d (default: [certificates] renew-within)"},
	{"now", '\0', &option_flag, offsetof(struct request, options.now), NULL,
		"whenever they end, such as after the loss of a device; needs --user"},
	{"usage", '\0', &one_usage, offsetof(struct request, options.usages), "USAGE",
		"signing or encryption alone"},
	{"user", '\0', &option_user, offsetof(struct request, names.user), "USER",
		"those of one user: UUID, user name or mail address"},
	{"rate", '\0', &option_rate, offsetof(struct request, options.rate), "N",
		"uploads a second at most (default: [escrow] max-rate)"},
	{"dry-run", '\0', &option_flag, offsetof(struct request, dry_run), NULL,
		"instead: lists what would be replaced, a line each"},
	{"json", '\0', &option_flag, offsetof(struct request, rows.json), NULL,
		"with --dry-run: an array of objects"},
	{.name = NULL},
};

const struct command command_renew = {
	.name = "renew",
	.arguments = "[--within TIME | --now] [--usage USAGE] [--user USER] [--rate N] [--dry-run "
		     "[--json]]",
	.summary = "Replaces certificates that end soon, and uploads the new ones to the users' "
		   "devices",
	.options = options,
	.notes = "Exit status 1: something has failed; 75: something is to be tried again later.\n",
	.run = run,
};
