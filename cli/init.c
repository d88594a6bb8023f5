/* certprov init: the first set-up of the embedded default. */

#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "pki/name.h"
#include "pki/token.h"
#include "provider/init.h"

#define DEFAULT_SUBJECT "CN=Certificate Provider CA"

static void print(void *ctx, const char *what, enum err err, bool warning, const char *text)
{
	(void)ctx;
	(void)warning;
	if (!err)
		printf("%s: %s\n", what, text);
}

struct request {
	const char *subject;
	int key;
	const char *key_url;
};

static enum err set_subject(void *field, const char *value, struct error *e)
{
	struct name name;

	if (name_build(value, NULL, NULL, &name, e))
		return ERR_USAGE;
	return option_set_text(field, value, e);
}

/* field: the request, as there are two places for a key. */
static enum err set_key(void *field, const char *value, struct error *e)
{
	struct request *request = field;
	int key = vocabulary_find(key_type_names, KEY_TYPE_COUNT, value);

	if (token_is_url(value))
		return option_set_text(&request->key_url, value, e);
	if (key < 0)
		return ERR_USAGE;
	request->key = key;
	return ERR_OK;
}

static int init(const char *config_file, const struct request *request)
{
	const struct provider_init what = {
		.subject = request->subject,
		.key = (enum key_type)request->key,
		.key_url = request->key_url,
	};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	if (!err)
		err = provider_init(config, &what, print, NULL, &e);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

static int run(struct call *call)
{
	struct request request = {.subject = DEFAULT_SUBJECT, .key = KEY_RSA_3072};
	int status = options_read(call, &request);

	return status == OPTIONS_DONE ? init(call->config_file, &request) : status;
}

static const struct option_kind subject = {
	"a name such as \"CN=Example CA,O=Example\"", set_subject};
static const struct option_kind key = {
	"rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384 or a pkcs11: URL", set_key};

static const struct option_row options[] = {
	{"subject", '\0', &subject, offsetof(struct request, subject), "DN",
		"the CA's name (default: " DEFAULT_SUBJECT ")"},
	{"key", '\0', &key, 0, "TYPE",
		"rsa-2048, rsa-3072 (default), rsa-4096, ec-p256 or ec-p384; or the\n"
		"pkcs11: URL in [ca] key: uses that key, or makes it in the token"},
	{.name = NULL},
};

const struct command command_init = {
	.name = "init",
	.arguments = "[--subject DN] [--key TYPE|URL]",
	.summary = "Makes the store, its master key and a local CA, where the configuration names "
		   "them",
	.options = options,
	.notes = "Existing files are kept.\n",
	.run = run,
};
