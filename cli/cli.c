/* What the commands share: their errors, and the way to configuration and store. */

#include "cli/cli.h"

#include <stdio.h>

#include "base/log.h"

int cli_fail(const struct error *e)
{
	fprintf(stderr, "certprov: %s\n", e->text);
	return error_meaning(e->code)->exit_status;
}

int cli_wrong(const struct command *command, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "certprov %s: ", command->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\nSee: certprov %s --help\n", command->name);
	return error_meaning(ERR_USAGE)->exit_status;
}

enum err cli_load(const char *config_file, struct config **out, struct error *e)
{
	enum err err = config_load(config_path(config_file), out, e);

	if (!err)
		log_open("certprov", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	return err;
}

enum err cli_open_store(
	const char *config_file, struct config **config, struct store **store, struct error *e)
{
	struct config *loaded = NULL;
	enum err err = cli_load(config_file, &loaded, e);

	if (!err)
		err = store_open(loaded, store, e);
	if (err)
		config_free(loaded);
	else
		*config = loaded;
	return err;
}
