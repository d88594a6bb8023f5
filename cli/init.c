#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "pki/name.h"
#include "pki/token.h"
#include "provider/provider.h"

#define DEFAULT_SUBJECT "CN=Certificate Provider CA"

static void print(void *ctx, const char *what, enum err err, bool warning, const char *text)
{
	(void)ctx;
	(void)warning;
	if (!err)
		printf("%s: %s\n", what, text);
}

static enum err check_subject(const char *subject, struct error *e)
{
	struct name name;
	struct error why;

	if (name_build(subject, NULL, NULL, &name, &why))
		return error_set(e, ERR_USAGE, "--subject: %s", why.text);
	return ERR_OK;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"subject", required_argument, NULL, 's'}, {"key", required_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'}, {0}};
	struct provider_init what = {.subject = DEFAULT_SUBJECT};
	struct config *config = NULL;
	int option, key = KEY_RSA_3072;
	struct error e;
	enum err err;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 's')
			what.subject = optarg;
		else if (option == 'k' && token_is_url(optarg))
			what.key_url = optarg;
		else if (option == 'k')
			key = kind_find(key_type_names, KEY_TYPE_COUNT, optarg);
		else
			return cli_usage(self, option == 'h');
	}
	if (optind != argc || key < 0)
		return cli_usage(self, false);
	what.key = (enum key_type)key;
	err = check_subject(what.subject, &e);
	if (!err)
		err = cli_load(config_file, &config, &e);
	if (!err)
		err = provider_init(config, &what, print, NULL, &e);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

const struct command command_init = {"init", "[--subject DN] [--key TYPE|URL]",
	"Makes the store, its master key and a local CA, where the configuration names them",
	"  --subject DN   the CA's name (default: " DEFAULT_SUBJECT ")\n"
	"  --key TYPE     rsa-2048, rsa-3072 (default), rsa-4096, ec-p256 or ec-p384\n"
	"  --key URL      the pkcs11: URL in [ca] key: uses that key, or makes it in the token\n"
	"What is there already is kept.\n",
	run};
