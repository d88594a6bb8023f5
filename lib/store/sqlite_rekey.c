#include "store/sqlite.h"

/* Sealed values and keys, replaced under another master key. */

void sqlite_key_use(void *self, const struct blob *key_check)
{
	struct sqlite *db = self;

	db->key_check = key_check;
}

enum err sqlite_check_key(struct sqlite *db, struct error *e)
{
	static const char sql[] = "SELECT value = ?1 FROM meta WHERE name = 'key-check'";
	const struct value values[] = {VALUE_BLOB(db->key_check->data, db->key_check->len)};
	int64_t same = 0;
	enum err err = sqlite_integer(db, sql, values, ARRAY_LEN(values), 0, &same, e);

	if (!err && !same)
		err = error_set(e, ERR_CONFIG, "%s: the master key was changed", db->path);
	return err;
}

enum err sqlite_rekey_begin(void *self, struct error *e)
{
	return sqlite_lock_rekey(self, e);
}

/* --- values */

enum err sqlite_rekey_values(void *self, const char *const names[], size_t count,
	store_renew_value *renew, void *ctx, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	for (size_t i = 0; !err && i < count; i++) {
		struct blob sealed = {NULL, 0}, renewed = {NULL, 0};

		err = sqlite_meta_get(db, names[i], &sealed, e);
		if (err == ERR_NOT_FOUND) {
			err = ERR_OK;
			continue;
		}
		if (!err)
			err = renew(ctx, i, &sealed, &renewed, e);
		if (!err && renewed.data)
			err = sqlite_meta_set(db, names[i], renewed.data, renewed.len, e);
		blob_free(&sealed);
		blob_free(&renewed);
	}
	return sqlite_end(db, err, e);
}

/* --- private keys */

static enum err replace_key(
	struct sqlite *db, bool request, int64_t id, const struct blob *key, struct error *e)
{
	static const char of_credential[] = "UPDATE credential SET key = ?2 WHERE id = ?1",
			  of_request[] = "UPDATE request SET key = ?2 WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_BLOB(key->data, key->len)};

	return sqlite_run(db, request ? of_request : of_credential, values, ARRAY_LEN(values), e);
}

/* The one behind batch->after. */
static enum err renew_one(struct sqlite *db, struct rekey_batch *batch, store_renew_key *renew,
	void *ctx, bool *last, struct error *e)
{
	struct credential credential = {.id = 0};
	struct store_request request = {.id = 0};
	const struct store_sealed row = {
		.credential = batch->requests ? NULL : &credential,
		.request = batch->requests ? &request : NULL,
	};
	struct blob renewed = {NULL, 0};
	enum err err = batch->requests ? sqlite_request_next(db, batch->after, &request, e)
				       : sqlite_credential_next(db, batch->after, &credential, e);
	int64_t id = batch->requests ? request.id : credential.id;

	if (!err && id == 0)
		*last = true;
	else if (!err)
		err = renew(ctx, &row, &renewed, last, e);
	if (!err && renewed.data)
		err = replace_key(db, batch->requests, id, &renewed, e);
	if (!err && id > 0) {
		batch->after = id;
		batch->count++;
		batch->renewed += renewed.data ? 1 : 0;
	}
	credential_fini(&credential);
	store_request_fini(&request);
	blob_free(&renewed);
	return err;
}

enum err sqlite_rekey_keys(
	void *self, struct rekey_batch *batch, store_renew_key *renew, void *ctx, struct error *e)
{
	struct sqlite *db = self;
	struct rekey_batch work = {
		.requests = batch->requests, .max = batch->max, .after = batch->after};
	bool last = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	while (!err && !last && work.count < work.max)
		err = renew_one(db, &work, renew, ctx, &last, e);
	err = sqlite_end(db, err, e);
	if (!err)
		*batch = work;
	return err;
}

/*
 * Overwritten data is still in the write-ahead log, until all of that is in the database and it is
 * cut off. A reader that does not end holds it up.
 */
enum err sqlite_flush(void *self, struct error *e)
{
	struct sqlite *db = self;
	int64_t busy = 1;
	enum err err = sqlite_lock_take(db, e);

	if (err)
		return err;
	err = sqlite_integer(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, 0, 1, &busy, e);
	sqlite_lock_release(db);
	if (!err && busy)
		err = error_set(e, ERR_UNAVAILABLE,
			"%s is being read by others all the time; do the same again later",
			db->path);
	return err;
}
