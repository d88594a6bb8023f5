/* Which devices UEM has confirmed, and when. What is asked of UEM is lib/provider's. */
#include "store/confirmation.h"

#include "base/clock.h"
#include "store/device.h"
#include "store/handle.h"

enum err store_confirmation_note(
	struct store *store, const struct store_pair *pair, struct error *e)
{
	static const char sql[] =
		"INSERT INTO confirmation (device_uuid, user_uuid, at) VALUES ($1, $2, $3)"
		" ON CONFLICT (device_uuid, user_uuid) DO UPDATE SET at = excluded.at";
	const struct db_value values[] = {
		DB_TEXT(pair->device_uuid), DB_TEXT(pair->user_uuid), DB_INTEGER(clock_now())};
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = db_run(store->db, sql, values, ARRAY_LEN(values), e);
	} while (db_end(store->db, &err, e));
	return err;
}

enum err store_confirmation_time(
	struct store *store, const struct store_pair *pair, int64_t *at, struct error *e)
{
	static const char sql[] = "SELECT at FROM confirmation"
				  " WHERE device_uuid = $1 AND user_uuid = $2 AND at <= $3";
	const struct db_value values[] = {
		DB_TEXT(pair->device_uuid), DB_TEXT(pair->user_uuid), DB_INTEGER(clock_now())};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, at, e);
}
