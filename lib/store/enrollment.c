/*
 * Writes what an event says, once its user is known: the user, the device, and that no other user
 * has the device any more. Until then only the event is stored.
 */
#include "store/enrollment.h"

#include "base/clock.h"
#include "store/audit.h"
#include "store/device.h"
#include "store/event.h"
#include "store/handle.h"
#include "store/row_mac.h"

/*
 * $1: the event, $2: devices may be shared. An enrollment is overtaken where the device was
 * unenrolled, or enrolled by another user, after it: by the order of arrival, or by UEM's time.
 */
#define OVERTAKEN                                                                  \
	" EXISTS (SELECT 1 FROM event AS this JOIN event AS o USING (device_uuid)" \
	"	WHERE this.id = $1 AND o.id != $1 AND (o.id > $1 OR o.time > this.time)" \
	"	AND ((o.kind = 'unenrolled' AND o.state IN ('recorded', 'pending'))"     \
	"		OR (NOT $2 AND o.kind = 'enrolled' AND o.user_uuid != this.user_uuid"   \
	"			AND EXISTS (SELECT 1 FROM device AS d"                                 \
	"				WHERE d.device_uuid = o.device_uuid"                                  \
	"				AND d.user_uuid = o.user_uuid"                                        \
	"				AND d.event_id = o.id AND d.state = 'enrolled'))))"

/*
 * The same by the audit trail, in case somebody has deleted the other event: an event that was
 * received after this one has ended the device. Entries of one event have the same request id.
 */
#define OVERTAKEN_BY_TRAIL                                                          \
	" EXISTS (SELECT 1 FROM event AS this JOIN row_mac AS m"                    \
	"		ON m.kind = 'event' AND m.id = CAST(this.id AS TEXT)"                    \
	"	JOIN audit AS x ON x.device_uuid = this.device_uuid"                      \
	"		AND x.device_uuid != '' AND x.id > m.audit_id + 1"                       \
	"	JOIN audit AS r ON r.device_uuid = this.device_uuid"                      \
	"		AND r.device_uuid != '' AND r.id > m.audit_id + 1"                       \
	"		AND r.request_id = x.request_id"                                         \
	"	WHERE this.id = $1 AND x.action = 'unenrolled' AND r.action = 'received'" \
	"	AND x.request_id != '' AND (x.detail != '" ENDED_BY_OTHER "'"       \
	"		OR (NOT $2 AND x.user_uuid = this.user_uuid)))"

static enum err is_overtaken(
	struct store *store, int64_t id, bool shared, bool *out, struct error *e)
{
	const struct db_value values[] = {DB_INTEGER(id), DB_BOOLEAN(shared)};

	return db_true(store->db,
		"SELECT CASE WHEN" OVERTAKEN " OR" OVERTAKEN_BY_TRAIL " THEN 1 ELSE 0 END", values,
		ARRAY_LEN(values), out, e);
}

static enum err add_user(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"INSERT INTO \"user\" AS u (user_uuid, user_name, mail, added_at, updated_at)"
		" SELECT user_uuid, user_name, '', received_at, received_at FROM event"
		"	WHERE id = $1"
		" ON CONFLICT (user_uuid) DO UPDATE"
		" SET user_name = excluded.user_name, updated_at = excluded.updated_at"
		" WHERE excluded.user_name NOT IN ('', u.user_name)";
	const struct db_value values[] = {DB_INTEGER(id)};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

/* If a later enrollment of the same user was finished first, the device stays as that wrote it. */
static enum err add_device(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"INSERT INTO device (device_uuid, user_uuid, state, device_name, platform,"
		"	event_id, enrolled_at, updated_at)"
		" SELECT device_uuid, user_uuid, 'enrolled', device_name, platform, id,"
		"	received_at, received_at FROM event WHERE id = $1"
		" ON CONFLICT (device_uuid, user_uuid) DO UPDATE"
		" SET state = excluded.state, device_name = excluded.device_name,"
		"	platform = excluded.platform, event_id = excluded.event_id,"
		"	enrolled_at = excluded.enrolled_at, updated_at = excluded.updated_at"
		" WHERE device.event_id < excluded.event_id OR device.state != 'enrolled'"
		" RETURNING device_uuid || ' ' || user_uuid";
	const struct db_value values[] = {DB_INTEGER(id)};

	return rows_sign(store, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

/* Unenrolls the device for one other user who has it. ERR_NOT_FOUND: nobody else has it. */
static enum err end_other(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE device SET state = 'unenrolled', updated_at = $2"
		" WHERE (device_uuid, user_uuid) = (SELECT d.device_uuid, d.user_uuid"
		"	FROM event AS this JOIN device AS d USING (device_uuid)"
		"	WHERE this.id = $1 AND d.user_uuid != this.user_uuid"
		"	AND d.state = 'enrolled' LIMIT 1)"
		" RETURNING device_uuid, user_uuid";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};
	struct store_pair pair = {.device_uuid = ""};
	const struct store_audit entry = {.action = AUDIT_UNENROLLED,
		.device_uuid = pair.device_uuid,
		.user_uuid = pair.user_uuid,
		.detail = ENDED_BY_OTHER};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = db_copy_name(row, 0, pair.device_uuid, UUID_SIZE, e);
	if (!err)
		err = db_copy_name(row, 1, pair.user_uuid, UUID_SIZE, e);
	db_done(row);
	if (!err)
		err = device_row_sign(store, pair.device_uuid, pair.user_uuid, e);
	return err ? err : audit_append(store, &entry, e);
}

static enum err end_others(struct store *store, int64_t id, struct error *e)
{
	enum err err;

	do {
		err = end_other(store, id, e);
	} while (!err);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* *out: the event is the device's current enrollment already, so that nothing is to be written. */
static enum err is_current(struct store *store, int64_t id, bool *out, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM event AS this JOIN device AS d USING (device_uuid, user_uuid)"
		" WHERE this.id = $1 AND d.event_id = $1 AND d.state = 'enrolled'";
	const struct db_value values[] = {DB_INTEGER(id)};

	return db_true(store->db, sql, values, ARRAY_LEN(values), out, e);
}

static enum err is_unenrollment(struct store *store, int64_t id, bool *out, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM event WHERE id = $1 AND kind = 'unenrolled'";
	const struct db_value values[] = {DB_INTEGER(id)};

	return db_true(store->db, sql, values, ARRAY_LEN(values), out, e);
}

static enum err check_device(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] = "SELECT device_uuid || ' ' || user_uuid FROM event WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id)};

	return rows_check(store, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

static enum err accept_enrollment(
	struct store *store, int64_t id, bool shared, bool *out, struct error *e)
{
	bool overtaken = false, current = false;
	enum err err = is_overtaken(store, id, shared, &overtaken, e);

	if (!err)
		err = is_current(store, id, &current, e);
	*out = !overtaken;
	if (!err && current)
		err = check_device(store, id, e);
	if (err || overtaken || current)
		return err;
	err = add_user(store, id, e);
	if (!err)
		err = add_device(store, id, e);
	if (!err && !shared)
		err = end_others(store, id, e);
	return err;
}

/* The event may be old and finished late: a device that was enrolled since stays enrolled. */
enum err enrollment_end(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE device SET state = 'unenrolled', updated_at = $2"
		" FROM (SELECT device_uuid FROM event"
		"	WHERE id = $1 AND kind = 'unenrolled') AS this"
		" WHERE device.device_uuid = this.device_uuid AND device.state = 'enrolled'"
		"	AND device.event_id < $1"
		" RETURNING device.device_uuid || ' ' || device.user_uuid";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};

	return rows_sign(store, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

static enum err accept(
	struct store *store, int64_t id, bool shared, bool *accepted, struct error *e)
{
	bool gone = false;
	enum err err = store_event_check(store, id, e);

	*accepted = true;
	if (!err)
		err = is_unenrollment(store, id, &gone, e);
	if (err)
		return err;
	return gone ? enrollment_end(store, id, e)
		    : accept_enrollment(store, id, shared, accepted, e);
}

enum err store_event_accept(
	struct store *store, int64_t id, bool shared, bool *accepted, struct error *e)
{
	bool taken = true;
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = accept(store, id, shared, &taken, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*accepted = taken;
	return err;
}
