/*
 * What is due: the events to take up, and the devices whose uploads are to be made again. Both are
 * leased as they are found, with lease.c.
 */
#include "store/due.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/handle.h"
#include "store/lease.h"
#include "store/lease_sweep.h"

void store_leased_event_fini(struct store_leased_event *event)
{
	free(event->request_id);
	blob_free(&event->payload);
	*event = (struct store_leased_event){.id = 0};
}

/* Of the row of an event or a device that is called "this". */
#define LIVE_LEASE                                    \
	"EXISTS (SELECT 1 FROM lease"                 \
	"	WHERE lease.device_uuid = this.device_uuid" \
	"	AND lease.user_uuid = this.user_uuid AND " LEASE_IS_LIVE ")"

static enum err read_pair(
	const struct db_rows *row, int column, struct store_pair *out, struct error *e)
{
	enum err err = db_copy_name(row, column, out->device_uuid, UUID_SIZE, e);

	return err ? err : db_copy_name(row, column + 1, out->user_uuid, UUID_SIZE, e);
}

#define SHARE SHARE_OF("this.device_uuid")

/* --- events: $1 all that is pending or failed, $2 the time, $3 the inputs of a try */

/*
 * A wait longer than any possible one comes from a wrong clock. coalesce() keeps SQLite to the
 * index that has what is pending or failed in the order of ids: see version 13 of the schema.
 */
#define IS_UNDONE(row) "coalesce(" row ".state, '') IN ('pending', 'failed')"
#define IS_DUE(row)                                                            \
	"($1 OR (" row ".state = 'pending'"                                    \
	"		AND (" row ".next_at NOT BETWEEN $2 + 1 AND $2 + 3600" \
	"			OR " row ".inputs NOT IN ('', $3)))"           \
	"	OR (" row ".state = 'failed' AND " row ".inputs != $3))"
_Static_assert(STORE_WAIT_MAX == 3600, "IS_DUE has it as text");

#define THIS_IS_UNDONE IS_UNDONE("this")
#define THIS_IS_DUE IS_DUE("this")

#define DUE_EVENTS                                                     \
	"FROM event AS this WHERE " THIS_IS_UNDONE " AND " THIS_IS_DUE \
	"	AND NOT EXISTS (SELECT 1 FROM event AS later"                \
	"		WHERE later.device_uuid = this.device_uuid"                 \
	"		AND later.user_uuid = this.user_uuid"                       \
	"		AND later.id > this.id"                                     \
	"		AND later.state IN ('pending', 'failed')"                   \
	"		AND later.state = 'pending'"                                \
	"		AND (this.kind != 'address changed'"                        \
	"			OR later.kind = this.kind))"                               \
	"	AND ($1 OR NOT " LIVE_LEASE ")"

static enum err find_event(struct store *store, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_leased_event *out, struct error *e)
{
	static const char sql[] =
		"SELECT id, tries, device_uuid, user_uuid, request_id, received_at, payload,"
		"	NOT " LIVE_LEASE " " DUE_EVENTS " AND this.id > $4 AND " SHARE " % $5 = $6"
		" ORDER BY this.id LIMIT 1";
	const struct db_value values[] = {DB_BOOLEAN(due->now), DB_INTEGER(clock_now()),
		DB_TEXT(due->inputs), DB_INTEGER(after), DB_INTEGER(share->workers),
		DB_INTEGER(share->worker)};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "no event is left to be taken up");
	if (!err)
		err = read_pair(row, 2, &out->pair, e);
	if (!err) {
		out->id = db_column_integer(row, 0);
		out->tries = db_column_integer(row, 1);
		out->received_at = db_column_integer(row, 5);
		out->leased = db_column_integer(row, 7) != 0;
		err = db_copy_text(row, 4, &out->request_id, e);
	}
	if (!err)
		err = db_copy_blob(row, 6, &out->payload, e);
	db_done(row);
	return err;
}

enum err store_event_lease(struct store *store, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_leased_event *out, struct error *e)
{
	struct store_leased_event found = {.id = 0};
	enum err err = leases_sweep(store, e);

	if (err)
		return err;
	do {
		store_leased_event_fini(&found);
		err = db_begin(store->db, e);
		if (!err)
			err = find_event(store, due, after, share, &found, e);
		if (!err && found.leased) {
			const struct lease lease = {
				found.pair.device_uuid, found.pair.user_uuid, found.id, true};

			err = lease_take(store, &lease, clock_now() + share->lease, e);
		}
	} while (db_end(store->db, &err, e));
	if (err)
		store_leased_event_fini(&found);
	else
		*out = found;
	return err;
}

enum err store_event_due(
	struct store *store, const struct store_due *due, int64_t *count, struct error *e)
{
	static const char sql[] = "SELECT count(*) " DUE_EVENTS;
	const struct db_value values[] = {
		DB_BOOLEAN(due->now), DB_INTEGER(clock_now()), DB_TEXT(due->inputs)};
	enum err err = leases_sweep(store, e);

	return err ? err : db_integer(store->db, sql, values, ARRAY_LEN(values), 0, count, e);
}

/*
 * --- devices: $4 and $5 device and user, '' for any; $1 to $3 as above, for uploads, $6 the
 * gateways. A device with an event that is due is left out, as the event brings the upload; so is
 * one that another process has leased.
 */

#define IS_ENROLLED                                                      \
	"this.state = 'enrolled' AND ($4 = '' OR this.device_uuid = $4)" \
	"	AND ($5 = '' OR this.user_uuid = $5)"

#define ALL_DEVICES "FROM device AS this WHERE " IS_ENROLLED

/* An upload to a gateway that is no longer configured waits for it to come back. */
#define IS_CONFIGURED(row) "($6 IS NULL OR replace($6, '\n' || " row ".gateway || '\n', '') != $6)"
#define THIS_IS_CONFIGURED IS_CONFIGURED("this")
#define U_IS_CONFIGURED IS_CONFIGURED("u")
#define U_IS_DUE IS_DUE("u")
#define OPEN_IS_DUE IS_DUE("open")

#define NO_EVENT                                     \
	"NOT EXISTS (SELECT 1 FROM event AS open"    \
	"	WHERE open.device_uuid = this.device_uuid" \
	"	AND open.user_uuid = this.user_uuid"       \
	"	AND open.state IN ('pending', 'failed')"   \
	"	AND (open.state = 'pending' OR " OPEN_IS_DUE "))"

/* From the uploads that are undone to their devices: SQLite does not turn that around. */
#define DUE_DEVICES                                                                \
	"FROM upload AS this WHERE " THIS_IS_UNDONE " AND " THIS_IS_DUE            \
	"	AND " THIS_IS_CONFIGURED "	AND ($4 = '' OR this.device_uuid = $4)" \
	"	AND ($5 = '' OR this.user_uuid = $5)"                                    \
	"	AND EXISTS (SELECT 1 FROM device AS d"                                   \
	"		WHERE d.device_uuid = this.device_uuid"                                 \
	"		AND d.user_uuid = this.user_uuid"                                       \
	"		AND d.state = 'enrolled')"                                              \
	"	AND " NO_EVENT " AND NOT " LIVE_LEASE

/* Those of one user are few; all uploads that are due may be very many. */
#define DUE_OF_USER                                                      \
	"FROM device AS this WHERE this.user_uuid = $5 AND " IS_ENROLLED \
	"	AND EXISTS (SELECT 1 FROM upload AS u"                         \
	"		WHERE u.device_uuid = this.device_uuid"                       \
	"		AND u.user_uuid = this.user_uuid"                             \
	"		AND u.state IN ('pending', 'failed')"                         \
	"		AND " U_IS_DUE " AND " U_IS_CONFIGURED ")"

#define DUE_IN_HAND DUE_OF_USER " AND " NO_EVENT
#define DUE_BY_EVENT DUE_OF_USER " AND NOT " NO_EVENT

#define NEXT(all)                                                      \
	"SELECT this.device_uuid, this.user_uuid, NOT " LIVE_LEASE "," \
	"	(SELECT coalesce(max(tries), 0) FROM upload AS t"            \
	"		WHERE t.device_uuid = this.device_uuid"                     \
	"		AND t.user_uuid = this.user_uuid"                           \
	"		AND t.state != 'delivered')"                                \
	" " all "	AND (this.device_uuid, this.user_uuid) > ($7, $8)"   \
	"	AND " SHARE " % $9 = $10"                              \
	" ORDER BY this.device_uuid, this.user_uuid LIMIT 1"

#define WANTED_VALUES(store, wanted)                                                        \
	DB_BOOLEAN((wanted)->due && (wanted)->due->now), DB_INTEGER(clock_now()),           \
		DB_TEXT((wanted)->due ? (wanted)->due->inputs : ""),                        \
		DB_TEXT((wanted)->filter.device_uuid), DB_TEXT((wanted)->filter.user_uuid), \
		DB_TEXT((store)->gateways)

static enum err find_device(struct store *store, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e)
{
	static const char any[] = NEXT(ALL_DEVICES), due[] = NEXT(DUE_DEVICES),
			  in_hand[] = NEXT(DUE_IN_HAND), by_event[] = NEXT(DUE_BY_EVENT);
	const char *sql = !wanted->due	     ? any
			  : wanted->in_hand  ? in_hand
			  : wanted->by_event ? by_event
					     : due;
	const struct db_value values[] = {WANTED_VALUES(store, wanted),
		DB_TEXT(at->pair.device_uuid), DB_TEXT(at->pair.user_uuid),
		DB_INTEGER(share->workers), DB_INTEGER(share->worker)};
	struct db_rows *row = NULL;
	struct store_device next;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "no device is left");
	if (!err)
		err = read_pair(row, 0, &next.pair, e);
	if (!err) {
		next.leased =
			!wanted->by_event && (wanted->in_hand || db_column_integer(row, 2) != 0);
		next.tries = db_column_integer(row, 3);
		*at = next;
	}
	db_done(row);
	return err;
}

enum err store_device_lease(struct store *store, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e)
{
	struct store_device next;
	enum err err = leases_sweep(store, e);

	if (err)
		return err;
	do {
		next = *at;
		err = db_begin(store->db, e);
		if (!err)
			err = find_device(store, wanted, share, &next, e);
		if (!err && next.leased) {
			const struct lease lease = {
				next.pair.device_uuid, next.pair.user_uuid, 0, true};

			err = lease_take(store, &lease, clock_now() + share->lease, e);
		}
	} while (db_end(store->db, &err, e));
	if (!err)
		*at = next;
	return err;
}

enum err store_device_enrolled(
	struct store *store, const struct store_wanted *wanted, int64_t *count, struct error *e)
{
	static const char any[] = "SELECT count(*) " ALL_DEVICES;
	static const char due[] =
		"SELECT count(*) FROM (SELECT DISTINCT this.device_uuid, this.user_uuid " DUE_DEVICES
		") AS found";
	const struct db_value values[] = {WANTED_VALUES(store, wanted)};
	enum err err = leases_sweep(store, e);

	return err ? err
		   : db_integer(store->db, wanted->due ? due : any, values, ARRAY_LEN(values), 0,
			     count, e);
}
