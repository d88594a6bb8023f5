/*
 * Reads the options of a command by its table, says which one is wrong and what would be right, and
 * prints them for --help.
 */

#include "cli/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/did_you_mean.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#define OPTIONS_MAX 16
#define LEFT_SIZE 64
#define SHOWN_MAX 4096

static const struct option_row common[] = {
	{"config", 'c', &option_file, 0, NULL, NULL},
	{"help", 'h', &option_flag, 0, NULL, NULL},
};

#define KEY_CONFIG 'c'
#define KEY_HELP 'h'
#define KEY_FIRST 256 /* behind all letters: the command's own options, by their place */

static size_t count_own(const struct command *command)
{
	size_t count = 0;

	while (command->options && command->options[count].name)
		count++;
	return count;
}

/* The command's own, then those that all commands have. NULL: no more. */
static const struct option_row *row_at(const struct command *command, size_t i)
{
	size_t own = count_own(command);

	if (i < own)
		return &command->options[i];
	return i - own < ARRAY_LEN(common) ? &common[i - own] : NULL;
}

/* The option that getopt_long() gave or rejected. NULL: none. */
static const struct option_row *row_of(const struct command *command, int key)
{
	const struct option_row *row;

	if (key >= KEY_FIRST)
		return row_at(command, (size_t)(key - KEY_FIRST));
	for (size_t i = 0; (row = row_at(command, i)); i++)
		if (row->letter && row->letter == key)
			return row;
	return NULL;
}

/* --- help */

/* "  -o, --output FILE" */
static size_t left_side(const struct option_row *row, char out[LEFT_SIZE])
{
	char letter[] = {'-', row->letter, ',', ' ', '\0'};

	return (size_t)snprintf(out, LEFT_SIZE, "  %s--%s%s%s", row->letter ? letter : "",
		row->name, row->argument ? " " : "", row->argument ? row->argument : "");
}

static void print_row(const struct option_row *row, int width)
{
	const char *help = row->help;
	char left[LEFT_SIZE];

	left_side(row, left);
	for (;;) {
		size_t len = strcspn(help, "\n");

		printf("%-*s   %.*s\n", width, left, (int)len, help);
		if (!help[len])
			return;
		help += len + 1;
		*left = '\0';
	}
}

static int print_help(const struct command *command)
{
	size_t count = count_own(command), width = 0;
	char left[LEFT_SIZE];

	printf("Usage: certprov [-c FILE] %s %s\n\n%s.\n\n", command->name, command->arguments,
		command->summary);
	for (size_t i = 0; i < count; i++) {
		size_t len = left_side(&command->options[i], left);

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < count; i++)
		print_row(&command->options[i], (int)width);
	fputs(command->notes ? command->notes : "", stdout);
	return 0;
}

/* --- errors */

/* There is no option of that name, or several begin so. */
static int refuse_unknown(const struct command *command, const char *arg)
{
	size_t len = strcspn(arg, "="), alike = 0;
	const struct option_row *row;
	char word[64], hint[DID_YOU_MEAN_TEXT_SIZE];
	struct did_you_mean nearest;

	snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	nearest = (struct did_you_mean)DID_YOU_MEAN_INIT(word + strspn(word, "-"));
	for (size_t i = 0; (row = row_at(command, i)); i++) {
		alike += strlen(word) > 2 && strncmp(row->name, word + 2, strlen(word + 2)) == 0;
		did_you_mean_try(&nearest, row->name);
	}
	if (alike > 1)
		return cli_wrong(command, "%s: several options begin so; write it in full", word);
	return cli_wrong(
		command, "%s: there is no such option%s", word, did_you_mean_text(&nearest, hint));
}

/* An option that getopt_long() rejected: result is ':' or '?'. */
static int refuse(const struct command *command, int result, char *const *argv)
{
	const struct option_row *row = row_of(command, optopt);
	char letter[] = {'-', (char)optopt, '\0'};

	if (result == ':' && row)
		return cli_wrong(command, "--%s: %s is needed", row->name, row->kind->form);
	if (row && !row->kind->form)
		return cli_wrong(command, "--%s takes no value", row->name);
	return refuse_unknown(command, optopt ? letter : argv[optind - 1]);
}

/* Values come from anywhere; control characters in them must not reach the terminal. */
static int refuse_value(
	const struct command *command, const struct option_row *row, const struct error *e)
{
	struct buf shown = BUF_INIT(SHOWN_MAX);
	const char *value;
	int status;

	terminal_value(optarg, &shown);
	value = shown.failed ? "" : shown.data;
	if (*e->text)
		status = cli_wrong(command, "--%s %s: %s", row->name, value, e->text);
	else
		status = cli_wrong(
			command, "--%s %s: %s is needed", row->name, value, row->kind->form);
	buf_free(&shown);
	return status;
}

/* --- */

/* For getopt_long(): the leading ":" leaves messages to us. */
static void describe(const struct command *command, struct option *names, char *letters)
{
	const struct option_row *row;

	*letters++ = ':';
	for (size_t i = 0; i < OPTIONS_MAX && (row = row_at(command, i)); i++) {
		int key = i < count_own(command) ? KEY_FIRST + (int)i : row->letter;

		*names++ = (struct option){
			row->name, row->kind->form ? required_argument : no_argument, NULL, key};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->kind->form)
			*letters++ = ':';
	}
	*names = (struct option){NULL, 0, NULL, 0};
	*letters = '\0';
}

/* seen: the options before this one, a bit each. */
static int set(const struct command *command, int key, unsigned *seen, void *request)
{
	const struct option_row *row = row_of(command, key);
	unsigned bit = 1U << (row - command->options);
	struct error e = {.code = ERR_OK};
	char *field = (char *)request + row->field;
	enum err err = ERR_OK;

	if (command->once && row->kind->set && *seen & bit)
		err = error_set(&e, ERR_USAGE, "given twice, it is not clear which one is meant");
	else if (row->kind->set)
		err = row->kind->set(field, optarg, &e);
	else
		*(bool *)field = true;
	*seen |= bit;
	return err ? refuse_value(command, row, &e) : OPTIONS_DONE;
}

static int take_operand(struct call *call)
{
	const struct command *command = call->command;
	int allowed = command->operand ? 1 : 0;

	if (call->argc - optind > allowed)
		return cli_wrong(command, "%s: one word too many", call->argv[optind + allowed]);
	if (call->argc - optind < allowed)
		return cli_wrong(command, "%s is needed", command->operand);
	call->operand = call->argv[optind];
	return OPTIONS_DONE;
}

int options_read(struct call *call, void *request)
{
	struct option names[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
	int key, status = OPTIONS_DONE;
	unsigned seen = 0;

	describe(call->command, names, letters);
	while (status == OPTIONS_DONE &&
		(key = getopt_long(call->argc, call->argv, letters, names, NULL)) != -1) {
		if (key == KEY_HELP)
			return print_help(call->command);
		if (key == ':' || key == '?')
			return refuse(call->command, key, call->argv);
		if (key == KEY_CONFIG)
			call->config_file = optarg;
		else
			status = set(call->command, key, &seen, request);
	}
	return status == OPTIONS_DONE ? take_operand(call) : status;
}
