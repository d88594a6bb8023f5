#include <getopt.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/bulk.h"
#include "cli/cli.h"
#include "cli/terminal.h"

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

static int deliver(const char *config_file, struct deliver_options *options)
{
	bool named = *options->filter.device_uuid || *options->filter.user_uuid;
	struct run_tally tally = {.total = 0};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	options->report = cli_report;
	options->progress = terminal_progress() ? show_progress : NULL;
	if (!err)
		err = provider_deliver(config, options, &tally, &e);
	cli_progress_end(&tally, "delivered");
	config_free(config);
	if (!err && named && tally.total == 0)
		return none_enrolled(options);
	return err ? cli_fail(&e) : cli_judge(&tally);
}

static bool set_uuid(struct deliver_options *options, char uuid[UUID_SIZE], const char *text)
{
	options->again = true;
	return text_uuid(text, uuid);
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
		{"now", no_argument, NULL, 'n'}, {"all", no_argument, NULL, 'a'},
		{"user", required_argument, NULL, 'u'}, {"device", required_argument, NULL, 'd'},
		{"rate", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct deliver_options options = {.again = false};
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "c:h", names, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'n')
			options.now = true;
		else if (option == 'a')
			options.again = true;
		else if (option == 'u')
			good = set_uuid(&options, options.filter.user_uuid, optarg);
		else if (option == 'd')
			good = set_uuid(&options, options.filter.device_uuid, optarg);
		else if (option == 'r')
			good = cli_rate(optarg, &options.rate);
		else
			return cli_usage(self, option == 'h');
	}
	if (!good || optind != argc || (options.again && options.now))
		return cli_usage(self, false);
	return deliver(config_file, &options);
}

const struct command command_deliver = {"deliver",
	"[--now | --all | --user UUID | --device UUID] [--rate N]",
	"Finishes recorded events that are pending and due, from the step that failed",
	"  --now           whatever is pending, due or not, and what has failed\n"
	"  --all           instead: uploads again what every enrolled device has\n"
	"  --user UUID     the same for the devices of one user\n"
	"  --device UUID   the same for one device\n"
	"  --rate N        uploads a second at most (default: [escrow] max-rate)\n"
	"Exit status 1: something has failed; 75: something is to be tried again later.\n",
	run};
