/* Opening the store, and what is asked of it as a whole. What is in it is a file a subject. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/audit_mac.h"
#include "store/handle.h"
#include "store/keys.h"
#include "store/meta.h"
#include "store/row_mac.h"
#include "store/schema.h"

#define GATEWAYS_MAX (64 * 1024)

/* --- which database */

static const struct db_driver *driver_of(const struct config *config)
{
	(void)config; /* there is one kind so far */
	return &db_sqlite;
}

static const char *place_of(const struct config *config)
{
	return config->store.sqlite;
}

/* --- the first set-up */

static enum err add_key_check(struct db *db, const struct blob *check, struct error *e)
{
	struct store store = {.db = db};
	enum err err;

	do {
		err = db_begin(db, e);
		if (!err)
			err = meta_set(&store, META_KEY_CHECK, check->data, check->len, e);
	} while (db_end(db, &err, e));
	return err;
}

static enum err create_database(
	const struct config *config, const struct blob *check, struct error *e)
{
	struct db *db = NULL;
	enum err err = db_create(driver_of(config), place_of(config), &db, e);

	if (err)
		return err;
	err = schema_migrate(db, e);
	if (!err)
		err = add_key_check(db, check, e);
	if (err)
		db_discard(db);
	else
		db_close(db);
	return err;
}

enum err store_init(const struct config *config, struct error *e)
{
	struct blob check = {NULL, 0};
	enum err err = seal_create_file(config->store.key_file, e);

	if (err)
		return err;
	err = keys_make_check(config->store.key_file, &check, e);
	if (!err)
		err = create_database(config, &check, e);
	if (err)
		unlink(config->store.key_file);
	blob_free(&check);
	return err;
}

/* --- opening */

/* A line each, so that one is found as a string. */
static enum err name_gateways(struct store *store, char *const *urls, struct error *e)
{
	struct buf lines = BUF_INIT(GATEWAYS_MAX);
	enum err err;

	if (!urls)
		return ERR_OK;
	buf_putc(&lines, '\n');
	for (; *urls; urls++)
		buf_printf(&lines, "%s\n", *urls);
	err = buf_check(&lines, e);
	if (!err && !(store->gateways = strdup(lines.data)))
		err = error_memory(e);
	buf_free(&lines);
	return err;
}

enum err store_open(const struct config *config, struct store **out, struct error *e)
{
	struct store *store = calloc(1, sizeof(*store));
	enum err err;

	if (!store)
		return error_memory(e);
	store->key_file = strdup(config->store.key_file);
	err = store->key_file ? ERR_OK : error_memory(e);
	/* First the database: where both are missing, its error says what to do. */
	if (!err)
		err = db_open(driver_of(config), place_of(config), &store->db, e);
	if (!err)
		err = schema_migrate(store->db, e);
	if (!err)
		err = name_gateways(store, config->escrow.urls, e);
	if (!err)
		err = keys_load(store, e);
	if (!err)
		err = audit_open(store, e);
	if (err) {
		store_close(store);
		return err;
	}
	*out = store;
	return ERR_OK;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	db_close(store->db);
	audit_mac_close(store->audit_mac);
	seal_close(store->seal);
	blob_free(&store->key_check);
	free(store->gateways);
	free(store->key_file);
	free(store);
}

const char *store_describe(const struct config *config)
{
	return place_of(config);
}

enum err store_ping(struct store *store, struct error *e)
{
	int64_t rows = 0;
	enum err err = db_ping(store->db, e);

	return err ? err : db_integer(store->db, "SELECT count(*) FROM meta", NULL, 0, 0, &rows, e);
}

enum err store_examine(struct store *store, struct error *e)
{
	return db_examine(store->db, e);
}
