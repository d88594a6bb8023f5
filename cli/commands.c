/* Finds and lists the subcommands; the rows of their table are in commands.h. */

#include "cli/commands.h"

#include <string.h>

#include "base/compiler.h"
#include "base/did_you_mean.h"

static const struct command *const commands[] = {
#define ADDRESS(name) &command_##name,
	COMMANDS(ADDRESS)
#undef ADDRESS
};

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

const char *commands_near(const char *name, char *out)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(name);

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		did_you_mean_try(&nearest, commands[i]->name);
	return did_you_mean_text(&nearest, out);
}

void commands_print(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
}
