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

static const struct command *const commands[] = {&command_init, &command_check, &command_config,
	&command_enroll, &command_deliver, &command_renew, &command_unenroll, &command_revoke,
	&command_crl, &command_recover, &command_rekey, &command_status, &command_list};

static int usage(FILE *out, int status)
{
	fputs("Usage: certprov [-c FILE] COMMAND [OPTION...]\n\n"
	      "Gives enrolled devices their users' S/MIME certificates through the Escrow "
	      "Gateway.\n\nCommands:\n",
		out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
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

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* None of the commands: two words are options, too; all else is wrong. */
static int other_word(const char *name)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(name);
	char hint[DID_YOU_MEAN_TEXT_SIZE];

	if (strcmp(name, "help") == 0)
		return usage(stdout, 0);
	if (strcmp(name, "version") == 0)
		return version();
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		did_you_mean_try(&nearest, commands[i]->name);
	fprintf(stderr, "certprov: there is no command \"%s\"; certprov --help lists them%s\n",
		name, did_you_mean_text(&nearest, hint));
	return error_meaning(ERR_USAGE)->exit_status;
}

/* One run has one id, in the log and in the audit trail. */
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

/* A list that the disk had no room for is no list, and its reader must get to know. */
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
	const char *config_file = NULL;
	const struct command *command;
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
			config_file = optarg;
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
	command = find_command(argv[optind]);
	if (!command)
		return other_word(argv[optind]);
	if (set_request(&e) || watchdog_init(EX_TEMPFAIL, last_words, &e))
		return cli_fail(&e);
	argc -= optind;
	argv += optind;
	optind = 0; /* glibc: begin anew, for the command's own options */
	return finish(command->run(command, config_file, argc, argv));
}
