#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "provider/provider.h"

#define RATE_MAX 1000
#define ERASE "\r\033[K"

static bool is_terminal;

/* From several processes: a line is one write. */
static void report(void *ctx, const struct store_pair *pair, enum err err, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%scertprov: device %s%s%s: %s: %s\n", is_terminal ? ERASE : "",
		pair->device_uuid, *pair->user_uuid ? ", user " : "", pair->user_uuid,
		error_meaning(err)->retry ? "pending" : "failed", text);
}

static void show_progress(void *ctx, const struct deliver_tally *tally)
{
	(void)ctx;
	fprintf(stderr, ERASE "%lld of %lld: %lld delivered, %lld pending, %lld failed",
		(long long)(tally->delivered + tally->pending + tally->failed),
		(long long)tally->total, (long long)tally->delivered, (long long)tally->pending,
		(long long)tally->failed);
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

static int judge(const struct deliver_options *options, const struct deliver_tally *tally)
{
	bool named = *options->filter.device_uuid || *options->filter.user_uuid;
	int64_t tried = tally->delivered + tally->pending + tally->failed;
	bool stopped = tally->stopped && tried < tally->total;

	if (named && tally->total == 0)
		return none_enrolled(options);
	if (stopped)
		fprintf(stderr,
			"certprov: stopped after %lld of %lld; what is left stays as it is\n",
			(long long)tried, (long long)tally->total);
	if (tally->failed > 0)
		return 1;
	return tally->pending > 0 || stopped ? error_meaning(ERR_UNAVAILABLE)->exit_status : 0;
}

static int deliver(const char *config_file, struct deliver_options *options)
{
	struct deliver_tally tally = {.total = 0};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	is_terminal = isatty(STDERR_FILENO);
	options->progress = is_terminal ? show_progress : NULL;
	if (!err)
		err = provider_deliver(config, options, &tally, &e);
	if (is_terminal && tally.total > 0) {
		show_progress(NULL, &tally);
		fputc('\n', stderr);
	}
	config_free(config);
	return err ? cli_fail(&e) : judge(options, &tally);
}

static bool set_rate(struct deliver_options *options, const char *text)
{
	int64_t rate = 0;

	if (!text_number(text, RATE_MAX, &rate) || rate == 0)
		return false;
	options->rate = (unsigned)rate;
	return true;
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
	struct deliver_options options = {.report = report};
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
			good = set_rate(&options, optarg);
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
