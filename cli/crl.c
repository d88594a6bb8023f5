#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
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

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
		{"output", required_argument, NULL, 'o'}, {"pem", no_argument, NULL, 'p'},
		{"usage", required_argument, NULL, 'u'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *output = NULL;
	bool pem = false;
	int option, usage = USAGE_SIGNING;

	while ((option = getopt_long(argc, argv, "c:o:h", names, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'o')
			output = optarg;
		else if (option == 'p')
			pem = true;
		else if (option == 'u')
			usage = kind_find(usage_names, USAGE_COUNT, optarg);
		else
			return cli_usage(self, option == 'h');
	}
	if (optind != argc || usage < 0)
		return cli_usage(self, false);
	return crl(config_file, (enum usage)usage, output, pem);
}

const struct command command_crl = {"crl", "[--output FILE] [--pem] [--usage USAGE]",
	"Writes the local CA's certificate revocation list",
	"  -o, --output FILE   into that file, which is replaced in one step\n"
	"  --pem               PEM instead of DER\n"
	"  --usage USAGE       of the local CA for signing or encryption, where there are two\n",
	run};
