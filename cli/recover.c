#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "provider/provider.h"

#define REASON_MAX 500

struct request {
	char user[UUID_SIZE];
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

static int recover(const char *config_file, const struct request *request)
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

/* Given twice, it is not clear which one is meant. */
static bool set_once(const char **member, const char *value)
{
	bool first = !*member;

	*member = value;
	return first && *value;
}

static bool set_option(struct request *request, int option, const char *value)
{
	switch (option) {
	case 'u':
		return !*request->user && text_uuid(value, request->user);
	case 's':
		return !*request->serial && cli_serial(value, request->serial);
	case 'o':
		return set_once(&request->output, value);
	case 'p':
		return set_once(&request->password_file, value);
	case 'f':
		return set_once(&request->form, value) &&
		       (is_legacy(request) || strcmp(value, "modern") == 0);
	default:
		return set_once(&request->reason, value) && is_reason(value);
	}
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
		{"user", required_argument, NULL, 'u'}, {"serial", required_argument, NULL, 's'},
		{"output", required_argument, NULL, 'o'}, {"reason", required_argument, NULL, 'r'},
		{"password-file", required_argument, NULL, 'p'},
		{"pkcs12", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct request request = {.output = NULL};
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "c:o:h", names, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'h' || option == '?')
			return cli_usage(self, option == 'h');
		else
			good = set_option(&request, option, optarg);
	}
	if (!good || optind != argc || !*request.user || !request.output || !request.reason)
		return cli_usage(self, false);
	return recover(config_file, &request);
}

const struct command command_recover = {"recover",
	"--user UUID --output FILE --reason TEXT [OPTION...]",
	"Key recovery: writes a user's encryption keys and certificates as PKCS#12",
	"  --user UUID            whose: all that the user has had, newest first\n"
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
