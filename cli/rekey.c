/* certprov rekey: seals every stored private key under a new master key. */

#include "store/rekey.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/terminal.h"

static void report(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%scertprov: %s\n", terminal_erase(), text);
}

static void show_progress(void *ctx, const struct rekey_tally *tally)
{
	(void)ctx;
	fprintf(stderr, "%s%lld of %lld: %lld sealed anew, %lld failed", terminal_erase(),
		(long long)tally->done, (long long)tally->total, (long long)tally->sealed,
		(long long)tally->failed);
}

static int judge(const struct config *config, const struct rekey_tally *tally)
{
	const char *key_file = config->store.key_file;

	printf("%lld private keys sealed anew\n", (long long)tally->sealed);
	if (tally->failed == 0) {
		printf("keep a copy of %s, apart from the store's\n", key_file);
		return 0;
	}
	fprintf(stderr,
		"certprov: %lld private keys could not be opened and stay as they are; so the old "
		"master key stays in %s, too\n",
		(long long)tally->failed, key_file);
	return 1;
}

static int rekey(const char *config_file)
{
	struct rekey_options options = {.report = report};
	struct rekey_tally tally = {.total = 0};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);
	int status;

	options.progress = terminal_progress() ? show_progress : NULL;
	if (!err)
		err = store_rekey(config, &options, &tally, &e);
	if (terminal_progress() && tally.done > 0)
		fputc('\n', stderr);
	status = err ? cli_fail(&e) : judge(config, &tally);
	config_free(config);
	return status;
}

static int run(struct call *call)
{
	int status = options_read(call, NULL);

	return status == OPTIONS_DONE ? rekey(call->config_file) : status;
}

const struct command command_rekey = {
	.name = "rekey",
	.arguments = "",
	.summary = "Seals every stored private key under a new master key",
	.notes = "The store can be used meanwhile. The next run continues an interrupted one.\n"
		 "Exit status 1: some private keys could not be opened; 75: another run is "
		 "active.\n",
	.run = run,
};
