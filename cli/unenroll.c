/* certprov unenroll: a device that is lost, or was handed back without an event. */

#include <stdio.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "provider/unenroll_by_hand.h"

struct request {
	struct names names;
	bool yes; /* no question */
};

static int unenroll(const char *config_file, struct names *names)
{
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = names_find(config, names, &e);
	if (!err)
		err = provider_unenroll(config, names->device_uuid, &e);
	config_free(config);
	if (err)
		return cli_fail(&e);
	printf("device %s is unenrolled: it gets nothing until it enrolls again\n",
		names->device_uuid);
	return 0;
}

static int run(struct call *call)
{
	struct request request = {.yes = false};
	int status = options_read(call, &request);

	if (status != OPTIONS_DONE)
		return status;
	if (!request.names.device)
		return cli_wrong(call->command, "--device is needed");
	if (!request.yes && terminal_input() &&
		!terminal_ask("Stop all delivery to this device? Its certificates are revoked as "
			      "[events] on-unenroll says.")) {
		fputs("certprov: nothing was done\n", stderr);
		return 1;
	}
	return unenroll(call->config_file, &request.names);
}

static const struct option_row options[] = {
	{"device", '\0', &option_device, offsetof(struct request, names.device), "DEVICE",
		"that device, for all its users: UUID or friendly name"},
	{"yes", '\0', &option_flag, offsetof(struct request, yes), NULL,
		"no question; without a terminal there is none anyway"},
	{.name = NULL},
};

const struct command command_unenroll = {
	.name = "unenroll",
	.arguments = "--device DEVICE [--yes]",
	.summary = "Stops all delivery to a device, such as a lost one, until it enrolls again",
	.options = options,
	.notes = "Its certificates are revoked as [events] on-unenroll says; certprov revoke with "
		 "the\nreason keyCompromise stops delivery, too, and always revokes them.\n",
	.run = run,
};
