#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>

#include "base/error.h"
#include "cli/cli.h"

/* The options of a command. --config and --help are every command's, and not in its table. */

struct cli_option {
	char key; /* for set() */
	const char *name;
	const char *form; /* "a time such as 30d": what is needed there; NULL: it takes no value */
	bool brief;	  /* -k does, too */
};

struct cli_options {
	const struct cli_option *option;
	size_t count;
	/*
	 * Takes over an option; value is NULL where it has none. ERR_USAGE: the value is wrong. e
	 * says why, or has no text: then it is not of the option's form.
	 */
	enum err (*set)(void *ctx, int key, const char *value, struct error *e);
	void *ctx;
	const char *operand; /* "the name of a file": one is needed; NULL: there is none */
};

#define CLI_GO_ON (-1)

/*
 * Reads the options; the operand is then argv[optind]. Returns CLI_GO_ON, or the exit status: help
 * was asked for and is printed, or standard error says which option or value is wrong, and what
 * would be right.
 */
int cli_options(const struct command *command, const struct cli_options *options, int argc,
	char **argv, const char **config_file) must_check;

/* Says what is wrong with the command line, and where to read on. Returns the exit status. */
int cli_wrong(const struct command *command, const char *fmt, ...) printf_like(2, 3);

/* A time ahead, for options in days. Under an hour is refused: "m" is taken for months. */
#define CLI_AHEAD_FORM "a time such as 30d or 12h"
enum err cli_ahead(const char *text, int64_t *seconds, struct error *e) must_check;

#endif
