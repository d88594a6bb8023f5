/* certprov config: looks at the configuration alone, fast enough for each start and reload. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cli/cli.h"
#include "cli/options.h"

#define TEXT_MAX (64 * 1024)

static void tell(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "certprov: %s\n", text);
}

/* A fault in a file that the configuration names. */
static void report(void *ctx, const struct finding *finding)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	(void)ctx;
	finding_text(finding, &text);
	if (finding->severity == SEVERITY_FAILURE)
		fprintf(stderr, "certprov: %s: %s\n", finding->about, text.data ? text.data : "");
	buf_free(&text);
}

static int test(const char *config_file)
{
	const char *path = config_path(config_file);
	struct config *config = NULL;
	struct error e;
	enum err err = config_test(path, tell, NULL, &config, &e);

	if (err)
		return cli_fail(&e);
	err = check_before_start(config, report, NULL);
	if (!err)
		printf("%s is right\n", path);
	config_free(config);
	return error_meaning(err)->exit_status;
}

static int run(struct call *call)
{
	int status = options_read(call, NULL);

	if (status != OPTIONS_DONE)
		return status;
	if (strcmp(call->operand, "test") != 0)
		return cli_wrong(call->command, "%s: expected test", call->operand);
	return test(call->config_file);
}

const struct command command_config = {
	.name = "config",
	.arguments = "test",
	.summary = "Tests the configuration and the files that it names",
	.operand = "what to do (test)",
	.notes = "test names all errors at once, each with file and line; exit status 78 if there "
		 "is one.\nNothing is connected to, and the store is not opened.\n",
	.run = run,
};
