/* Users whose certificates end soon, and leases on all devices of a user. */
#include "store/renewal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/change_alone.h"
#include "store/credential_row.h"
#include "store/event.h"
#include "store/handle.h"
#include "store/lease.h"
#include "store/lease_sweep.h"

/* --- what is due: $1 and $2 when signing and encryption end, $3 whether signing is a device's */

/* By the index credential_renewal, which is in the order that the steps need. */
#define DUE                                                                    \
	" FROM credential AS c"                                                \
	" WHERE coalesce(c.state, '') = 'active'"                              \
	"	AND c.not_after < CASE WHEN $1 > $2 THEN $1 ELSE $2 END"             \
	"	AND c.not_after < CASE WHEN c.usage = 'signing' THEN $1 ELSE $2 END" \
	"	AND (c.usage != 'signing' OR (c.device_uuid != '') = $3)"            \
	"	AND EXISTS (SELECT 1 FROM device AS d"                               \
	"		WHERE d.user_uuid = c.user_uuid AND d.state = 'enrolled'"           \
	"		AND c.device_uuid IN ('', d.device_uuid))"

#define DUE_VALUES(wanted)                           \
	DB_INTEGER((wanted)->before[USAGE_SIGNING]), \
		DB_INTEGER((wanted)->before[USAGE_ENCRYPTION]), DB_BOOLEAN((wanted)->of_device)

/*
 * Workers share the users by a digit of the UUID. Each step goes on in the index where the previous
 * one ended, so that all steps together read the index once.
 */
#define NEXT(which)                                                   \
	"SELECT c.user_uuid" DUE "	AND c.user_uuid " which " $4" \
	"	AND " SHARE_OF("c.user_uuid") " % $5 = $6 ORDER BY c.user_uuid LIMIT 1"

enum err store_renewal_next(struct store *store, const struct store_renewal *wanted,
	const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e)
{
	static const char next[] = NEXT(">"), this[] = NEXT("=");
	bool one = *wanted->user_uuid && !*user_uuid;
	const struct db_value values[] = {DUE_VALUES(wanted),
		DB_TEXT(one ? wanted->user_uuid : user_uuid), DB_INTEGER(share->workers),
		DB_INTEGER(share->worker)};
	struct db_rows *row = NULL;
	bool found = false, over = *wanted->user_uuid && *user_uuid;
	enum err err = db_start(store->db, one ? this : next, values, ARRAY_LEN(values), &row, e);

	if (!err && !over)
		err = db_next(row, &found, e);
	if (!err && !found)
		err = error_set(e, ERR_NOT_FOUND, "no user is left whose certificates end");
	if (!err) {
		const char *text = db_column_text(row, 0);

		if (text && strlen(text) < UUID_SIZE)
			snprintf(user_uuid, UUID_SIZE, "%s", text);
		else
			err = text ? error_set(e, ERR_CONFIG, "a user has a UUID that is too long")
				   : error_memory(e);
	}
	db_done(row);
	return err;
}

enum err store_renewal_count(
	struct store *store, const struct store_renewal *wanted, int64_t *users, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM (SELECT 1" DUE
		"	AND ($4 = '' OR c.user_uuid = $4) GROUP BY c.user_uuid) AS u";
	const struct db_value values[] = {DUE_VALUES(wanted), DB_TEXT(wanted->user_uuid)};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, users, e);
}

enum err store_renewal_list(struct store *store, const struct store_renewal *wanted,
	const char *user_uuid, struct credential **out, size_t *count, struct error *e)
{
	static const char sql[] = "SELECT " CREDENTIAL_BUT_KEY DUE
				  "	AND c.user_uuid = $4 ORDER BY c.not_after, c.id";
	const struct db_value values[] = {DUE_VALUES(wanted), DB_TEXT(user_uuid)};

	return credentials_read(store, sql, values, ARRAY_LEN(values), out, count, e);
}

/* --- leases on all devices of a user */

#define DEVICES                                                               \
	" IN (SELECT device_uuid, user_uuid FROM device WHERE user_uuid = $1" \
	"	AND state = 'enrolled')"

static enum err is_free(struct store *store, const char *user_uuid, bool *out, struct error *e)
{
	static const char sql[] = "SELECT count(*) FROM lease"
				  " WHERE (device_uuid, user_uuid)" DEVICES "	AND " LEASE_IS_LIVE;
	const struct db_value values[] = {DB_TEXT(user_uuid), DB_INTEGER(clock_now())};
	int64_t live = 0;
	enum err err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &live, e);

	if (!err)
		*out = live == 0;
	return err;
}

static enum err take(struct store *store, const char *user_uuid, int64_t lease, struct error *e)
{
	static const char forget[] = "DELETE FROM lease WHERE (device_uuid, user_uuid)" DEVICES;
	static const char add[] =
		"INSERT INTO lease (device_uuid, user_uuid, event_id, until, claimed,"
		"	holder) SELECT device_uuid, user_uuid, 0, $2, 1, $3 FROM device"
		"	WHERE user_uuid = $1 AND state = 'enrolled'";
	const struct db_value values[] = {
		DB_TEXT(user_uuid), DB_INTEGER(clock_now() + lease), DB_TEXT(lease_holder(store))};
	enum err err = db_run(store->db, forget, values, 1, e);

	return err ? err : db_run(store->db, add, values, ARRAY_LEN(values), e);
}

enum err store_user_lease(
	struct store *store, const char *user_uuid, int64_t lease, bool *leased, struct error *e)
{
	bool ours = false;
	enum err err = leases_sweep(store, e);

	if (err)
		return err;
	do {
		err = db_begin(store->db, e);
		if (!err)
			err = is_free(store, user_uuid, &ours, e);
		if (!err && ours)
			err = take(store, user_uuid, lease, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*leased = ours;
	return err;
}

enum err store_user_keep(struct store *store, const char *user_uuid, int64_t lease, struct error *e)
{
	static const char sql[] = "UPDATE lease SET until = $2"
				  " WHERE event_id = 0 AND (device_uuid, user_uuid)" DEVICES;
	const struct db_value values[] = {DB_TEXT(user_uuid), DB_INTEGER(clock_now() + lease)};

	return db_change_alone(store->db, sql, values, ARRAY_LEN(values), NULL, e);
}

/* Also the lease on a device that was unenrolled meanwhile. */
enum err store_user_release(struct store *store, const char *user_uuid, struct error *e)
{
	static const char sql[] =
		"DELETE FROM lease WHERE event_id = 0 AND (device_uuid, user_uuid)"
		" IN (SELECT device_uuid, user_uuid FROM device WHERE user_uuid = $1)";
	const struct db_value values[] = {DB_TEXT(user_uuid)};

	return db_change_alone(store->db, sql, values, ARRAY_LEN(values), NULL, e);
}

enum err store_user_enrollment(struct store *store, const char *user_uuid, struct blob *out,
	int64_t *time, struct error *e)
{
	/* Unlike device.event_id, this counts changes of address. A refused one does not count. */
	static const char sql[] = "SELECT payload, time, id FROM event WHERE id ="
				  " (SELECT v.id FROM device AS d"
				  "	JOIN event AS v USING (device_uuid, user_uuid)"
				  "	WHERE d.user_uuid = $1 AND d.state = 'enrolled'"
				  "	AND v.kind IN ('enrolled', 'address changed')"
				  "	AND (v.state = 'delivered' OR v.id = d.event_id)"
				  "	ORDER BY v.id DESC LIMIT 1)";
	const struct db_value values[] = {DB_TEXT(user_uuid)};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "user %s has no enrolled device", user_uuid);
	if (!err)
		err = store_event_check(store, db_column_integer(row, 2), e);
	if (!err)
		err = db_copy_blob(row, 0, out, e);
	if (!err)
		*time = db_column_integer(row, 1);
	db_done(row);
	return err;
}
