#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/sqlite.h"

/* Users whose certificates end, and leases on a user with all devices. */

/* --- what is due: ?1 and ?2 when signing and encryption end, ?3 whether signing is a device's */

#define DUE                                                          \
	" FROM credential AS c INDEXED BY credential_renewal"        \
	" WHERE c.state = 'active' AND c.not_after < max(?1, ?2)"    \
	"	AND c.not_after < iif(c.usage = 'signing', ?1, ?2)"        \
	"	AND (c.usage != 'signing' OR (c.device_uuid != '') = ?3)"  \
	"	AND EXISTS (SELECT 1 FROM device AS d"                     \
	"		WHERE d.user_uuid = c.user_uuid AND d.state = 'enrolled'" \
	"		AND c.device_uuid IN ('', d.device_uuid))"

#define DUE_VALUES(wanted)                                         \
	VALUE_INTEGER((wanted)->before[USAGE_SIGNING]),            \
		VALUE_INTEGER((wanted)->before[USAGE_ENCRYPTION]), \
		VALUE_INTEGER((wanted)->of_device)

/*
 * Workers share the users by a digit of their UUID. A step goes on in the index where the one
 * before ended: all steps together read it once.
 */
#define NEXT(which)                                                          \
	"SELECT c.user_uuid" DUE "	AND c.user_uuid " which " ?4"        \
	"	AND instr('123456789abcdef', substr(c.user_uuid, 8, 1)) % ?5 = ?6" \
	" ORDER BY c.user_uuid LIMIT 1"

enum err sqlite_renewal_next(void *self, const struct store_renewal *wanted,
	const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e)
{
	static const char next[] = NEXT(">"), this[] = NEXT("=");
	bool one = *wanted->user_uuid && !*user_uuid;
	const struct value values[] = {DUE_VALUES(wanted),
		VALUE_TEXT(one ? wanted->user_uuid : user_uuid), VALUE_INTEGER(share->workers),
		VALUE_INTEGER(share->worker)};
	sqlite3_stmt *row = NULL;
	bool found = false, over = *wanted->user_uuid && *user_uuid;
	enum err err = sqlite_start(self, one ? this : next, values, ARRAY_LEN(values), &row, e);

	if (!err && !over)
		err = sqlite_next(self, row, &found, e);
	if (!err && !found)
		err = error_set(e, ERR_NOT_FOUND, "no user is left whose certificates end");
	if (!err) {
		const char *text = (const char *)sqlite3_column_text(row, 0);

		if (text && strlen(text) < UUID_SIZE)
			snprintf(user_uuid, UUID_SIZE, "%s", text);
		else
			err = text ? error_set(e, ERR_CONFIG, "a user has a UUID that is too long")
				   : error_memory(e);
	}
	sqlite_done(row);
	return err;
}

enum err sqlite_renewal_count(
	void *self, const struct store_renewal *wanted, int64_t *users, struct error *e)
{
	static const char sql[] = "SELECT count(*) FROM (SELECT 1" DUE
				  "	AND (?4 = '' OR c.user_uuid = ?4) GROUP BY c.user_uuid)";
	const struct value values[] = {DUE_VALUES(wanted), VALUE_TEXT(wanted->user_uuid)};

	return sqlite_integer(self, sql, values, ARRAY_LEN(values), 0, users, e);
}

enum err sqlite_renewal_list(void *self, const struct store_renewal *wanted, const char *user_uuid,
	struct credential **out, size_t *count, struct error *e)
{
	static const char sql[] = "SELECT " CREDENTIAL_BUT_KEY DUE
				  "	AND c.user_uuid = ?4 ORDER BY c.not_after, c.id";
	const struct value values[] = {DUE_VALUES(wanted), VALUE_TEXT(user_uuid)};

	return sqlite_credentials(self, sql, values, ARRAY_LEN(values), out, count, e);
}

/* --- in hand */

#define DEVICES                                                               \
	" IN (SELECT device_uuid, user_uuid FROM device WHERE user_uuid = ?1" \
	"	AND state = 'enrolled')"

static enum err is_free(struct sqlite *db, const char *user_uuid, bool *out, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM lease"
		" WHERE (device_uuid, user_uuid)" DEVICES "	AND " LEASE_IS_LIVE("?2");
	const struct value values[] = {VALUE_TEXT(user_uuid), VALUE_INTEGER(clock_now())};
	int64_t live = 0;
	enum err err = sqlite_integer(db, sql, values, ARRAY_LEN(values), 0, &live, e);

	if (!err)
		*out = live == 0;
	return err;
}

static enum err take(struct sqlite *db, const char *user_uuid, int64_t lease, struct error *e)
{
	static const char forget[] = "DELETE FROM lease WHERE (device_uuid, user_uuid)" DEVICES;
	static const char add[] =
		"INSERT INTO lease (device_uuid, user_uuid, event_id, until, claimed,"
		"	holder) SELECT device_uuid, user_uuid, 0, ?2, 1, ?3 FROM device"
		"	WHERE user_uuid = ?1 AND state = 'enrolled'";
	const struct value values[] = {VALUE_TEXT(user_uuid), VALUE_INTEGER(clock_now() + lease),
		VALUE_TEXT(sqlite_holder(db))};
	enum err err = sqlite_run(db, forget, values, 1, e);

	return err ? err : sqlite_run(db, add, values, ARRAY_LEN(values), e);
}

enum err sqlite_user_claim(
	void *self, const char *user_uuid, int64_t lease, bool *claimed, struct error *e)
{
	struct sqlite *db = self;
	bool ours = false;
	enum err err = sqlite_leases_sweep(db, e);

	if (!err)
		err = sqlite_begin(db, e);

	if (err)
		return err;
	err = is_free(db, user_uuid, &ours, e);
	if (!err && ours)
		err = take(db, user_uuid, lease, e);
	err = sqlite_end(db, err, e);
	if (!err)
		*claimed = ours;
	return err;
}

static enum err run_alone(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, struct error *e)
{
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_run(db, sql, values, count, e);
	return sqlite_end(db, err, e);
}

enum err sqlite_user_keep(void *self, const char *user_uuid, int64_t lease, struct error *e)
{
	static const char sql[] = "UPDATE lease SET until = ?2"
				  " WHERE event_id = 0 AND (device_uuid, user_uuid)" DEVICES;
	const struct value values[] = {VALUE_TEXT(user_uuid), VALUE_INTEGER(clock_now() + lease)};

	return run_alone(self, sql, values, ARRAY_LEN(values), e);
}

/* Of a device that was unenrolled meanwhile, too. */
enum err sqlite_user_release(void *self, const char *user_uuid, struct error *e)
{
	static const char sql[] =
		"DELETE FROM lease WHERE event_id = 0 AND (device_uuid, user_uuid)"
		" IN (SELECT device_uuid, user_uuid FROM device WHERE user_uuid = ?1)";
	const struct value values[] = {VALUE_TEXT(user_uuid)};

	return run_alone(self, sql, values, ARRAY_LEN(values), e);
}

enum err sqlite_user_enrollment(
	void *self, const char *user_uuid, struct blob *out, int64_t *time, struct error *e)
{
	/* Unlike device.event_id, with changes of address. A refused one has no say. */
	static const char sql[] = "SELECT payload, time, id FROM event WHERE id ="
				  " (SELECT v.id FROM device AS d"
				  "	JOIN event AS v USING (device_uuid, user_uuid)"
				  "	WHERE d.user_uuid = ?1 AND d.state = 'enrolled'"
				  "	AND v.kind = 'enrolled'"
				  "	AND (v.state = 'delivered' OR v.id = d.event_id)"
				  "	ORDER BY v.id DESC LIMIT 1)";
	const struct value values[] = {VALUE_TEXT(user_uuid)};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(self, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "user %s has no enrolled device", user_uuid);
	if (!err)
		err = sqlite_event_check(self, sqlite3_column_int64(row, 2), e);
	if (!err)
		err = sqlite_blob(row, 0, out, e);
	if (!err)
		*time = sqlite3_column_int64(row, 1);
	sqlite_done(row);
	return err;
}
