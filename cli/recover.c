/* certprov recover: key recovery, a user's encryption keys as PKCS#12. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "provider/recover.h"

#define REASON_MAX 500

struct request {
	struct names names;
	char serial[STORE_SERIAL_SIZE]; /* "": all */
	const char *output, *reason, *password_file;
	enum pkcs12_profile form;
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

static int recover(const char *config_file, struct request *request)
{
	struct recover_options options = {
		.serial = request->serial,
		.output = request->output,
		.password_file = request->password_file,
		.reason = request->reason,
		.form = request->form,
		.report = report,
	};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = names_find(config, &request->names, &e);
	options.user_uuid = request->names.user_uuid;
	if (!err)
		err = provider_recover(config, &options, &e);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

static enum err set_given(void *field, const char *value, struct error *e)
{
	return *value ? option_set_text(field, value, e) : ERR_USAGE;
}

/* It may be read years later: one line, without control characters. */
static enum err set_reason(void *field, const char *value, struct error *e)
{
	bool good = strlen(value) <= REASON_MAX && !utf8_has_control(value) &&
		    strspn(value, " ") < strlen(value);

	return good ? option_set_text(field, value, e) : ERR_USAGE;
}

static enum err set_form(void *field, const char *value, struct error *e)
{
	enum pkcs12_profile *form = field;
	bool legacy = strcmp(value, "legacy") == 0;

	(void)e;
	if (!legacy && strcmp(value, "modern") != 0)
		return ERR_USAGE;
	*form = legacy ? PKCS12_LEGACY : PKCS12_MODERN;
	return ERR_OK;
}

static int run(struct call *call)
{
	struct request request = {.form = PKCS12_MODERN};
	int status = options_read(call, &request);

	if (status != OPTIONS_DONE)
		return status;
	if (!request.names.user)
		return cli_wrong(call->command, "--user is needed");
	if (!request.output)
		return cli_wrong(call->command, "--output is needed");
	if (!request.reason)
		return cli_wrong(call->command, "--reason is needed");
	return recover(call->config_file, &request);
}

static const struct option_kind user = {"a UUID, user name or mail address", set_given};
static const struct option_kind new_file = {"the name of a new file", set_given};
static const struct option_kind password_file = {"the name of a file", set_given};
static const struct option_kind reason = {"at most 500 bytes of UTF-8, in one line,", set_reason};
static const struct option_kind form = {"modern or legacy", set_form};

static const struct option_row options[] = {
	{"user", '\0', &user, offsetof(struct request, names.user), "USER",
		"whose (UUID, user name or mail address): all that the user\n"
		"has had, newest first"},
	{"output", 'o', &new_file, offsetof(struct request, output), "FILE",
		"a new file of mode 0600; never overwrites"},
	{"reason", '\0', &reason, offsetof(struct request, reason), "TEXT",
		"why; at most 500 bytes of UTF-8 in one line"},
	{"serial", '\0', &option_serial, offsetof(struct request, serial), "HEX",
		"the encryption certificate with that serial number alone"},
	{"password-file", '\0', &password_file, offsetof(struct request, password_file), "FILE",
		"the file's password is that file's first line (default:\n"
		"that of [escrow] pkcs12-password-file)"},
	{"pkcs12", '\0', &form, offsetof(struct request, form), "FORM",
		"modern (AES-256, 100,000 iterations or more; the default) or\n"
		"legacy (3DES), for programs that read nothing else"},
	{.name = NULL},
};

const struct command command_recover = {
	.name = "recover",
	.arguments = "--user USER --output FILE --reason TEXT [OPTION...]",
	.summary = "Key recovery: writes a user's encryption keys and certificates as PKCS#12",
	.options = options,
	.once = true,
	.notes = "Prints a line for each certificate: serial number, validity, mail address, "
		 "state.\nSigning keys are never recovered.\n",
	.run = run,
};
