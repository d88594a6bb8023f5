#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define EXPIRING_MAX (3650LL * 86400)

/* What the options ask for, and how far the printing is. */
struct listing {
	int table;
	struct store_filter filter;
	char user[UUID_SIZE], device[UUID_SIZE]; /* in the store's own form */
	bool json;
	size_t rows;
};

/* Values may come from outside: nothing in them shall move a terminal's cursor or turn its text. */
static void print_value(const char *value)
{
	bool plain;

	if (!value || !*value)
		value = "-";
	plain = !utf8_has_control(value);
	for (; *value; value++)
		putchar(plain || (*value >= 0x20 && *value < 0x7f) ? *value : '?');
}

/* A line a row: values apart by tabs, their names as the first line. */
static void print_line(const struct store_column *columns, size_t count, bool names)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			putchar('\t');
		print_value(names ? columns[i].name : columns[i].value);
	}
	putchar('\n');
}

static enum err print_object(const struct store_column *columns, size_t count, struct error *e)
{
	struct buf out = BUF_INIT(1024 * 1024);
	enum err err;

	for (size_t i = 0; i < count; i++) {
		const char *value = columns[i].value;

		buf_putc(&out, i ? ',' : '{');
		buf_json_string(&out, columns[i].name);
		buf_putc(&out, ':');
		if (!value)
			buf_puts(&out, "null");
		else if (columns[i].number)
			buf_puts(&out, value);
		else
			buf_json_string(&out, value);
	}
	buf_putc(&out, '}');
	err = buf_check(&out, e);
	if (!err)
		fputs(out.data, stdout);
	buf_free(&out);
	return err;
}

static enum err print_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct listing *listing = ctx;

	if (listing->json) {
		fputs(listing->rows++ ? ",\n" : "[", stdout);
		return print_object(columns, count, e);
	}
	if (listing->rows++ == 0)
		print_line(columns, count, true);
	print_line(columns, count, false);
	return ERR_OK;
}

static int list(const char *config_file, struct listing *listing)
{
	struct config *config = NULL;
	struct store *store = NULL;
	struct error e;
	enum err err = cli_open_store(config_file, &config, &store, &e);

	if (!err)
		err = store_list(store, (enum store_table)listing->table, &listing->filter,
			print_row, listing, &e);
	if (!err && listing->json)
		puts(listing->rows ? "]" : "[]");
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
			listing.json = true;
		else
			return cli_usage(self, option == 'h');
	}
	if (!good || optind + 1 != argc)
		return cli_usage(self, false);
	listing.table = kind_find(store_table_names, STORE_AUDIT, argv[optind]);
	if (audit)
		listing.table = listing.table == STORE_EVENTS ? STORE_AUDIT : -1;
	if (listing.table < 0 ||
		(listing.filter.expires_before && listing.table != STORE_CERTIFICATES))
		return cli_usage(self, false);
	return list(config_file, &listing);
}

const struct command command_list = {"list",
	"devices|users|certificates|uploads|events [OPTION...]",
	"Lists what the store has, newest first, a line each, values apart by tabs",
	"  --user U          of the user with that UUID or name\n"
	"  --device D        of the device with that UUID or friendly name\n"
	"  --state S         in that state: active, archived, pending, failed, delivered ...\n"
	"  --expiring 30d    certificates that end within that time\n"
	"  --audit           events: the audit trail instead, what was done by whom\n"
	"  --json            an array of objects\n",
	run};
