#include <stdio.h>

#include "base/text.h"
#include "cli/bulk.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/terminal.h"

struct request {
	struct deliver_options options;
	struct cli_names names;
};

static void show_progress(void *ctx, const struct run_tally *tally)
{
	(void)ctx;
	cli_progress(tally, "delivered");
}

/* A device that was asked for by its UUID and is not there is a slip, or gone. */
static int none_enrolled(const struct deliver_options *options)
{
	fputs("certprov: no enrolled device is the one that was asked for", stderr);
	if (*options->filter.device_uuid)
		fprintf(stderr, ": device %s", options->filter.device_uuid);
	if (*options->filter.user_uuid)
		fprintf(stderr, ": user %s", options->filter.user_uuid);
	fputs("; see: certprov list devices\n", stderr);
	return 1;
}

static int deliver(const char *config_file, struct request *request)
{
	struct deliver_options *options = &request->options;
	bool named = request->names.device || request->names.user;
	struct run_tally tally = {.total = 0};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	options->report = cli_report;
	options->progress = terminal_progress() ? show_progress : NULL;
	if (!err)
		err = cli_names_find(config, &request->names, options->filter.user_uuid,
			options->filter.device_uuid, &e);
	if (!err)
		err = provider_deliver(config, options, &tally, &e);
	cli_progress_end(&tally, "delivered");
	config_free(config);
	if (!err && named && tally.total == 0)
		return none_enrolled(options);
	return err ? cli_fail(&e) : cli_judge(&tally);
}

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;
	struct deliver_options *options = &request->options;
	bool good = true;

	(void)e;
	options->again |= key == 'a' || key == 'u' || key == 'd';
	options->now |= key == 'n';
	if (key == 'u')
		request->names.user = value;
	else if (key == 'd')
		request->names.device = value;
	else if (key == 'r')
		good = cli_rate(value, &options->rate);
	return good ? ERR_OK : ERR_USAGE;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option names[] = {
		{'n', "now", NULL, false},
		{'a', "all", NULL, false},
		{'u', "user", CLI_USER_FORM, false},
		{'d', "device", CLI_DEVICE_FORM, false},
		{'r', "rate", CLI_RATE_FORM, false},
	};
	struct request request = {.names = {NULL, NULL}};
	const struct cli_options all = {names, ARRAY_LEN(names), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	if (request.options.again && request.options.now)
		return cli_wrong(self, "--now cannot be combined with --all, --user or --device");
	return deliver(config_file, &request);
}

const struct command command_deliver = {"deliver",
	"[--now | --all | --user USER | --device DEVICE] [--rate N]",
	"Finishes recorded events that are pending and due, from the step that failed",
	"  --now           all that are pending, due or not, or have failed\n"
	"  --all           instead: uploads again what every enrolled device has\n"
	"  --user USER     the same for the devices of one user: UUID, user name or mail\n"
	"                  address\n"
	"  --device DEVICE the same for one device: UUID or friendly name\n"
	"  --rate N        uploads a second at most (default: [escrow] max-rate)\n"
	"Exit status 1: something has failed; 75: something is to be tried again later.\n",
	run};
