/* Facts about the store itself: its sealed values and the head of the audit trail. */
#include "store/meta.h"

#include "store/handle.h"

enum err meta_get(struct store *store, const char *name, struct blob *out, struct error *e)
{
	static const char sql[] = "SELECT value FROM meta WHERE name = $1";
	const struct db_value values[] = {DB_TEXT(name)};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "%s has lost its %s: restore the store from a backup",
			db_name(store->db), name);
	if (!err)
		err = db_copy_blob(row, 0, out, e);
	db_done(row);
	return err;
}

enum err meta_set(
	struct store *store, const char *name, const void *value, size_t len, struct error *e)
{
	static const char sql[] = "INSERT INTO meta (name, value) VALUES ($1, $2)"
				  " ON CONFLICT (name) DO UPDATE SET value = excluded.value";
	const struct db_value values[] = {DB_TEXT(name), DB_BLOB(value, len)};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}
