#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
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

struct request {
	struct provider_init what;
	int key;
};

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;
	struct name name;

	if (key == 's') {
		request->what.subject = value;
		return name_build(value, NULL, NULL, &name, e) ? ERR_USAGE : ERR_OK;
	}
	if (token_is_url(value))
		request->what.key_url = value;
	else
		request->key = vocabulary_find(key_type_names, KEY_TYPE_COUNT, value);
	return request->key < 0 ? ERR_USAGE : ERR_OK;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'s', "subject", "a name such as \"CN=Example CA,O=Example\"", false},
		{'k', "key", "rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384 or a pkcs11: URL",
			false},
	};
	struct request request = {{.subject = DEFAULT_SUBJECT}, .key = KEY_RSA_3072};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);
	struct config *config = NULL;
	struct error e;
	enum err err;

	if (status != CLI_GO_ON)
		return status;
	request.what.key = (enum key_type)request.key;
	err = cli_load(config_file, &config, &e);
	if (!err)
		err = provider_init(config, &request.what, print, NULL, &e);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

const struct command command_init = {"init", "[--subject DN] [--key TYPE|URL]",
	"Makes the store, its master key and a local CA, where the configuration names them",
	"  --subject DN   the CA's name (default: " DEFAULT_SUBJECT ")\n"
	"  --key TYPE     rsa-2048, rsa-3072 (default), rsa-4096, ec-p256 or ec-p384\n"
	"  --key URL      the pkcs11: URL in [ca] key: uses that key, or makes it in the token\n"
	"Existing files are kept.\n",
	run};
