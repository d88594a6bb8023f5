#include <getopt.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/cli.h"
#include "provider/provider.h"

/* What is asked for, in the store's own form. */
struct request {
	char serial[STORE_SERIAL_SIZE];
	char user[UUID_SIZE], device[UUID_SIZE];
	int chosen; /* how many of them were given */
	int reason;
};

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

static int revoke(const char *config_file, const struct request *request)
{
	const struct revoke_options options = {
		.serial = request->serial,
		.user_uuid = request->user,
		.device_uuid = request->device,
		.reason = (enum revocation_reason)request->reason,
		.report = report,
	};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = provider_revoke(config, &options, &e);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

static bool set_reason(struct request *request, const char *name)
{
	request->reason = kind_find(revocation_reason_names, REVOCATION_REASON_COUNT, name);
	return request->reason >= 0;
}

static bool set_option(struct request *request, int option, const char *value)
{
	switch (option) {
	case 's':
		request->chosen++;
		return cli_serial(value, request->serial);
	case 'u':
		request->chosen++;
		return text_uuid(value, request->user);
	case 'd':
		request->chosen++;
		return text_uuid(value, request->device);
	default:
		return set_reason(request, value);
	}
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
		{"serial", required_argument, NULL, 's'}, {"user", required_argument, NULL, 'u'},
		{"device", required_argument, NULL, 'd'}, {"reason", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'}, {0}};
	struct request request = {.reason = REVOKED_UNSPECIFIED};
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "c:h", names, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'h' || option == '?')
			return cli_usage(self, option == 'h');
		else
			good = set_option(&request, option, optarg);
	}
	if (!good || optind != argc || request.chosen != 1)
		return cli_usage(self, false);
	return revoke(config_file, &request);
}

const struct command command_revoke = {"revoke",
	"--serial HEX | --device UUID | --user UUID [--reason REASON]",
	"Revokes certificates; certprov crl and the web server's /ca.crl say so at once",
	"  --serial HEX      the certificate with that serial number, in whatever state\n"
	"  --device UUID     the active ones of that device alone: signing\n"
	"  --user UUID       the active ones of that user, on all his devices\n"
	"  --reason REASON   unspecified (the default), keyCompromise, affiliationChanged,\n"
	"                    superseded, cessationOfOperation, privilegeWithdrawn,\n"
	"                    cACompromise, aACompromise\n"
	"Prints a line for each: usage, serial number, whose.\n",
	run};
