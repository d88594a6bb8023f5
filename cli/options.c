/* Reads the options of the commands, and says which one is wrong and what would be right. */

#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/did_you_mean.h"
#include "base/text.h"
#include "cli/table.h"

#define OPTIONS_MAX 16
#define AHEAD_MAX (3650LL * 86400)
#define AHEAD_MIN 3600

static const struct cli_option common[] = {
	{'c', "config", "the name of a file", true},
	{'h', "help", NULL, true},
};

/* The command's own, then those that all commands have. */
static const struct cli_option *option_at(const struct cli_options *options, size_t i)
{
	if (i < options->count)
		return &options->option[i];
	i -= options->count;
	return i < ARRAY_LEN(common) ? &common[i] : NULL;
}

static const struct cli_option *option_of(const struct cli_options *options, int key)
{
	const struct cli_option *option;

	for (size_t i = 0; (option = option_at(options, i)); i++)
		if (option->key == key)
			return option;
	return NULL;
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

/* The options for getopt_long(): the leading ":" leaves messages to us. */
static void describe(const struct cli_options *options, struct option *names, char *brief)
{
	const struct cli_option *option;

	*brief++ = ':';
	for (size_t i = 0; i < OPTIONS_MAX && (option = option_at(options, i)); i++) {
		*names++ = (struct option){option->name,
			option->form ? required_argument : no_argument, NULL, option->key};
		if (!option->brief)
			continue;
		*brief++ = option->key;
		if (option->form)
			*brief++ = ':';
	}
	*names = (struct option){NULL, 0, NULL, 0};
	*brief = '\0';
}

/* Is there none of that name, or are there several that begin so? */
static int unknown(
	const struct command *command, const struct cli_options *options, const char *arg)
{
	size_t len = strcspn(arg, "="), alike = 0;
	const struct cli_option *option;
	char word[64], hint[DID_YOU_MEAN_TEXT_SIZE];
	struct did_you_mean nearest;

	snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	nearest = (struct did_you_mean)DID_YOU_MEAN_INIT(word + strspn(word, "-"));
	for (size_t i = 0; (option = option_at(options, i)); i++) {
		alike += strlen(word) > 2 && strncmp(option->name, word + 2, strlen(word + 2)) == 0;
		did_you_mean_try(&nearest, option->name);
	}
	if (alike > 1)
		return cli_wrong(command, "%s: several options begin so; write it in full", word);
	return cli_wrong(
		command, "%s: there is no such option%s", word, did_you_mean_text(&nearest, hint));
}

/* The error for an option that getopt_long() rejected: result is ':' or '?'. */
static int refuse(const struct command *command, const struct cli_options *options, int result,
	char *const *argv)
{
	const struct cli_option *option = option_of(options, optopt);
	char letter[] = {'-', (char)optopt, '\0'};

	if (result == ':' && option)
		return cli_wrong(command, "--%s: %s is needed", option->name, option->form);
	if (option && !option->form)
		return cli_wrong(command, "--%s takes no value", option->name);
	return unknown(command, options, optopt ? letter : argv[optind - 1]);
}

#define SHOWN_MAX 4096

/* Values come from anywhere: nothing in them may move a terminal's cursor. */
static int refuse_value(
	const struct command *command, const struct cli_option *option, const struct error *e)
{
	struct buf value = BUF_INIT(SHOWN_MAX);
	int status;

	if (optarg)
		table_value(optarg, &value);
	if (*e->text)
		status = cli_wrong(command, "--%s %s: %s", option->name,
			value.failed || !value.data ? "" : value.data, e->text);
	else
		status = cli_wrong(command, "--%s %s: %s is needed", option->name,
			value.failed || !value.data ? "" : value.data, option->form);
	buf_free(&value);
	return status;
}

static int set(const struct command *command, const struct cli_options *options, int key)
{
	struct error e = {.code = ERR_OK};

	if (!options->set(options->ctx, key, optarg, &e))
		return CLI_GO_ON;
	return refuse_value(command, option_of(options, key), &e);
}

static int check_operand(
	const struct command *command, const struct cli_options *options, int argc, char **argv)
{
	int allowed = options->operand ? 1 : 0;

	if (argc - optind > allowed)
		return cli_wrong(command, "%s: one word too many", argv[optind + allowed]);
	if (argc - optind < allowed)
		return cli_wrong(command, "%s is needed", options->operand);
	return CLI_GO_ON;
}

int cli_options(const struct command *command, const struct cli_options *options, int argc,
	char **argv, const char **config_file)
{
	struct option names[OPTIONS_MAX + 1];
	char brief[2 * OPTIONS_MAX + 2];
	int option, status = CLI_GO_ON;

	describe(options, names, brief);
	while (status == CLI_GO_ON &&
		(option = getopt_long(argc, argv, brief, names, NULL)) != -1) {
		if (option == 'h')
			return cli_usage(command, true);
		if (option == ':' || option == '?')
			return refuse(command, options, option, argv);
		if (option == 'c')
			*config_file = optarg;
		else
			status = set(command, options, option);
	}
	return status == CLI_GO_ON ? check_operand(command, options, argc, argv) : status;
}

enum err cli_ahead(const char *text, int64_t *seconds, struct error *e)
{
	int64_t value = 0;

	if (!text_duration(text, AHEAD_MAX, &value))
		return ERR_USAGE;
	if (value == 60)
		return error_set(e, ERR_USAGE, "%s is one minute; write 30d for a month", text);
	if (value < AHEAD_MIN && text[strlen(text) - 1] == 'm')
		return error_set(e, ERR_USAGE, "%s is %lld minutes; write 30d for a month", text,
			(long long)value / 60);
	if (value < AHEAD_MIN)
		return error_set(e, ERR_USAGE, "that is under an hour; write 30d for 30 days");
	*seconds = value;
	return ERR_OK;
}
