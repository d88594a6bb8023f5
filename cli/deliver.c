/* certprov deliver: finishes what is pending, or uploads again what the gateways have had. */

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "provider/deliver.h"

struct request {
	struct deliver_options options;
	struct names names;
	bool all;
};

/* The UUID that was given is a slip, or the device is gone. */
static int none_enrolled(const struct deliver_options *options)
{
	fputs("certprov: no enrolled device matches", stderr);
	if (*options->filter.device_uuid)
		fprintf(stderr, ": device %s", options->filter.device_uuid);
	if (*options->filter.user_uuid)
		fprintf(stderr, ": user %s", options->filter.user_uuid);
	fputs("; see: certprov list devices\n", stderr);
	return 1;
}

static int deliver(const char *config_file, struct request *request)
{
	static char done[] = "delivered";
	struct deliver_options *options = &request->options;
	bool named = request->names.device || request->names.user;
	struct bulk_tally tally = {.total = 0};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	options->report = tally_report;
	options->progress = terminal_progress() ? tally_progress : NULL;
	options->ctx = done;
	if (!err)
		err = names_find(config, &request->names, &e);
	memcpy(options->filter.user_uuid, request->names.user_uuid, UUID_SIZE);
	memcpy(options->filter.device_uuid, request->names.device_uuid, UUID_SIZE);
	if (!err)
		err = provider_deliver(config, options, &tally, &e);
	tally_end(&tally, done);
	config_free(config);
	if (!err && named && tally.total == 0)
		return none_enrolled(options);
	return err ? cli_fail(&e) : tally_status(&tally);
}

static int run(struct call *call)
{
	struct request request = {.all = false};
	int status = options_read(call, &request);

	if (status != OPTIONS_DONE)
		return status;
	request.options.again = request.all || request.names.user || request.names.device;
	if (request.options.again && request.options.now)
		return cli_wrong(
			call->command, "--now cannot be combined with --all, --user or --device");
	return deliver(call->config_file, &request);
}

static const struct option_row options[] = {
	{"now", '\0', &option_flag, offsetof(struct request, options.now), NULL,
		"all that are pending, due or not, or have failed"},
	{"all", '\0', &option_flag, offsetof(struct request, all), NULL,
		"instead: uploads again what every enrolled device has"},
	{"user", '\0', &option_user, offsetof(struct request, names.user), "USER",
		"the same for the devices of one user: UUID, user name or mail\naddress"},
	{"device", '\0', &option_device, offsetof(struct request, names.device), "DEVICE",
		"the same for one device: UUID or friendly name"},
	{"rate", '\0', &option_rate, offsetof(struct request, options.rate), "N",
		"uploads a second at most (default: [escrow] max-rate)"},
	{.name = NULL},
};

const struct command command_deliver = {
	.name = "deliver",
	.arguments = "[--now | --all | --user USER | --device DEVICE] [--rate N]",
	.summary = "Finishes recorded events that are pending and due, from the step that failed",
	.options = options,
	.notes = "Exit status 1: something has failed; 75: something is to be tried again later.\n",
	.run = run,
};
