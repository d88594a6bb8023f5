/* Devices of a user, none of them leased. Enrolling and unenrolling them is enrollment.c's. */
#include "store/device.h"

#include <stdio.h>

#include "store/handle.h"
#include "store/row_mac.h"

struct store_pair store_pair_of(const char *device_uuid, const char *user_uuid)
{
	struct store_pair pair;

	snprintf(pair.device_uuid, sizeof(pair.device_uuid), "%s", device_uuid);
	snprintf(pair.user_uuid, sizeof(pair.user_uuid), "%s", user_uuid);
	return pair;
}

/* The device's UUID, which is the first column of the only row. */
static enum err read_device(struct store *store, const char *sql, const struct db_value *values,
	size_t count, char out[UUID_SIZE], struct error *e)
{
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, count, &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "no such device is enrolled");
	if (!err)
		err = db_copy_name(row, 0, out, UUID_SIZE, e);
	db_done(row);
	return err;
}

enum err store_device_find(struct store *store, const struct store_pair *pair,
	char device_uuid[UUID_SIZE], struct error *e)
{
	static const char sql[] = "SELECT device_uuid FROM device"
				  " WHERE user_uuid = $1 AND state = 'enrolled'"
				  "	AND ($2 = '' OR device_uuid = $2)"
				  " ORDER BY event_id DESC LIMIT 1";
	const struct db_value values[] = {DB_TEXT(pair->user_uuid), DB_TEXT(pair->device_uuid)};
	struct store_pair found = *pair;
	enum err err = read_device(store, sql, values, ARRAY_LEN(values), found.device_uuid, e);

	if (!err)
		err = device_row_check(store, found.device_uuid, pair->user_uuid, e);
	if (!err)
		snprintf(device_uuid, UUID_SIZE, "%s", found.device_uuid);
	return err;
}

enum err store_device_known(
	struct store *store, const char *device_uuid, bool *known, struct error *e)
{
	static const char sql[] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM device WHERE device_uuid = $1)"
		"	OR EXISTS (SELECT 1 FROM event WHERE device_uuid = $1"
		"		AND kind = 'enrolled' AND state IN ('pending', 'failed'))"
		" THEN 1 ELSE 0 END";
	const struct db_value values[] = {DB_TEXT(device_uuid)};

	return db_true(store->db, sql, values, ARRAY_LEN(values), known, e);
}

enum err store_device_outdated(struct store *store, const char *user_uuid, const char *mail,
	char at[UUID_SIZE], struct error *e)
{
	static const char sql[] = "SELECT c.device_uuid FROM credential AS c"
				  "	JOIN device AS d USING (device_uuid, user_uuid)"
				  " WHERE c.user_uuid = $1 AND c.usage = 'signing'"
				  "	AND c.state = 'active' AND c.device_uuid > $3"
				  "	AND lower(c.mail) != lower($2) AND d.state = 'enrolled'"
				  " ORDER BY c.device_uuid LIMIT 1";
	const struct db_value values[] = {DB_TEXT(user_uuid), DB_TEXT(mail), DB_TEXT(at)};

	return read_device(store, sql, values, ARRAY_LEN(values), at, e);
}
