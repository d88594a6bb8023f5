/*
 * Leases: taken, ended, and asked for. due.c says what is leased; lease_sweep.c frees the leases of
 * processes that have died.
 */
#include "store/lease.h"

#include "base/clock.h"
#include "db/change_alone.h"
#include "store/handle.h"
#include "store/lease_sweep.h"

enum err lease_take(struct store *store, const struct lease *lease, int64_t until, struct error *e)
{
	static const char forget[] = "DELETE FROM lease WHERE device_uuid = $1 AND user_uuid = $2"
				     "	AND until <= $3";
	static const char take[] =
		"INSERT INTO lease (device_uuid, user_uuid, event_id, until, claimed, holder)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (device_uuid, user_uuid, event_id) DO UPDATE"
		" SET until = excluded.until, claimed = excluded.claimed,"
		"	holder = excluded.holder";
	const struct db_value old[] = {
		DB_TEXT(lease->device_uuid), DB_TEXT(lease->user_uuid), DB_INTEGER(clock_now())};
	const struct db_value values[] = {DB_TEXT(lease->device_uuid), DB_TEXT(lease->user_uuid),
		DB_INTEGER(lease->event_id), DB_INTEGER(until), DB_INTEGER(lease->taken_up),
		DB_TEXT(lease_holder(store))};
	enum err err = db_run(store->db, forget, old, ARRAY_LEN(old), e);

	return err ? err : db_run(store->db, take, values, ARRAY_LEN(values), e);
}

enum err lease_end(struct store *store, int64_t event_id, struct error *e)
{
	static const char sql[] = "DELETE FROM lease"
				  " WHERE (device_uuid, user_uuid, event_id) IN"
				  "	(SELECT device_uuid, user_uuid, id FROM event"
				  "	WHERE id = $1)";
	const struct db_value values[] = {DB_INTEGER(event_id)};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

enum err store_event_turn(struct store *store, int64_t id, bool *ours, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM event AS this JOIN lease USING (device_uuid)"
		" WHERE this.id = $1 AND lease.event_id != $1 AND " LEASE_IS_LIVE
		"	AND CASE WHEN this.kind = 'unenrolled' THEN lease.event_id < $1"
		"	ELSE lease.claimed = 1 AND lease.user_uuid = this.user_uuid END";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};
	int64_t others = 0;
	enum err err = leases_sweep(store, e);

	if (!err)
		err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &others, e);
	if (!err)
		*ours = others == 0;
	return err;
}

enum err store_device_release(struct store *store, const struct store_pair *pair, struct error *e)
{
	static const char sql[] = "DELETE FROM lease WHERE device_uuid = $1 AND user_uuid = $2"
				  "	AND event_id = 0";
	const struct db_value values[] = {DB_TEXT(pair->device_uuid), DB_TEXT(pair->user_uuid)};

	return db_change_alone(store->db, sql, values, ARRAY_LEN(values), NULL, e);
}
