#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/error.h"
#include "cli/commands.h"
#include "config/config.h"
#include "store/store.h"

/* Shared by the commands. */

/* Prints "certprov: text" to standard error; returns the code's exit status. */
int cli_fail(const struct error *e);

/* Says what is wrong with the command line, and where to read on. Returns the exit status. */
int cli_wrong(const struct command *command, const char *fmt, ...) printf_like(2, 3);

/* Loads the configuration. The log goes to standard error, errors only. */
enum err cli_load(const char *config_file, struct config **out, struct error *e) must_check;

/* Opens the store, too. On failure neither is left. */
enum err cli_open_store(const char *config_file, struct config **config, struct store **store,
	struct error *e) must_check;

#endif
