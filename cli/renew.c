#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/bulk.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/rows.h"
#include "cli/terminal.h"

struct request {
	struct renew_options options;
	struct cli_names names;
	struct cli_rows rows;
	bool dry_run;
};

static void show_progress(void *ctx, const struct run_tally *tally)
{
	(void)ctx;
	cli_progress(tally, "done");
}

static int renew(const struct config *config, struct renew_options *options)
{
	struct run_tally tally = {.total = 0};
	struct error e;
	enum err err;

	options->report = cli_report;
	options->progress = terminal_progress() ? show_progress : NULL;
	err = provider_renew(config, options, &tally, &e);
	cli_progress_end(&tally, "done");
	if (!err && options->now && tally.total == 0)
		printf("nothing is replaced: user %s has no active certificate on an enrolled "
		       "device\n",
			options->user_uuid);
	return err ? cli_fail(&e) : cli_judge(&tally);
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
	return cli_row(ctx, columns, ARRAY_LEN(columns), e);
}

static int list_due(const struct config *config, struct request *request)
{
	struct error e;
	enum err err =
		provider_renew_list(config, &request->options, print_due, &request->rows, &e);

	cli_rows_end(&request->rows, !err);
	return err ? cli_fail(&e) : 0;
}

static bool set_usage(struct renew_options *options, const char *name)
{
	int usage = vocabulary_find(usage_names, USAGE_COUNT, name);

	if (usage < 0)
		return false;
	memset(options->usages, 0, sizeof(options->usages));
	options->usages[usage] = true;
	return true;
}

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;
	struct renew_options *options = &request->options;
	bool good = true;

	if (key == 'w')
		return cli_ahead(value, &options->within, e);
	if (key == 'U')
		good = set_usage(options, value);
	else if (key == 'u')
		request->names.user = value;
	else if (key == 'r')
		good = cli_rate(value, &options->rate);
	else if (key == 'N')
		options->now = true;
	else if (key == 'n')
		request->dry_run = true;
	else
		request->rows.json = true;
	return good ? ERR_OK : ERR_USAGE;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'w', "within", CLI_AHEAD_FORM, false},
		{'N', "now", NULL, false},
		{'U', "usage", "signing or encryption", false},
		{'u', "user", CLI_USER_FORM, false},
		{'r', "rate", CLI_RATE_FORM, false},
		{'n', "dry-run", NULL, false},
		{'j', "json", NULL, false},
	};
	struct request request = {.options = {.within = -1, .usages = {true, true}}};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	struct config *config = NULL;
	char device[UUID_SIZE];
	struct error e;
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	if (request.options.now && !request.names.user)
		return cli_wrong(self, "--now needs --user");
	if (request.rows.json && !request.dry_run)
		return cli_wrong(self, "--json needs --dry-run");
	if (cli_load(config_file, &config, &e))
		return cli_fail(&e);
	if (cli_names_find(config, &request.names, request.options.user_uuid, device, &e))
		status = cli_fail(&e);
	else
		status = request.dry_run ? list_due(config, &request)
					 : renew(config, &request.options);
	config_free(config);
	return status;
}

const struct command command_renew = {"renew",
	"[--within TIME | --now] [--usage USAGE] [--user USER] [--rate N] [--dry-run [--json]]",
	"Replaces certificates that end soon, and uploads the new ones to the users' devices",
	"  --within TIME   within that time, such as 30d (default: [certificates] renew-within)\n"
	"  --now           whenever they end, such as after the loss of a device; needs --user\n"
	"  --usage USAGE   signing or encryption alone\n"
	"  --user USER     those of one user: UUID, user name or mail address\n"
	"  --rate N        uploads a second at most (default: [escrow] max-rate)\n"
	"  --dry-run       instead: lists what would be replaced, a line each\n"
	"  --json          with --dry-run: an array of objects\n"
	"Exit status 1: something has failed; 75: something is to be tried again later.\n",
	run};
