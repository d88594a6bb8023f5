#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

/* One subcommand: a row of the table in main.c, a file in this folder. */
struct command {
	const char *name;
	const char *arguments; /* after "certprov NAME " */
	const char *summary;
	const char *options; /* for --help, a line each */
	/* Returns the exit status; argv[0] is the command's name. config_file may be NULL. */
	int (*run)(const struct command *self, const char *config_file, int argc, char **argv);
};

extern const struct command command_init, command_check, command_enroll, command_deliver,
	command_status, command_list, command_revoke, command_crl, command_recover, command_rekey,
	command_renew, command_config, command_unenroll;

/* Prints "certprov: text" to standard error; returns the code's exit status. */
int cli_fail(const struct error *e);

/* Prints how the command is used, to standard output for --help and else to standard error. */
int cli_usage(const struct command *command, bool asked);

/* Loads the configuration. The log goes to standard error, errors only: a person sits there. */
enum err cli_load(const char *config_file, struct config **out, struct error *e) must_check;

/* The same, and the store. Neither is there on failure. */
enum err cli_open_store(const char *config_file, struct config **config, struct store **store,
	struct error *e) must_check;

/*
 * A serial number in the store's form, from the forms that people copy from elsewhere: in
 * either case, with colons, with a zero before it. False, and out untouched, if it is none.
 */
bool cli_serial(const char *text, char out[STORE_SERIAL_SIZE]);

#endif
