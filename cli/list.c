#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/did_you_mean.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/rows.h"

#define TABLES "a list (devices, users, certificates, uploads or events)"

/* The query from the options, and the form of output. */
struct listing {
	int table;
	struct store_filter filter;
	char user[UUID_SIZE], device[UUID_SIZE]; /* in the store's own form */
	bool audit;
	struct cli_rows rows;
};

static int list(const char *config_file, struct listing *listing)
{
	struct config *config = NULL;
	struct store *store = NULL;
	struct error e;
	enum err err = cli_open_store(config_file, &config, &store, &e);

	if (!err)
		err = store_list(store, (enum store_table)listing->table, &listing->filter, cli_row,
			&listing->rows, &e);
	cli_rows_end(&listing->rows, !err);
	store_close(store);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

/* UUIDs are stored in lower case; anything else is a name and stays as it is. */
static const char *in_store_form(const char *arg, char uuid[UUID_SIZE])
{
	return text_uuid(arg, uuid) ? uuid : arg;
}

static enum err set_expiring(struct listing *listing, const char *within, struct error *e)
{
	int64_t seconds = 0;
	enum err err = cli_ahead(within, &seconds, e);

	if (!err)
		listing->filter.expires_before = clock_now() + seconds;
	return err;
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

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct listing *listing = ctx;

	switch (key) {
	case 'u':
		listing->filter.user = in_store_form(value, listing->user);
		break;
	case 'd':
		listing->filter.device = in_store_form(value, listing->device);
		break;
	case 's':
		listing->filter.state = value;
		break;
	case 'e':
		return set_expiring(listing, value, e);
	case 'A':
		listing->audit = true;
		break;
	default:
		listing->rows.json = true;
	}
	return ERR_OK;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'u', "user", CLI_USER_FORM, false},
		{'d', "device", CLI_DEVICE_FORM, false},
		{'s', "state", "a state", false},
		{'e', "expiring", CLI_AHEAD_FORM, false},
		{'A', "audit", NULL, false},
		{'j', "json", NULL, false},
	};
	struct listing listing = {.filter = {.user = "", .device = "", .state = ""}};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &listing, TABLES};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	listing.table = vocabulary_find(store_table_names, STORE_AUDIT, argv[optind]);
	if (listing.table < 0)
		return unknown_table(argv[optind]);
	if (listing.audit && listing.table != STORE_EVENTS)
		return cli_wrong(self, "--audit is for events only");
	if (listing.audit)
		listing.table = STORE_AUDIT;
	if (listing.filter.expires_before && listing.table != STORE_CERTIFICATES)
		return cli_wrong(self, "--expiring is for certificates only");
	return list(config_file, &listing);
}

const struct command command_list = {"list",
	"devices|users|certificates|uploads|events [OPTION...]",
	"Lists the store's contents, newest first, a line each",
	"  --user U          of the user with that UUID, user name or mail address\n"
	"  --device D        of the device with that UUID or friendly name\n"
	"  --state S         in that state: active, archived, pending, failed, delivered ...\n"
	"  --expiring 30d    certificates that end within that time\n"
	"  --audit           events: the audit trail instead, actions and actors\n"
	"  --json            an array of objects\n",
	run};
