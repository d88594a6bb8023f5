#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "provider/provider.h"

#define REASON_MAX 500

struct request {
	struct cli_names names;
	char user[UUID_SIZE], device[UUID_SIZE];
	char serial[STORE_SERIAL_SIZE]; /* "": all */
	const char *output, *reason, *password_file, *form;
};

static void report(void *ctx, const struct credential *credential)
{
	char not_before[CLOCK_RFC3339_SIZE], not_after[CLOCK_RFC3339_SIZE];

	(void)ctx;
	clock_rfc3339(credential->not_before, not_before);
	clock_rfc3339(credential->not_after, not_after);
	printf("%s %s %s %s %s\n", credential->serial, not_before, not_after, credential->mail,
		credential_state_names[credential->state]);
}

static bool is_legacy(const struct request *request)
{
	return request->form && strcmp(request->form, "legacy") == 0;
}

static int recover(const char *config_file, struct request *request)
{
	const struct recover_options options = {
		.user_uuid = request->user,
		.serial = request->serial,
		.output = request->output,
		.password_file = request->password_file,
		.reason = request->reason,
		.form = is_legacy(request) ? PKCS12_LEGACY : PKCS12_MODERN,
		.report = report,
	};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = cli_names_find(config, &request->names, request->user, request->device, &e);
	if (!err)
		err = provider_recover(config, &options, &e);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

/* Somebody will read it years later: in one line, and with nothing in it that hides. */
static bool is_reason(const char *text)
{
	return strlen(text) <= REASON_MAX && !utf8_has_control(text) &&
	       strspn(text, " ") < strlen(text);
}

static bool set_form(struct request *request, const char *value)
{
	request->form = value;
	return is_legacy(request) || strcmp(value, "modern") == 0;
}

static bool was_set(const struct request *request, int key)
{
	switch (key) {
	case 'u':
		return request->names.user;
	case 's':
		return *request->serial;
	case 'o':
		return request->output;
	case 'p':
		return request->password_file;
	case 'f':
		return request->form;
	default:
		return request->reason;
	}
}

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;
	bool good = *value;

	if (was_set(request, key))
		return error_set(e, ERR_USAGE, "given twice, it is not clear which one is meant");
	if (key == 'u')
		request->names.user = value;
	else if (key == 's')
		good = cli_serial(value, request->serial);
	else if (key == 'o')
		request->output = value;
	else if (key == 'p')
		request->password_file = value;
	else if (key == 'f')
		good = set_form(request, value);
	else
		good = is_reason(request->reason = value);
	return good ? ERR_OK : ERR_USAGE;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'u', "user", CLI_USER_FORM, false},
		{'s', "serial", "a serial number in hexadecimal", false},
		{'o', "output", "the name of a new file", true},
		{'r', "reason", "at most 500 bytes of UTF-8, in one line,", false},
		{'p', "password-file", "the name of a file", false},
		{'f', "pkcs12", "modern or legacy", false},
	};
	struct request request = {.output = NULL};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	if (!request.names.user)
		return cli_wrong(self, "--user is needed");
	if (!request.output)
		return cli_wrong(self, "--output is needed");
	if (!request.reason)
		return cli_wrong(self, "--reason is needed");
	return recover(config_file, &request);
}

const struct command command_recover = {"recover",
	"--user USER --output FILE --reason TEXT [OPTION...]",
	"Key recovery: writes a user's encryption keys and certificates as PKCS#12",
	"  --user USER            whose (UUID, user name or mail address): all that the user\n"
	"                         has had, newest first\n"
	"  -o, --output FILE      a new file of mode 0600; never overwrites\n"
	"  --reason TEXT          why; at most 500 bytes of UTF-8 in one line\n"
	"  --serial HEX           the encryption certificate with that serial number alone\n"
	"  --password-file FILE   the file's password is that file's first line (default:\n"
	"                         that of [escrow] pkcs12-password-file)\n"
	"  --pkcs12 FORM          modern (AES-256, 100,000 iterations or more; the default) or\n"
	"                         legacy (3DES), for programs that read nothing else\n"
	"Prints a line for each certificate: serial number, validity, mail address, state.\n"
	"Signing keys are never recovered.\n",
	run};
