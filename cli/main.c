/* certprov, the administrator's command line: sets up the process and runs one command. */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/did_you_mean.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/watchdog.h"
#include "cli/cli.h"

static int usage(FILE *out, int status)
{
	fputs("Usage: certprov [-c FILE] COMMAND [OPTION...]\n\n"
	      "Gives enrolled devices their users' S/MIME certificates through the Escrow "
	      "Gateway.\n\nCommands:\n",
		out);
	commands_print(out);
	fputs("\nOptions:\n"
	      "  -c, --config FILE   configuration (default: $CERTPROV_CONFIG "
	      "or " CERTPROV_CONFIG_FILE ")\n"
	      "  -h, --help          this text; certprov COMMAND --help: that command's\n"
	      "  -V, --version       the version\n",
		out);
	return status;
}

static int version(void)
{
	puts("certprov " PACKAGE_VERSION);
	return 0;
}

/* "help" and "version" are no commands, but do what the options do; any other word is an error. */
static int other_word(const char *name)
{
	char hint[DID_YOU_MEAN_TEXT_SIZE];

	if (strcmp(name, "help") == 0)
		return usage(stdout, 0);
	if (strcmp(name, "version") == 0)
		return version();
	fprintf(stderr, "certprov: there is no command \"%s\"; certprov --help lists them%s\n",
		name, commands_near(name, hint));
	return error_meaning(ERR_USAGE)->exit_status;
}

/* A run has one id, in the log and in the audit trail. */
static enum err set_request(struct error *e)
{
	unsigned char random[16];
	char id[2 * sizeof(random) + 1];
	enum err err = secret_random(random, sizeof(random), e);

	if (err)
		return err;
	text_hex(random, sizeof(random), id);
	log_set_request(id);
	return ERR_OK;
}

/* A list that did not fit on the disk is not whole: the exit status says so. */
static int finish(int status)
{
	struct error e;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)error_set(&e, ERR_INTERNAL, "standard output could not take all of it");
	return status ? status : cli_fail(&e);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
	static const char last_words[] =
		"certprov: a peer kept us busy long past its deadline, and we gave up; what is not "
		"done stays pending\n";
	struct call call = {.config_file = NULL};
	struct error e;
	int option;

	secret_harden_process();
	umask(077);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error like a full disk */
	log_open("certprov", &(struct log_settings){.level = LOG_LEVEL_WARNING});
	if (environment_clean(argv, &e))
		return cli_fail(&e);
	while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			call.config_file = optarg;
			break;
		case 'h':
			return usage(stdout, 0);
		case 'V':
			return version();
		default:
			return usage(stderr, 2);
		}
	}
	if (optind == argc)
		return usage(stderr, 2);
	call.command = commands_find(argv[optind]);
	if (!call.command)
		return other_word(argv[optind]);
	if (set_request(&e) || watchdog_init(EX_TEMPFAIL, last_words, &e))
		return cli_fail(&e);
	call.argc = argc - optind;
	call.argv = argv + optind;
	optind = 0; /* glibc: begin anew, for the command's own options */
	return finish(call.command->run(&call));
}
