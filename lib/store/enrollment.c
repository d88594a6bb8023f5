#include <stdlib.h>

#include "base/clock.h"
#include "store/sqlite.h"

/*
 * The writes of an enrollment once its user is known: the user, the device, and that no other user
 * has the device any more. Until then there is the event alone.
 */

/*
 * ?1: the event, ?2: devices may be shared. An enrollment has no say any more where the device was
 * unenrolled, or taken over by another user, after it: by the order of arrival, or by UEM's time.
 */
#define OVERTAKEN                                                                  \
	" EXISTS (SELECT 1 FROM event AS this JOIN event AS o USING (device_uuid)" \
	"	WHERE this.id = ?1 AND o.id != ?1 AND (o.id > ?1 OR o.time > this.time)" \
	"	AND ((o.kind = 'unenrolled' AND o.state IN ('recorded', 'pending'))"     \
	"		OR (NOT ?2 AND o.kind = 'enrolled' AND o.user_uuid != this.user_uuid"   \
	"			AND EXISTS (SELECT 1 FROM device AS d"                                 \
	"				WHERE d.device_uuid = o.device_uuid"                                  \
	"				AND d.user_uuid = o.user_uuid"                                        \
	"				AND d.event_id = o.id AND d.state = 'enrolled'))))"

/*
 * The same by the audit trail, where somebody has deleted the other event: what was received after
 * this one has ended the device. Entries of one event have the same request id.
 */
#define OVERTAKEN_BY_TRAIL                                                          \
	" EXISTS (SELECT 1 FROM event AS this CROSS JOIN row_mac AS m"              \
	"		ON m.kind = 'event' AND m.id = CAST(this.id AS TEXT)"                    \
	"	CROSS JOIN audit AS x ON x.device_uuid = this.device_uuid"                \
	"		AND x.device_uuid != '' AND x.id > m.audit_id + 1"                       \
	"	CROSS JOIN audit AS r ON r.device_uuid = this.device_uuid"                \
	"		AND r.device_uuid != '' AND r.id > m.audit_id + 1"                       \
	"		AND r.request_id = x.request_id"                                         \
	"	WHERE this.id = ?1 AND x.action = 'unenrolled' AND r.action = 'received'" \
	"	AND x.request_id != '' AND (x.detail != '" ENDED_BY_OTHER "'"       \
	"		OR (NOT ?2 AND x.user_uuid = this.user_uuid)))"

static enum err is_overtaken(struct sqlite *db, int64_t id, bool shared, bool *out, struct error *e)
{
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(shared)};
	int64_t found = 0;
	enum err err = sqlite_integer(db, "SELECT" OVERTAKEN " OR" OVERTAKEN_BY_TRAIL, values,
		ARRAY_LEN(values), 0, &found, e);

	if (!err)
		*out = found != 0;
	return err;
}

static enum err add_user(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"INSERT INTO user (user_uuid, user_name, mail, added_at, updated_at)"
		" SELECT user_uuid, user_name, '', received_at, received_at FROM event"
		"	WHERE id = ?1"
		" ON CONFLICT (user_uuid) DO UPDATE"
		" SET user_name = excluded.user_name, updated_at = excluded.updated_at"
		" WHERE excluded.user_name NOT IN ('', user.user_name)";
	const struct value values[] = {VALUE_INTEGER(id)};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

/* An enrollment that is finished after a later one of the same user leaves the device to that. */
static enum err add_device(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"INSERT INTO device (device_uuid, user_uuid, state, device_name, platform,"
		"	event_id, enrolled_at, updated_at)"
		" SELECT device_uuid, user_uuid, 'enrolled', device_name, platform, id,"
		"	received_at, received_at FROM event WHERE id = ?1"
		" ON CONFLICT (device_uuid, user_uuid) DO UPDATE"
		" SET state = excluded.state, device_name = excluded.device_name,"
		"	platform = excluded.platform, event_id = excluded.event_id,"
		"	enrolled_at = excluded.enrolled_at, updated_at = excluded.updated_at"
		" WHERE device.event_id < excluded.event_id OR device.state != 'enrolled'"
		" RETURNING device_uuid || ' ' || user_uuid";
	const struct value values[] = {VALUE_INTEGER(id)};

	return sqlite_rows_sign(db, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

/* One other user who has the device, if there is one, loses it. ERR_NOT_FOUND: there is none. */
static enum err end_other(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE device SET state = 'unenrolled', updated_at = ?2"
		" WHERE (device_uuid, user_uuid) = (SELECT d.device_uuid, d.user_uuid"
		"	FROM event AS this JOIN device AS d USING (device_uuid)"
		"	WHERE this.id = ?1 AND d.user_uuid != this.user_uuid"
		"	AND d.state = 'enrolled' LIMIT 1)"
		" RETURNING device_uuid, user_uuid";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};
	static const char ended[] = "SELECT ?1 || ' ' || ?2";
	struct store_audit entry = {.action = AUDIT_UNENROLLED, .detail = ENDED_BY_OTHER};
	char *device_uuid = NULL, *user_uuid = NULL;
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_text(row, 0, &device_uuid, e);
	if (!err)
		err = sqlite_text(row, 1, &user_uuid, e);
	sqlite_done(row);
	entry.device_uuid = device_uuid;
	entry.user_uuid = user_uuid;
	if (!err) {
		const struct value pair[] = {VALUE_TEXT(device_uuid), VALUE_TEXT(user_uuid)};

		err = sqlite_rows_sign(db, ROW_DEVICE, ended, pair, ARRAY_LEN(pair), e);
	}
	if (!err)
		err = sqlite_audit(db, &entry, e);
	free(device_uuid);
	free(user_uuid);
	return err;
}

static enum err end_others(struct sqlite *db, int64_t id, struct error *e)
{
	enum err err;

	do {
		err = end_other(db, id, e);
	} while (!err);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Of the device's current enrollment there is nothing to write; most attempts are first ones. */
static enum err is_current(struct sqlite *db, int64_t id, bool *out, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM event AS this JOIN device AS d USING (device_uuid, user_uuid)"
		" WHERE this.id = ?1 AND d.event_id = ?1 AND d.state = 'enrolled'";
	const struct value values[] = {VALUE_INTEGER(id)};
	int64_t found = 0;
	enum err err = sqlite_integer(db, sql, values, ARRAY_LEN(values), 0, &found, e);

	if (!err)
		*out = found != 0;
	return err;
}

static enum err is_unenrollment(struct sqlite *db, int64_t id, bool *out, struct error *e)
{
	static const char sql[] =
		"SELECT count(*) FROM event WHERE id = ?1 AND kind = 'unenrolled'";
	const struct value values[] = {VALUE_INTEGER(id)};
	int64_t found = 0;
	enum err err = sqlite_integer(db, sql, values, ARRAY_LEN(values), 0, &found, e);

	if (!err)
		*out = found != 0;
	return err;
}

static enum err check_device(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] = "SELECT device_uuid || ' ' || user_uuid FROM event WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(id)};

	return sqlite_rows_check(db, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

static enum err accept_enrollment(
	struct sqlite *db, int64_t id, bool shared, bool *out, struct error *e)
{
	bool overtaken = false, current = false;
	enum err err = is_overtaken(db, id, shared, &overtaken, e);

	if (!err)
		err = is_current(db, id, &current, e);
	*out = !overtaken;
	if (!err && current)
		err = check_device(db, id, e);
	if (err || overtaken || current)
		return err;
	err = add_user(db, id, e);
	if (!err)
		err = add_device(db, id, e);
	if (!err && !shared)
		err = end_others(db, id, e);
	return err;
}

enum err sqlite_event_accept(void *self, int64_t id, bool shared, bool *accepted, struct error *e)
{
	struct sqlite *db = self;
	bool taken = true, gone = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_event_check(db, id, e);
	if (!err)
		err = is_unenrollment(db, id, &gone, e);
	if (!err && gone)
		err = sqlite_device_unenroll(db, id, e);
	else if (!err)
		err = accept_enrollment(db, id, shared, &taken, e);
	err = sqlite_end(db, err, e);
	if (!err)
		*accepted = taken;
	return err;
}

enum err sqlite_device_known(void *self, const char *device_uuid, bool *known, struct error *e)
{
	static const char sql[] = "SELECT EXISTS (SELECT 1 FROM device WHERE device_uuid = ?1)"
				  " OR EXISTS (SELECT 1 FROM event WHERE device_uuid = ?1"
				  "	AND kind = 'enrolled' AND state IN ('pending', 'failed'))";
	const struct value values[] = {VALUE_TEXT(device_uuid)};
	int64_t found = 0;
	enum err err = sqlite_integer(self, sql, values, ARRAY_LEN(values), 0, &found, e);

	if (!err)
		*known = found != 0;
	return err;
}
