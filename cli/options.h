#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>

#include "cli/commands.h"
#include "cli/option_kinds.h"

/* An option of a command. --config and --help are every command's, and not in its table. */
struct option_row {
	const char *name;
	char letter; /* -o is the same; '\0': there is none */
	const struct option_kind *kind;
	size_t field;	      /* its offset in the command's request */
	const char *argument; /* for --help: "FILE"; NULL: it takes no value */
	const char *help;     /* may have several lines */
};

#define OPTIONS_DONE (-1)

/*
 * Reads the options into the command's request, and the operand into call->operand. Returns
 * OPTIONS_DONE, or the exit status: help was asked for and is printed, or standard error says which
 * option or value is wrong, and what would be right.
 */
int options_read(struct call *call, void *request) must_check;

#endif
