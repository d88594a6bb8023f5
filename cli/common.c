#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"

int cli_fail(const struct error *e)
{
	fprintf(stderr, "certprov: %s\n", e->text);
	return error_meaning(e->code)->exit_status;
}

int cli_usage(const struct command *command, bool asked)
{
	fprintf(asked ? stdout : stderr, "Usage: certprov [-c FILE] %s %s\n\n%s.\n\n%s",
		command->name, command->arguments, command->summary, command->options);
	return asked ? 0 : error_meaning(ERR_USAGE)->exit_status;
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

/* Ours has whole octets, and no zero octet first. */
bool cli_serial(const char *text, char out[STORE_SERIAL_SIZE])
{
	unsigned char octets[(STORE_SERIAL_SIZE - 1) / 2];
	char digits[STORE_SERIAL_SIZE + 1] = "0";
	size_t len = 0, first = 0;

	for (; *text; text++) {
		if (*text == ':' || (len == 0 && *text == '0'))
			continue;
		if (len == STORE_SERIAL_SIZE - 1)
			return false;
		digits[1 + len++] = *text;
	}
	first = len % 2 == 0; /* an odd number of digits keeps the zero before them */
	len = strlen(digits + first) / 2;
	if (len == 0 || !text_unhex(digits + first, octets, len))
		return false;
	text_hex(octets, len, out);
	return true;
}
