#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

struct call;
struct option_row;

/* A subcommand: a row of COMMANDS, a file in this folder. */
struct command {
	const char *name;
	const char *arguments; /* for --help, after "certprov NAME " */
	const char *summary;
	const char *notes;		  /* for --help, behind the options; or NULL */
	const struct option_row *options; /* up to a row without a name; NULL: none of its own */
	bool once;			  /* an option that is given twice is an error */
	const char *operand; /* "the name of a file": one is needed; NULL: there is none */
	int (*run)(struct call *call); /* returns the exit status */
};

/* One run of a command. */
struct call {
	const struct command *command;
	const char *config_file; /* NULL: the default */
	int argc;
	char **argv;	     /* argv[0] is the command's name */
	const char *operand; /* after options_read() */
};

/* In the order of --help. */
#define COMMANDS(ROW)  \
	ROW(init)      \
	ROW(check)     \
	ROW(config)    \
	ROW(enroll)    \
	ROW(deliver)   \
	ROW(renew)     \
	ROW(reconcile) \
	ROW(unenroll)  \
	ROW(revoke)    \
	ROW(crl)       \
	ROW(recover)   \
	ROW(rekey)     \
	ROW(status)    \
	ROW(list)

#define DECLARE(name) extern const struct command command_##name;
COMMANDS(DECLARE)
#undef DECLARE

/* NULL: there is no such command. */
const struct command *commands_find(const char *name);

/* ": did you mean NAME?", or "" if no command is near. Returns out, of DID_YOU_MEAN_TEXT_SIZE. */
const char *commands_near(const char *name, char *out);

/* A line for each: its name, and what it does. */
void commands_print(FILE *out);

#endif
