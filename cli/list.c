/* certprov list: what the store has, filtered. */

#include <stdio.h>

#include "base/clock.h"
#include "base/did_you_mean.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/rows.h"
#include "store/list.h"

struct request {
	const char *user, *device, *state;
	int64_t expiring; /* seconds ahead; 0: not given */
	bool audit;
	struct rows rows;
};

/* UUIDs are stored in lower case; anything else is a name and stays as it is. */
static const char *in_store_form(const char *arg, char uuid[UUID_SIZE])
{
	return text_uuid(arg, uuid) ? uuid : arg;
}

static int unknown_table(const char *name)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(name);
	char hint[DID_YOU_MEAN_TEXT_SIZE];

	for (int i = 0; i < STORE_AUDIT; i++)
		did_you_mean_try(&nearest, store_table_names[i]);
	fprintf(stderr, "certprov: there is no list \"%s\"; certprov list --help names them%s\n",
		name, did_you_mean_text(&nearest, hint));
	return error_meaning(ERR_USAGE)->exit_status;
}

static int list(const char *config_file, int table, struct request *request)
{
	char user[UUID_SIZE], device[UUID_SIZE];
	const struct store_filter filter = {
		.user = in_store_form(request->user, user),
		.device = in_store_form(request->device, device),
		.state = request->state,
		.expires_before = request->expiring ? clock_now() + request->expiring : 0,
	};
	struct config *config = NULL;
	struct store *store = NULL;
	struct error e;
	enum err err = cli_open_store(config_file, &config, &store, &e);

	if (!err)
		err = store_list(
			store, (enum store_table)table, &filter, rows_add, &request->rows, &e);
	rows_end(&request->rows, !err);
	store_close(store);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

static int run(struct call *call)
{
	struct request request = {.user = "", .device = "", .state = ""};
	int status = options_read(call, &request), table;

	if (status != OPTIONS_DONE)
		return status;
	table = vocabulary_find(store_table_names, STORE_AUDIT, call->operand);
	if (table < 0)
		return unknown_table(call->operand);
	if (request.audit && table != STORE_EVENTS)
		return cli_wrong(call->command, "--audit is for events only");
	if (request.expiring && (request.audit || table != STORE_CERTIFICATES))
		return cli_wrong(call->command, "--expiring is for certificates only");
	return list(call->config_file, request.audit ? STORE_AUDIT : table, &request);
}

static const struct option_kind state = {"a state", option_set_text};

static const struct option_row options[] = {
	{"user", '\0', &option_user, offsetof(struct request, user), "U",
		"of the user with that UUID, user name or mail address"},
	{"device", '\0', &option_device, offsetof(struct request, device), "D",
		"of the device with that UUID or friendly name"},
	{"state", '\0', &state, offsetof(struct request, state), "S",
		"in that state: active, archived, pending, failed, delivered ..."},
	{"expiring", '\0', &option_ahead, offsetof(struct request, expiring), "TIME",
		"certificates that end within that time, such as 30d"},
	{"audit", '\0', &option_flag, offsetof(struct request, audit), NULL,
		"events: the audit trail instead, actions and actors"},
	{"json", '\0', &option_flag, offsetof(struct request, rows.json), NULL,
		"an array of objects"},
	{.name = NULL},
};

const struct command command_list = {
	.name = "list",
	.arguments = "devices|users|certificates|uploads|events [OPTION...]",
	.summary = "Lists the store's contents, newest first, a line each",
	.options = options,
	.operand = "a list (devices, users, certificates, uploads or events)",
	.run = run,
};
