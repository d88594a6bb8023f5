/* certprov revoke: revokes certificates by serial number, device or user. */

#include <stdio.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "provider/revoke_by_hand.h"

struct request {
	char serial[STORE_SERIAL_SIZE];
	struct names names;
	int reason;
	bool yes;      /* no question */
	bool declined; /* the answer was no */
};

/* Scripts and timers have no terminal to be asked at; they mean what they say. */
static bool confirm(void *ctx, size_t count)
{
	struct request *request = ctx;
	bool user = request->names.user;
	char question[160];

	snprintf(question, sizeof(question),
		"Revoke %zu certificate%s of %s %s? That cannot be undone.", count,
		count == 1 ? "" : "s", user ? "user" : "device",
		user ? request->names.user_uuid : request->names.device_uuid);
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
		.user_uuid = request->names.user_uuid,
		.device_uuid = request->names.device_uuid,
		.reason = (enum revocation_reason)request->reason,
		.confirm = ask ? confirm : NULL,
		.report = report,
		.ctx = request,
	};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = names_find(config, &request->names, &e);
	if (!err)
		err = provider_revoke(config, &options, &e);
	config_free(config);
	if (request->declined)
		fputs("certprov: nothing was revoked\n", stderr);
	return err ? cli_fail(&e) : request->declined;
}

static enum err set_reason(void *field, const char *value, struct error *e)
{
	int *reason = field;
	int found = vocabulary_find(revocation_reason_names, REVOCATION_REASON_COUNT, value);

	(void)e;
	if (found < 0)
		return ERR_USAGE;
	*reason = found;
	return ERR_OK;
}

static int run(struct call *call)
{
	struct request request = {.reason = REVOKED_UNSPECIFIED};
	int status = options_read(call, &request);

	if (status != OPTIONS_DONE)
		return status;
	if (!!*request.serial + !!request.names.user + !!request.names.device != 1)
		return cli_wrong(call->command, "one of --serial, --device and --user is needed");
	return revoke(call->config_file, &request);
}

static const struct option_kind reason = {
	"unspecified, keyCompromise, affiliationChanged, superseded, "
	"cessationOfOperation, privilegeWithdrawn, cACompromise or aACompromise",
	set_reason};

static const struct option_row options[] = {
	{"serial", '\0', &option_serial, offsetof(struct request, serial), "HEX",
		"the certificate with that serial number, in any state"},
	{"device", '\0', &option_device, offsetof(struct request, names.device), "DEVICE",
		"the active ones of that device alone: signing"},
	{"user", '\0', &option_user, offsetof(struct request, names.user), "USER",
		"the active ones of that user, on all devices"},
	{"reason", '\0', &reason, offsetof(struct request, reason), "REASON",
		"unspecified (the default), keyCompromise, affiliationChanged,\n"
		"superseded, cessationOfOperation, privilegeWithdrawn,\n"
		"cACompromise, aACompromise"},
	{"yes", '\0', &option_flag, offsetof(struct request, yes), NULL,
		"no question; without a terminal there is none anyway"},
	{.name = NULL},
};

const struct command command_revoke = {
	.name = "revoke",
	.arguments = "--serial HEX | --device DEVICE | --user USER [--reason REASON] [--yes]",
	.summary = "Revokes certificates; certprov crl says so at once, the web server's /ca.crl "
		   "in 5 s",
	.options = options,
	.once = true,
	.notes = "USER is a UUID, user name or mail address, DEVICE a UUID or friendly name.\n"
		 "Prints a line for each: usage, serial number, owner.\n",
	.run = run,
};
