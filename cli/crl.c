#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "pki/crl.h"
#include "provider/provider.h"

#define PUBLIC_MODE 0644

/* Where it goes to a terminal, octets would only disturb it. */
static enum err print(const struct blob *content, bool pem, struct error *e)
{
	if (!pem && isatty(STDOUT_FILENO))
		return error_set(e, ERR_USAGE,
			"DER is not printed on a terminal: say --pem, --output FILE, or pipe it");
	if (fwrite(content->data, 1, content->len, stdout) != content->len || fflush(stdout))
		return error_errno(e, ERR_CONFIG, "standard output");
	return ERR_OK;
}

static enum err write_out(const struct blob *content, const char *output, bool pem, struct error *e)
{
	return output ? file_replace(output, PUBLIC_MODE, content->data, content->len, e)
		      : print(content, pem, e);
}

static int crl(const char *config_file, enum usage usage, const char *output, bool pem)
{
	struct config *config = NULL;
	struct provider_crl crl = {.this_update = 0};
	struct blob text = {NULL, 0};
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = provider_crl_of(config, usage, &crl, &e);
	if (!err && pem)
		err = crl_to_pem(&crl.der, &text, &e);
	if (!err)
		err = write_out(pem ? &text : &crl.der, output, pem, &e);
	blob_free(&text);
	blob_free(&crl.der);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

struct request {
	const char *output;
	bool pem;
	int usage;
};

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;

	(void)e;
	if (key == 'o')
		request->output = value;
	else if (key == 'p')
		request->pem = true;
	else
		request->usage = vocabulary_find(usage_names, USAGE_COUNT, value);
	return request->usage < 0 ? ERR_USAGE : ERR_OK;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'o', "output", "the name of a file", true},
		{'p', "pem", NULL, false},
		{'u', "usage", "signing or encryption", false},
	};
	struct request request = {.usage = USAGE_SIGNING};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	return crl(config_file, (enum usage)request.usage, request.output, request.pem);
}

const struct command command_crl = {"crl", "[--output FILE] [--pem] [--usage USAGE]",
	"Writes the local CA's certificate revocation list",
	"  -o, --output FILE   into that file, which is replaced in one step\n"
	"  --pem               PEM instead of DER\n"
	"  --usage USAGE       of the local CA for signing or encryption, where there are two\n",
	run};
