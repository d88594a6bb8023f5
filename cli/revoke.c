#include <stdio.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "provider/provider.h"

/* The selection, in the store's own form. */
struct request {
	char serial[STORE_SERIAL_SIZE];
	struct cli_names names;
	char user[UUID_SIZE], device[UUID_SIZE];
	int chosen; /* how many of them were given */
	int reason;
	bool yes;      /* no question */
	bool declined; /* the answer was no */
};

/* Scripts and timers have no terminal to be asked at, and have meant what they say. */
static bool confirm(void *ctx, size_t count)
{
	struct request *request = ctx;
	char question[160];

	snprintf(question, sizeof(question),
		"Revoke %zu certificate%s of %s %s? That cannot be undone.", count,
		count == 1 ? "" : "s", *request->user ? "user" : "device",
		*request->user ? request->user : request->device);
	request->declined = !terminal_ask(question);
	return !request->declined;
}

static void report(
	void *ctx, const struct credential *credential, bool done, enum err err, const char *text)
{
	const char *usage = usage_names[credential->usage];
	bool of_device = *credential->device_uuid;

	(void)ctx;
	if (err)
		fprintf(stderr, "certprov: not revoked: %s %s: %s\n", usage, credential->serial,
			text);
	else if (!done)
		fprintf(stderr, "certprov: %s %s was revoked already\n", usage, credential->serial);
	else
		printf("%s %s %s %s\n", usage, credential->serial, of_device ? "device" : "user",
			of_device ? credential->device_uuid : credential->user_uuid);
}

static int revoke(const char *config_file, struct request *request)
{
	bool ask = !request->yes && !*request->serial && terminal_input();
	const struct revoke_options options = {
		.serial = request->serial,
		.user_uuid = request->user,
		.device_uuid = request->device,
		.reason = (enum revocation_reason)request->reason,
		.confirm = ask ? confirm : NULL,
		.report = report,
		.ctx = request,
	};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = cli_names_find(config, &request->names, request->user, request->device, &e);
	if (!err)
		err = provider_revoke(config, &options, &e);
	config_free(config);
	if (request->declined)
		fputs("certprov: nothing was revoked\n", stderr);
	return err ? cli_fail(&e) : request->declined;
}

static bool set_reason(struct request *request, const char *name)
{
	request->reason = vocabulary_find(revocation_reason_names, REVOCATION_REASON_COUNT, name);
	return request->reason >= 0;
}

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;
	bool good = true;

	(void)e;
	request->chosen += key == 's' || key == 'u' || key == 'd';
	if (key == 's')
		good = cli_serial(value, request->serial);
	else if (key == 'u')
		request->names.user = value;
	else if (key == 'd')
		request->names.device = value;
	else if (key == 'r')
		good = set_reason(request, value);
	else
		request->yes = true;
	return good ? ERR_OK : ERR_USAGE;
}

#define REASONS                                                        \
	"unspecified, keyCompromise, affiliationChanged, superseded, " \
	"cessationOfOperation, privilegeWithdrawn, cACompromise or aACompromise"

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'s', "serial", "a serial number in hexadecimal", false},
		{'u', "user", CLI_USER_FORM, false},
		{'d', "device", CLI_DEVICE_FORM, false},
		{'r', "reason", REASONS, false},
		{'y', "yes", NULL, false},
	};
	struct request request = {.reason = REVOKED_UNSPECIFIED};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	if (request.chosen != 1)
		return cli_wrong(self, "one of --serial, --device and --user is needed");
	return revoke(config_file, &request);
}

const struct command command_revoke = {"revoke",
	"--serial HEX | --device DEVICE | --user USER [--reason REASON] [--yes]",
	"Revokes certificates; certprov crl says so at once, the web server's /ca.crl in 5 s",
	"  --serial HEX      the certificate with that serial number, in any state\n"
	"  --device DEVICE   the active ones of that device alone: signing\n"
	"  --user USER       the active ones of that user, on all devices\n"
	"  --reason REASON   unspecified (the default), keyCompromise, affiliationChanged,\n"
	"                    superseded, cessationOfOperation, privilegeWithdrawn,\n"
	"                    cACompromise, aACompromise\n"
	"  --yes             no question; without a terminal there is none anyway\n"
	"USER is a UUID, user name or mail address, DEVICE a UUID or friendly name.\n"
	"Prints a line for each: usage, serial number, owner.\n",
	run};
