#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Who works on what: events that are due, and devices that get their credentials again. */

/* A lease that is longer than any is one from a clock that was wrong. */
#define IS_LIVE(now) "lease.until > " now " AND lease.until <= " now " + 3600"
#define LIVE_LEASE(table, now)                                                        \
	"EXISTS (SELECT 1 FROM lease WHERE lease.device_uuid = " table ".device_uuid" \
	"	AND lease.user_uuid = " table ".user_uuid AND " IS_LIVE(now) ")"

_Static_assert(STORE_LEASE_MAX == 3600, "IS_LIVE has it as text");

/* --- leases */

enum err sqlite_lease_take(
	struct sqlite *db, const struct lease *lease, int64_t until, struct error *e)
{
	static const char forget[] = "DELETE FROM lease WHERE device_uuid = ?1 AND user_uuid = ?2"
				     "	AND until <= ?3";
	static const char take[] =
		"INSERT OR REPLACE INTO lease (device_uuid, user_uuid, event_id, until, claimed)"
		" VALUES (?1, ?2, ?3, ?4, ?5)";
	const struct value old[] = {VALUE_TEXT(lease->device_uuid), VALUE_TEXT(lease->user_uuid),
		VALUE_INTEGER(clock_now())};
	const struct value values[] = {VALUE_TEXT(lease->device_uuid), VALUE_TEXT(lease->user_uuid),
		VALUE_INTEGER(lease->event_id), VALUE_INTEGER(until),
		VALUE_INTEGER(lease->claimed)};
	enum err err = sqlite_run(db, forget, old, ARRAY_LEN(old), e);

	return err ? err : sqlite_run(db, take, values, ARRAY_LEN(values), e);
}

enum err sqlite_lease_end(struct sqlite *db, int64_t event_id, struct error *e)
{
	static const char sql[] = "DELETE FROM lease"
				  " WHERE (device_uuid, user_uuid, event_id) IN"
				  "	(SELECT device_uuid, user_uuid, id FROM event"
				  "	WHERE id = ?1)";
	const struct value values[] = {VALUE_INTEGER(event_id)};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

enum err sqlite_event_turn(void *self, int64_t id, bool *ours, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM event AS this JOIN lease USING (device_uuid, user_uuid)"
		" WHERE this.id = ?1 AND lease.event_id != ?1 AND lease.claimed"
		"	AND " IS_LIVE("?2");
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};
	int64_t others = 0;
	enum err err = sqlite_integer(self, sql, values, ARRAY_LEN(values), 0, &others, e);

	if (!err)
		*ours = others == 0;
	return err;
}

static enum err read_pair(sqlite3_stmt *row, int column, char device_uuid[UUID_SIZE],
	char user_uuid[UUID_SIZE], struct error *e)
{
	const char *device = (const char *)sqlite3_column_text(row, column);
	const char *user = (const char *)sqlite3_column_text(row, column + 1);

	if (!device || !user)
		return error_memory(e);
	if (strlen(device) >= UUID_SIZE || strlen(user) >= UUID_SIZE)
		return error_set(e, ERR_CONFIG, "a device or user has a UUID that is too long");
	snprintf(device_uuid, UUID_SIZE, "%s", device);
	snprintf(user_uuid, UUID_SIZE, "%s", user);
	return ERR_OK;
}

/* --- events: ?1 whatever is pending or failed, ?2 the time */

#define DUE                                                                       \
	" FROM event AS this INDEXED BY event_undone"                             \
	" WHERE this.state IN ('pending', 'failed')"                              \
	"	AND (?1 OR (this.state = 'pending' AND this.next_at <= ?2))"            \
	"	AND NOT EXISTS (SELECT 1 FROM event AS later"                           \
	"		WHERE later.device_uuid = this.device_uuid"                            \
	"		AND later.user_uuid = this.user_uuid AND later.id > this.id"           \
	"		AND later.state IN ('pending', 'failed') AND later.state = 'pending')" \
	"	AND NOT " LIVE_LEASE("this", "?2")

static enum err find_event(struct sqlite *db, bool now, int64_t after,
	const struct store_share *share, struct store_claim *out, struct error *e)
{
	static const char sql[] =
		"SELECT id, tries, device_uuid, user_uuid, request_id, payload" DUE
		"	AND this.id > ?3 AND this.id % ?4 = ?5 ORDER BY this.id LIMIT 1";
	const struct value values[] = {VALUE_INTEGER(now), VALUE_INTEGER(clock_now()),
		VALUE_INTEGER(after), VALUE_INTEGER(share->workers), VALUE_INTEGER(share->worker)};
	sqlite3_stmt *row = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_next(db, row, &found, e);
	if (!err && !found)
		err = error_set(e, ERR_NOT_FOUND, "no event is left to be taken up");
	if (!err) {
		out->id = sqlite3_column_int64(row, 0);
		out->tries = sqlite3_column_int64(row, 1);
		err = read_pair(row, 2, out->device_uuid, out->user_uuid, e);
	}
	if (!err)
		err = sqlite_text(row, 4, &out->request_id, e);
	if (!err)
		err = sqlite_blob(row, 5, &out->payload, e);
	sqlite_done(row);
	return err;
}

enum err sqlite_event_claim(void *self, bool now, int64_t after, const struct store_share *share,
	struct store_claim *out, struct error *e)
{
	struct store_claim claim = {.id = 0};
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = find_event(db, now, after, share, &claim, e);
	if (!err) {
		const struct lease lease = {claim.device_uuid, claim.user_uuid, claim.id, true};

		err = sqlite_lease_take(db, &lease, clock_now() + share->lease, e);
	}
	err = sqlite_end(db, err, e);
	if (err)
		store_claim_fini(&claim);
	else
		*out = claim;
	return err;
}

enum err sqlite_event_due(void *self, bool now, int64_t *count, struct error *e)
{
	const struct value values[] = {VALUE_INTEGER(now), VALUE_INTEGER(clock_now())};

	return sqlite_integer(self, "SELECT count(*)" DUE, values, ARRAY_LEN(values), 0, count, e);
}

/* --- devices: ?1 and ?2 device and user, '' for any */

#define ENROLLED                                \
	" FROM device WHERE state = 'enrolled'" \
	"	AND (?1 = '' OR device_uuid = ?1)"    \
	"	AND (?2 = '' OR user_uuid = ?2)"

static enum err find_device(struct sqlite *db, const struct store_pair *filter,
	const struct store_share *share, struct store_pair *at, bool *leased, struct error *e)
{
	/* Workers share the devices by a digit of their UUID. */
	static const char sql[] = "SELECT device_uuid, user_uuid, " LIVE_LEASE("device", "?7")
		ENROLLED "	AND (device_uuid, user_uuid) > (?3, ?4)"
			 "	AND unicode(substr(device_uuid, 8, 1)) % ?5 = ?6"
			 " ORDER BY device_uuid, user_uuid LIMIT 1";
	const struct value values[] = {VALUE_TEXT(filter->device_uuid),
		VALUE_TEXT(filter->user_uuid), VALUE_TEXT(at->device_uuid),
		VALUE_TEXT(at->user_uuid), VALUE_INTEGER(share->workers),
		VALUE_INTEGER(share->worker), VALUE_INTEGER(clock_now())};
	sqlite3_stmt *row = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_next(db, row, &found, e);
	if (!err && !found)
		err = error_set(e, ERR_NOT_FOUND, "no device is left");
	if (!err)
		*leased = sqlite3_column_int(row, 2) != 0;
	if (!err) {
		struct store_pair next;

		err = read_pair(row, 0, next.device_uuid, next.user_uuid, e);
		if (!err)
			*at = next;
	}
	sqlite_done(row);
	return err;
}

enum err sqlite_device_claim(void *self, const struct store_pair *filter,
	const struct store_share *share, struct store_pair *at, bool *claimed, struct error *e)
{
	struct store_pair next = *at;
	struct sqlite *db = self;
	bool leased = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = find_device(db, filter, share, &next, &leased, e);
	if (!err && !leased) {
		const struct lease lease = {next.device_uuid, next.user_uuid, 0, true};

		err = sqlite_lease_take(db, &lease, clock_now() + share->lease, e);
	}
	err = sqlite_end(db, err, e);
	if (!err) {
		*at = next;
		*claimed = !leased;
	}
	return err;
}

enum err sqlite_device_release(void *self, const struct store_pair *pair, struct error *e)
{
	static const char sql[] = "DELETE FROM lease WHERE device_uuid = ?1 AND user_uuid = ?2"
				  "	AND event_id = 0";
	const struct value values[] = {VALUE_TEXT(pair->device_uuid), VALUE_TEXT(pair->user_uuid)};
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);
	return sqlite_end(db, err, e);
}

enum err sqlite_device_enrolled(
	void *self, const struct store_pair *filter, int64_t *count, struct error *e)
{
	const struct value values[] = {
		VALUE_TEXT(filter->device_uuid), VALUE_TEXT(filter->user_uuid)};

	return sqlite_integer(
		self, "SELECT count(*)" ENROLLED, values, ARRAY_LEN(values), 0, count, e);
}
