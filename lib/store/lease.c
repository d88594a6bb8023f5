#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Leases: on events that are due, and on devices that get their credentials again. */

#define LIVE_LEASE(table, now)                                                        \
	"EXISTS (SELECT 1 FROM lease WHERE lease.device_uuid = " table ".device_uuid" \
	"	AND lease.user_uuid = " table ".user_uuid AND " LEASE_IS_LIVE(now) ")"

/* --- leases */

enum err sqlite_lease_take(
	struct sqlite *db, const struct lease *lease, int64_t until, struct error *e)
{
	static const char forget[] = "DELETE FROM lease WHERE device_uuid = ?1 AND user_uuid = ?2"
				     "	AND until <= ?3";
	static const char take[] =
		"INSERT OR REPLACE INTO lease (device_uuid, user_uuid, event_id, until, claimed,"
		"	holder) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	const struct value old[] = {VALUE_TEXT(lease->device_uuid), VALUE_TEXT(lease->user_uuid),
		VALUE_INTEGER(clock_now())};
	const struct value values[] = {VALUE_TEXT(lease->device_uuid), VALUE_TEXT(lease->user_uuid),
		VALUE_INTEGER(lease->event_id), VALUE_INTEGER(until), VALUE_INTEGER(lease->claimed),
		VALUE_TEXT(sqlite_holder(db))};
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
		"SELECT count(*) FROM event AS this JOIN lease USING (device_uuid)"
		" WHERE this.id = ?1 AND lease.event_id != ?1 AND " LEASE_IS_LIVE(
			"?2") "	AND iif(this.kind = 'unenrolled', lease.event_id < ?1,"
			      "		lease.claimed AND lease.user_uuid = this.user_uuid)";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};
	int64_t others = 0;
	enum err err = sqlite_leases_sweep(self, e);

	if (!err)
		err = sqlite_integer(self, sql, values, ARRAY_LEN(values), 0, &others, e);

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

/*
 * Workers share what is to be done by a digit of the device's UUID: one alone works on all events
 * of a device, so that none of them meets a lease of the same run and is left out.
 */
#define SHARED_BY_DEVICE(workers, worker) \
	"unicode(substr(this.device_uuid, 8, 1)) % " workers " = " worker

/* --- events: ?1 all that is pending or failed, ?2 the time, ?3 the inputs of a try */

/* A wait longer than any possible one comes from a wrong clock. */
#define IS_DUE(row)                                                            \
	"(?1 OR (" row ".state = 'pending'"                                    \
	"		AND (" row ".next_at NOT BETWEEN ?2 + 1 AND ?2 + 3600" \
	"			OR " row ".inputs NOT IN ('', ?3)))"           \
	"	OR (" row ".state = 'failed' AND " row ".inputs != ?3))"
_Static_assert(STORE_WAIT_MAX == 3600, "IS_DUE has it as text");

#define DUE                                                                           \
	" FROM event AS this INDEXED BY event_undone"                                 \
	" WHERE this.state IN ('pending', 'failed') AND " IS_DUE(                     \
		"this") "	AND NOT EXISTS (SELECT 1 FROM event AS later"               \
			"		WHERE later.device_uuid = this.device_uuid"                \
			"		AND later.user_uuid = this.user_uuid AND later.id > "      \
			"this.id"                                                     \
			"		AND later.state IN ('pending', 'failed') AND later.state " \
			"= 'pending')"                                                \
			"	AND NOT " LIVE_LEASE("this", "?2")

static enum err find_event(struct sqlite *db, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_claim *out, struct error *e)
{
	static const char sql[] =
		"SELECT id, tries, device_uuid, user_uuid, request_id, received_at, payload" DUE
		"	AND this.id > ?4 AND " SHARED_BY_DEVICE(
			"?5", "?6") " ORDER BY this.id LIMIT 1";
	const struct value values[] = {VALUE_INTEGER(due->now), VALUE_INTEGER(clock_now()),
		VALUE_TEXT(due->inputs), VALUE_INTEGER(after), VALUE_INTEGER(share->workers),
		VALUE_INTEGER(share->worker)};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "no event is left to be taken up");
	if (!err) {
		out->id = sqlite3_column_int64(row, 0);
		out->tries = sqlite3_column_int64(row, 1);
		out->received_at = sqlite3_column_int64(row, 5);
		err = read_pair(row, 2, out->device_uuid, out->user_uuid, e);
	}
	if (!err)
		err = sqlite_text(row, 4, &out->request_id, e);
	if (!err)
		err = sqlite_blob(row, 6, &out->payload, e);
	sqlite_done(row);
	return err;
}

enum err sqlite_event_claim(void *self, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_claim *out, struct error *e)
{
	struct store_claim claim = {.id = 0};
	struct sqlite *db = self;
	enum err err = sqlite_leases_sweep(db, e);

	if (!err)
		err = sqlite_begin(db, e);
	if (err)
		return err;
	err = find_event(db, due, after, share, &claim, e);
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

enum err sqlite_event_due(void *self, const struct store_due *due, int64_t *count, struct error *e)
{
	const struct value values[] = {
		VALUE_INTEGER(due->now), VALUE_INTEGER(clock_now()), VALUE_TEXT(due->inputs)};

	enum err err = sqlite_leases_sweep(self, e);

	return err ? err
		   : sqlite_integer(
			     self, "SELECT count(*)" DUE, values, ARRAY_LEN(values), 0, count, e);
}

/*
 * --- devices: ?4 and ?5 device and user, '' for any; ?1 to ?3 as above, for uploads, ?6 the
 * gateways. Where an event is to be taken up, or another process has leased the device, that brings
 * the upload.
 */

#define ENROLLED                                                          \
	" this.state = 'enrolled' AND (?4 = '' OR this.device_uuid = ?4)" \
	"	AND (?5 = '' OR this.user_uuid = ?5)"

#define ALL " FROM device AS this WHERE" ENROLLED

/* An upload to a gateway that is no longer configured waits for it to come back. */
#define UPLOAD_DUE                                       \
	" u.state IN ('pending', 'failed') AND " IS_DUE( \
		"u") " AND ifnull(instr(?6, char(10) || u.gateway || char(10)), 1)"

#define NO_EVENT                                     \
	" NOT EXISTS (SELECT 1 FROM event AS open"   \
	"	WHERE open.device_uuid = this.device_uuid" \
	"	AND open.user_uuid = this.user_uuid"       \
	"	AND open.state IN ('pending', 'failed')"   \
	"	AND (open.state = 'pending' OR " IS_DUE("open") "))"

#define ALL_DUE                                                     \
	" FROM upload AS u INDEXED BY upload_undone"                \
	"	CROSS JOIN device AS this USING (device_uuid, user_uuid)" \
	" WHERE" UPLOAD_DUE " AND" ENROLLED " AND" NO_EVENT " AND NOT " LIVE_LEASE("this", "?2")

/* Those of one user are few; all uploads that are due may be very many. */
#define ALL_IN_HAND                                              \
	" FROM device AS this INDEXED BY device_user"            \
	"	CROSS JOIN upload AS u USING (device_uuid, user_uuid)" \
	" WHERE this.user_uuid = ?5 AND" ENROLLED " AND" UPLOAD_DUE " AND" NO_EVENT

#define NEXT(uuids, all)                                                                     \
	"SELECT this.device_uuid, this.user_uuid, NOT " LIVE_LEASE(                          \
		"this", "?2") ","                                                            \
			      "	(SELECT coalesce(max(tries), 0) FROM upload AS t"            \
			      "		WHERE t.device_uuid = this.device_uuid AND t.user_uuid = "  \
			      "this.user_uuid"                                               \
			      "		AND t.state != 'delivered')" all "	AND (" uuids \
			      ".device_uuid, " uuids ".user_uuid) > (?7, ?8)"                \
			      "	AND " SHARED_BY_DEVICE("?9", "?10") " ORDER BY " uuids       \
								    ".device_uuid, " uuids   \
								    ".user_uuid LIMIT 1"

#define WANTED_VALUES(db, wanted)                                                                 \
	VALUE_INTEGER((wanted)->due && (wanted)->due->now), VALUE_INTEGER(clock_now()),           \
		VALUE_TEXT((wanted)->due ? (wanted)->due->inputs : ""),                           \
		VALUE_TEXT((wanted)->filter.device_uuid), VALUE_TEXT((wanted)->filter.user_uuid), \
		VALUE_TEXT((db)->gateways)

static enum err find_device(struct sqlite *db, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e)
{
	static const char any[] = NEXT("this", ALL), due[] = NEXT("u", ALL_DUE),
			  in_hand[] = NEXT("this", ALL_IN_HAND);
	const char *sql = !wanted->due ? any : wanted->in_hand ? in_hand : due;
	const struct value values[] = {WANTED_VALUES(db, wanted), VALUE_TEXT(at->pair.device_uuid),
		VALUE_TEXT(at->pair.user_uuid), VALUE_INTEGER(share->workers),
		VALUE_INTEGER(share->worker)};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "no device is left");
	if (!err) {
		struct store_device next = {
			.claimed = wanted->in_hand || sqlite3_column_int(row, 2) != 0,
			.tries = sqlite3_column_int64(row, 3),
		};

		err = read_pair(row, 0, next.pair.device_uuid, next.pair.user_uuid, e);
		if (!err)
			*at = next;
	}
	sqlite_done(row);
	return err;
}

enum err sqlite_device_claim(void *self, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e)
{
	struct store_device next = *at;
	struct sqlite *db = self;
	enum err err = sqlite_leases_sweep(db, e);

	if (!err)
		err = sqlite_begin(db, e);
	if (err)
		return err;
	err = find_device(db, wanted, share, &next, e);
	if (!err && next.claimed) {
		const struct lease lease = {next.pair.device_uuid, next.pair.user_uuid, 0, true};

		err = sqlite_lease_take(db, &lease, clock_now() + share->lease, e);
	}
	err = sqlite_end(db, err, e);
	if (!err)
		*at = next;
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
	void *self, const struct store_wanted *wanted, int64_t *count, struct error *e)
{
	static const char any[] = "SELECT count(*)" ALL;
	static const char due[] = "SELECT count(*) FROM"
				  " (SELECT DISTINCT this.device_uuid, this.user_uuid" ALL_DUE ")";
	struct sqlite *db = self;
	const struct value values[] = {WANTED_VALUES(db, wanted)};
	size_t used = ARRAY_LEN(values) - (wanted->due ? 0 : 1);

	enum err err = sqlite_leases_sweep(db, e);

	return err ? err : sqlite_integer(db, wanted->due ? due : any, values, used, 0, count, e);
}

/* --- a user's devices, none of them leased */

/* The device's UUID, which is all that the statement gives. */
static enum err read_device(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, char out[UUID_SIZE], struct error *e)
{
	sqlite3_stmt *row = NULL;
	char device_uuid[UUID_SIZE], user_uuid[UUID_SIZE];
	enum err err = sqlite_first(db, sql, values, count, &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "no such device is enrolled");
	if (!err)
		err = read_pair(row, 0, device_uuid, user_uuid, e);
	if (!err)
		memcpy(out, device_uuid, UUID_SIZE);
	sqlite_done(row);
	return err;
}

enum err sqlite_device_find(
	void *self, const struct store_pair *pair, char device_uuid[UUID_SIZE], struct error *e)
{
	static const char sql[] = "SELECT device_uuid, user_uuid FROM device"
				  " WHERE user_uuid = ?1 AND state = 'enrolled'"
				  "	AND (?2 = '' OR device_uuid = ?2)"
				  " ORDER BY event_id DESC LIMIT 1";
	const struct value values[] = {VALUE_TEXT(pair->user_uuid), VALUE_TEXT(pair->device_uuid)};

	char found[UUID_SIZE];
	enum err err = read_device(self, sql, values, ARRAY_LEN(values), found, e);

	if (!err) {
		const struct value ids[] = {VALUE_TEXT(found), VALUE_TEXT(pair->user_uuid)};

		err = sqlite_rows_check(
			self, ROW_DEVICE, "SELECT ?1 || ' ' || ?2", ids, ARRAY_LEN(ids), e);
	}
	if (!err)
		memcpy(device_uuid, found, UUID_SIZE);
	return err;
}

enum err sqlite_device_outdated(
	void *self, const char *user_uuid, const char *mail, char at[UUID_SIZE], struct error *e)
{
	static const char sql[] = "SELECT c.device_uuid, c.user_uuid FROM credential AS c"
				  "	JOIN device AS d USING (device_uuid, user_uuid)"
				  " WHERE c.user_uuid = ?1 AND c.usage = 'signing'"
				  "	AND c.state = 'active' AND c.device_uuid > ?3"
				  "	AND c.mail != ?2 COLLATE NOCASE AND d.state = 'enrolled'"
				  " ORDER BY c.device_uuid LIMIT 1";
	const struct value values[] = {VALUE_TEXT(user_uuid), VALUE_TEXT(mail), VALUE_TEXT(at)};

	return read_device(self, sql, values, ARRAY_LEN(values), at, e);
}
