#include <stdio.h>

#include "cli/names.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "provider/provider.h"

/* certprov unenroll: a device that is lost, or was handed back without an event. */

struct request {
	struct cli_names names;
	char user[UUID_SIZE], device[UUID_SIZE];
	bool yes; /* no question */
};

static int unenroll(const char *config_file, struct request *request)
{
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = cli_names_find(config, &request->names, request->user, request->device, &e);
	if (!err)
		err = provider_unenroll(config, request->device, &e);
	config_free(config);
	if (err)
		return cli_fail(&e);
	printf("device %s is unenrolled: it gets nothing until it enrolls again\n",
		request->device);
	return 0;
}

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;

	(void)e;
	if (key == 'd')
		request->names.device = value;
	else
		request->yes = true;
	return ERR_OK;
}

static bool confirm(void)
{
	return terminal_ask("Stop all delivery to this device? Its certificates are revoked as "
			    "[events] on-unenroll says.");
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'d', "device", CLI_DEVICE_FORM, false},
		{'y', "yes", NULL, false},
	};
	struct request request = {.yes = false};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	if (!request.names.device)
		return cli_wrong(self, "--device is needed");
	if (!request.yes && terminal_input() && !confirm()) {
		fputs("certprov: nothing was done\n", stderr);
		return 1;
	}
	return unenroll(config_file, &request);
}

const struct command command_unenroll = {"unenroll", "--device DEVICE [--yes]",
	"Stops all delivery to a device, such as a lost one, until it enrolls again",
	"  --device DEVICE   that device, for all its users: UUID or friendly name\n"
	"  --yes             no question; without a terminal there is none anyway\n"
	"Its certificates are revoked as [events] on-unenroll says; certprov revoke with the\n"
	"reason keyCompromise stops delivery, too, and always revokes them.\n",
	run};
