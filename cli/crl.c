/* certprov crl: writes the local CA's revocation list, for whoever publishes a copy of it. */

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "pki/crl.h"
#include "provider/crl.h"

#define PUBLIC_MODE 0644

/* DER would only upset a terminal. */
static enum err print(const struct blob *content, bool pem, struct error *e)
{
	if (!pem && isatty(STDOUT_FILENO))
		return error_set(e, ERR_USAGE,
			"DER is not printed on a terminal: use --pem, --output FILE or a pipe");
	if (fwrite(content->data, 1, content->len, stdout) != content->len || fflush(stdout))
		return error_errno(e, ERR_CONFIG, "standard output");
	return ERR_OK;
}

struct request {
	const char *output;
	bool pem;
	int usage;
};

static int crl(const char *config_file, const struct request *request)
{
	struct config *config = NULL;
	struct provider_crl crl = {.this_update = 0};
	struct blob text = {NULL, 0};
	const struct blob *content = request->pem ? &text : &crl.der;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = provider_crl_of(config, (enum usage)request->usage, &crl, &e);
	if (!err && request->pem)
		err = crl_to_pem(&crl.der, &text, &e);
	if (!err && request->output)
		err = file_replace(request->output, PUBLIC_MODE, content->data, content->len, &e);
	else if (!err)
		err = print(content, request->pem, &e);
	blob_free(&text);
	blob_free(&crl.der);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

static int run(struct call *call)
{
	struct request request = {.usage = USAGE_SIGNING};
	int status = options_read(call, &request);

	return status == OPTIONS_DONE ? crl(call->config_file, &request) : status;
}

static const struct option_row options[] = {
	{"output", 'o', &option_file, offsetof(struct request, output), "FILE",
		"into that file, which is replaced in one step"},
	{"pem", '\0', &option_flag, offsetof(struct request, pem), NULL, "PEM instead of DER"},
	{"usage", '\0', &option_usage, offsetof(struct request, usage), "USAGE",
		"of the local CA for signing or encryption, where there are two"},
	{.name = NULL},
};

const struct command command_crl = {
	.name = "crl",
	.arguments = "[--output FILE] [--pem] [--usage USAGE]",
	.summary = "Writes the local CA's certificate revocation list",
	.options = options,
	.run = run,
};
