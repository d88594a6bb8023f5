#include "store/sqlite.h"

#include <string.h>

#include "base/clock.h"

/* Events: recorded, and how attempts at them ended. */

static enum err insert_event(struct sqlite *db, const struct store_event *event, int64_t lease,
	int64_t *id, struct error *e)
{
	static const char sql[] =
		"INSERT INTO event (state, next_at, received_at, updated_at, request_id, kind,"
		"	event_type, device_uuid, user_uuid, user_name, device_name, platform,"
		"	payload, time)"
		" VALUES ('pending', ?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		"	CASE WHEN ?12 > 0 THEN ?12 ELSE coalesce((SELECT max(time) FROM event"
		"		WHERE device_uuid = ?6), ?2) END)"
		" RETURNING id";
	const struct value values[] = {
		VALUE_INTEGER(event->received_at + lease),
		VALUE_INTEGER(event->received_at),
		VALUE_TEXT(event->request_id),
		VALUE_TEXT(event->kind),
		VALUE_TEXT(event->event_type),
		VALUE_TEXT(event->device_uuid),
		VALUE_TEXT(event->user_uuid),
		VALUE_TEXT(event->user_name),
		VALUE_TEXT(event->device_name),
		VALUE_TEXT(event->platform),
		VALUE_BLOB(event->payload, event->payload_len),
		VALUE_INTEGER(event->time),
	};
	enum err err = sqlite_rows_sign(db, ROW_EVENT, sql, values, ARRAY_LEN(values), e);

	if (!err)
		*id = sqlite3_last_insert_rowid(db->db);
	return err;
}

enum err sqlite_event_add(
	void *self, const struct store_event *event, int64_t lease, int64_t *id, struct error *e)
{
	struct sqlite *db = self;
	int64_t added = 0;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = insert_event(db, event, lease, &added, e);
	if (!err) {
		const struct lease mine = {event->device_uuid, event->user_uuid, added, false};

		err = sqlite_lease_take(db, &mine, event->received_at + lease, e);
	}
	if (!err) {
		const struct store_audit entry = {
			.action = AUDIT_RECEIVED,
			.device_uuid = event->device_uuid,
			.user_uuid = event->user_uuid,
			.detail = event->event_type,
		};

		err = sqlite_audit(db, &entry, e);
	}
	err = sqlite_end(db, err, e);
	if (!err)
		*id = added;
	return err;
}

enum err sqlite_event_check(void *self, int64_t id, struct error *e)
{
	static const char sql[] = "SELECT CAST(?1 AS TEXT)";
	const struct value values[] = {VALUE_INTEGER(id)};

	return sqlite_rows_check(self, ROW_EVENT, sql, values, ARRAY_LEN(values), e);
}

/* --- the end of an attempt */

static enum err check_event(struct sqlite *db, int64_t id, struct error *e)
{
	const struct value values[] = {VALUE_INTEGER(id)};
	int64_t count = 0;
	enum err err = sqlite_integer(db, "SELECT count(*) FROM event WHERE id = ?1", values,
		ARRAY_LEN(values), 0, &count, e);

	if (!err && count == 0)
		err = error_set(e, ERR_NOT_FOUND, "%s: no event %lld", db->path, (long long)id);
	return err;
}

/*
 * Two attempts may run side by side, at one event or at two of the same device. The one
 * that worked counts: what comes later does not open the event again.
 */
static enum err set_state(
	struct sqlite *db, int64_t id, const struct store_end *end, struct error *e)
{
	static const char sql[] =
		"UPDATE event SET state = ?2, tries = tries + 1, cause = ?3,"
		"	next_at = iif(?2 = 'pending', ?4, NULL), updated_at = ?5, inputs = ?6"
		" WHERE id = ?1"
		"	AND (state IN ('pending', 'failed') OR ?2 IN ('delivered', 'recorded'))";
	const struct value values[] = {
		VALUE_INTEGER(id),
		VALUE_TEXT(event_state_names[end->state]),
		VALUE_TEXT(end->cause ? end->cause : ""),
		VALUE_INTEGER(end->next_at),
		VALUE_INTEGER(clock_now()),
		VALUE_TEXT(end->inputs ? end->inputs : ""),
	};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

static enum err deliver_earlier(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE event SET state = 'delivered', cause = '', next_at = NULL, updated_at = ?2"
		" FROM (SELECT device_uuid, user_uuid FROM event WHERE id = ?1) AS this"
		" WHERE event.device_uuid = this.device_uuid"
		"	AND event.user_uuid = this.user_uuid"
		"	AND event.id < ?1 AND event.kind = 'enrolled'"
		"	AND event.state IN ('pending', 'failed')";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

/* An unenrolled device gets nothing more: its unfinished events are closed. */
static enum err settle_earlier(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE event SET state = 'recorded', cause = 'the device was unenrolled since',"
		"	next_at = NULL, updated_at = ?2"
		" FROM (SELECT device_uuid FROM event"
		"	WHERE id = ?1 AND kind = 'unenrolled') AS this"
		" WHERE event.device_uuid = this.device_uuid"
		"	AND event.id < ?1 AND event.kind = 'enrolled'"
		"	AND event.state IN ('pending', 'failed')";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

/* The event may be an old one that was finished late: a user who came back since stays. */
enum err sqlite_device_unenroll(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE device SET state = 'unenrolled', updated_at = ?2"
		" FROM (SELECT device_uuid FROM event"
		"	WHERE id = ?1 AND kind = 'unenrolled') AS this"
		" WHERE device.device_uuid = this.device_uuid AND device.state = 'enrolled'"
		"	AND device.event_id < ?1"
		" RETURNING device.device_uuid || ' ' || device.user_uuid";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};

	return sqlite_rows_sign(db, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

/* Those who came back while this one was being finished: its audit entry does not end them. */
static enum err keep_later(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"SELECT d.device_uuid || ' ' || d.user_uuid"
		" FROM event AS this JOIN device AS d USING (device_uuid)"
		" WHERE this.id = ?1 AND this.kind = 'unenrolled' AND d.state = 'enrolled'";
	const struct value values[] = {VALUE_INTEGER(id)};

	return sqlite_rows_renew(db, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

/* The event's device and user, for the audit trail. */
static enum err audit_event(struct sqlite *db, int64_t id, enum audit_action action,
	const char *detail, struct error *e)
{
	static const char sql[] = "SELECT device_uuid, user_uuid FROM event WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(id)};
	struct store_audit entry = {.action = action, .detail = detail};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "%s: no event %lld", db->path, (long long)id);
	if (!err) {
		entry.device_uuid = (const char *)sqlite3_column_text(row, 0);
		entry.user_uuid = (const char *)sqlite3_column_text(row, 1);
		err = sqlite_audit(db, &entry, e);
	}
	sqlite_done(row);
	return err;
}

/* The effects of an attempt, apart from its uploads, which have their own entries. */
static enum err audit_end(
	struct sqlite *db, int64_t id, const struct store_end *end, struct error *e)
{
	bool overtaken = end->state == EVENT_STATE_RECORDED && end->cause && *end->cause;

	if (end->state == EVENT_STATE_RECORDED && !overtaken)
		return audit_event(db, id, AUDIT_UNENROLLED, NULL, e);
	if (end->state == EVENT_STATE_FAILED || overtaken)
		return audit_event(db, id, AUDIT_REFUSED, end->cause, e);
	return ERR_OK;
}

static enum err finish(struct sqlite *db, int64_t id, const struct store_end *end, struct error *e)
{
	enum err err = check_event(db, id, e);

	for (size_t i = 0; !err && i < end->upload_count; i++)
		err = sqlite_upload(db, &end->upload[i], e);
	if (!err)
		err = set_state(db, id, end, e);
	if (!err && end->state == EVENT_STATE_DELIVERED)
		err = deliver_earlier(db, id, e);
	if (!err && end->state == EVENT_STATE_RECORDED)
		err = sqlite_device_unenroll(db, id, e);
	if (!err && end->state == EVENT_STATE_RECORDED)
		err = settle_earlier(db, id, e);
	if (!err)
		err = audit_end(db, id, end, e);
	if (!err && end->state == EVENT_STATE_RECORDED)
		err = keep_later(db, id, e);
	return err ? err : sqlite_lease_end(db, id, e);
}

enum err sqlite_event_finish(void *self, int64_t id, const struct store_end *end, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = finish(db, id, end, e);
	return sqlite_end(db, err, e);
}
