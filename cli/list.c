#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/rows.h"

#define EXPIRING_MAX (3650LL * 86400)

/* What the options ask for, and how it is printed. */
struct listing {
	int table;
	struct store_filter filter;
	char user[UUID_SIZE], device[UUID_SIZE]; /* in the store's own form */
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

static bool set_expiring(struct listing *listing, const char *within)
{
	int64_t seconds = 0;

	if (!text_duration(within, EXPIRING_MAX, &seconds))
		return false;
	listing->filter.expires_before = clock_now() + seconds;
	return true;
}

static int unknown_table(const char *name)
{
	struct nearest nearest = NEAREST_INIT(name);
	char hint[NEAREST_TEXT_SIZE];

	for (int i = 0; i < STORE_AUDIT; i++)
		nearest_try(&nearest, store_table_names[i]);
	fprintf(stderr, "certprov: there is no list \"%s\"; certprov list --help names them%s\n",
		name, nearest_text(&nearest, hint));
	return error_meaning(ERR_USAGE)->exit_status;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"user", required_argument, NULL, 'u'}, {"device", required_argument, NULL, 'd'},
		{"state", required_argument, NULL, 's'}, {"expiring", required_argument, NULL, 'e'},
		{"audit", no_argument, NULL, 'A'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {0}};
	struct listing listing = {.filter = {.user = "", .device = "", .state = ""}};
	bool good = true, audit = false;
	int option;

	while (good && (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'u')
			listing.filter.user = in_store_form(optarg, listing.user);
		else if (option == 'd')
			listing.filter.device = in_store_form(optarg, listing.device);
		else if (option == 's')
			listing.filter.state = optarg;
		else if (option == 'e')
			good = set_expiring(&listing, optarg);
		else if (option == 'A')
			audit = true;
		else if (option == 'j')
			listing.rows.json = true;
		else
			return cli_usage(self, option == 'h');
	}
	if (!good || optind + 1 != argc)
		return cli_usage(self, false);
	listing.table = kind_find(store_table_names, STORE_AUDIT, argv[optind]);
	if (listing.table < 0)
		return unknown_table(argv[optind]);
	if (audit)
		listing.table = listing.table == STORE_EVENTS ? STORE_AUDIT : -1;
	if (listing.table < 0 ||
		(listing.filter.expires_before && listing.table != STORE_CERTIFICATES))
		return cli_usage(self, false);
	return list(config_file, &listing);
}

const struct command command_list = {"list",
	"devices|users|certificates|uploads|events [OPTION...]",
	"Lists what the store has, newest first, a line each",
	"  --user U          of the user with that UUID or name\n"
	"  --device D        of the device with that UUID or friendly name\n"
	"  --state S         in that state: active, archived, pending, failed, delivered ...\n"
	"  --expiring 30d    certificates that end within that time\n"
	"  --audit           events: the audit trail instead, what was done by whom\n"
	"  --json            an array of objects\n",
	run};
