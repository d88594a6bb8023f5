/* Events: recorded, and how attempts at them ended. due.c tells which are due. */
#include "store/event.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/enrollment.h"
#include "store/handle.h"
#include "store/lease.h"
#include "store/row_mac.h"
#include "store/upload.h"

/* --- a new one */

static enum err insert(struct store *store, const struct store_event *event, int64_t seconds,
	int64_t *id, struct error *e)
{
	static const char sql[] =
		"INSERT INTO event (state, next_at, received_at, updated_at, request_id, kind,"
		"	event_type, device_uuid, user_uuid, user_name, device_name, platform,"
		"	payload, time)"
		" VALUES ('pending', $1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
		"	CASE WHEN $12 > 0 THEN $12 ELSE coalesce((SELECT max(time) FROM event"
		"		WHERE device_uuid = $6), $2) END)"
		" RETURNING id";
	const struct db_value values[] = {
		DB_INTEGER(event->received_at + seconds),
		DB_INTEGER(event->received_at),
		DB_TEXT(event->request_id),
		DB_TEXT(event->kind),
		DB_TEXT(event->event_type),
		DB_TEXT(event->device_uuid),
		DB_TEXT(event->user_uuid),
		DB_TEXT(event->user_name),
		DB_TEXT(event->device_name),
		DB_TEXT(event->platform),
		DB_BLOB(event->payload, event->payload_len),
		DB_INTEGER(event->time),
	};
	enum err err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, id, e);

	return err ? err : row_sign(store, ROW_EVENT, *id, e);
}

static enum err add(struct store *store, const struct store_event *event, int64_t seconds,
	int64_t *id, struct error *e)
{
	const struct store_audit entry = {
		.action = AUDIT_RECEIVED,
		.device_uuid = event->device_uuid,
		.user_uuid = event->user_uuid,
		.detail = event->event_type,
	};
	enum err err = insert(store, event, seconds, id, e);

	if (!err) {
		const struct lease lease = {event->device_uuid, event->user_uuid, *id, false};

		err = lease_take(store, &lease, event->received_at + seconds, e);
	}
	return err ? err : audit_append(store, &entry, e);
}

enum err store_event_add(struct store *store, const struct store_event *event, int64_t lease,
	int64_t *id, struct error *e)
{
	int64_t added = 0;
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = add(store, event, lease, &added, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*id = added;
	return err;
}

enum err store_event_check(struct store *store, int64_t id, struct error *e)
{
	return row_check(store, ROW_EVENT, id, e);
}

/* --- the end of an attempt */

static enum err check_event(struct store *store, int64_t id, struct error *e)
{
	const struct db_value values[] = {DB_INTEGER(id)};
	int64_t count = 0;
	enum err err = db_integer(store->db, "SELECT count(*) FROM event WHERE id = $1", values,
		ARRAY_LEN(values), 0, &count, e);

	if (!err && count == 0)
		err = error_set(
			e, ERR_NOT_FOUND, "%s: no event %lld", db_name(store->db), (long long)id);
	return err;
}

/*
 * Two attempts may run side by side, at one event or at two of the same device. The one
 * that worked counts: what comes later does not open the event again.
 */
static enum err set_state(
	struct store *store, int64_t id, const struct store_end *end, struct error *e)
{
	static const char sql[] =
		"UPDATE event SET state = $2, tries = tries + 1, cause = $3,"
		"	next_at = CASE WHEN $2 = 'pending' THEN $4 END, updated_at = $5, inputs = "
		"$6"
		" WHERE id = $1"
		"	AND (state IN ('pending', 'failed') OR $2 IN ('delivered', 'recorded'))";
	const struct db_value values[] = {
		DB_INTEGER(id),
		DB_TEXT(event_state_names[end->state]),
		DB_TEXT(text_or_empty(end->cause)),
		DB_INTEGER(end->next_at),
		DB_INTEGER(clock_now()),
		DB_TEXT(text_or_empty(end->inputs)),
	};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

/* A change of address stays open, unless this one is a later change: an enrollment may have none.
 */
static enum err deliver_earlier(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE event SET state = 'delivered', cause = '', next_at = NULL, updated_at = $2"
		" FROM (SELECT device_uuid, user_uuid, kind FROM event WHERE id = $1) AS this"
		" WHERE event.device_uuid = this.device_uuid"
		"	AND event.user_uuid = this.user_uuid"
		"	AND event.id < $1 AND event.kind IN ('enrolled', this.kind)"
		"	AND event.state IN ('pending', 'failed')";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

/*
 * An unenrolled device gets nothing more: its unfinished enrollments are closed. A change of
 * address is also of the user's other devices.
 */
static enum err settle_earlier(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE event SET state = 'recorded', cause = 'the device was unenrolled since',"
		"	next_at = NULL, updated_at = $2"
		" FROM (SELECT device_uuid FROM event"
		"	WHERE id = $1 AND kind = 'unenrolled') AS this"
		" WHERE event.device_uuid = this.device_uuid"
		"	AND event.id < $1 AND event.kind = 'enrolled'"
		"	AND event.state IN ('pending', 'failed')";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

/* Devices that were enrolled again meanwhile: this event's audit entry must not end them. */
static enum err keep_later(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"SELECT d.device_uuid || ' ' || d.user_uuid"
		" FROM event AS this JOIN device AS d USING (device_uuid)"
		" WHERE this.id = $1 AND this.kind = 'unenrolled' AND d.state = 'enrolled'";
	const struct db_value values[] = {DB_INTEGER(id)};

	return rows_renew(store, ROW_DEVICE, sql, values, ARRAY_LEN(values), e);
}

/* The event's device and user, for the audit trail. */
static enum err audit_event(struct store *store, int64_t id, enum audit_action action,
	const char *detail, struct error *e)
{
	static const char sql[] = "SELECT device_uuid, user_uuid FROM event WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id)};
	struct store_audit entry = {.action = action, .detail = detail};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "%s: no event %lld", db_name(store->db), (long long)id);
	if (!err) {
		entry.device_uuid = db_column_text(row, 0);
		entry.user_uuid = db_column_text(row, 1);
		err = audit_append(store, &entry, e);
	}
	db_done(row);
	return err;
}

/* The effects of an attempt, apart from its uploads, which have their own entries. */
static enum err audit_end(
	struct store *store, int64_t id, const struct store_end *end, struct error *e)
{
	bool overtaken = end->state == EVENT_STATE_RECORDED && end->cause && *end->cause;

	if (end->state == EVENT_STATE_RECORDED && !overtaken)
		return audit_event(store, id, AUDIT_UNENROLLED, NULL, e);
	if (end->state == EVENT_STATE_FAILED || overtaken)
		return audit_event(store, id, AUDIT_REFUSED, end->cause, e);
	return ERR_OK;
}

static enum err finish(
	struct store *store, int64_t id, const struct store_end *end, struct error *e)
{
	enum err err = check_event(store, id, e);

	for (size_t i = 0; !err && i < end->upload_count; i++)
		err = upload_write(store, &end->upload[i], e);
	if (!err)
		err = set_state(store, id, end, e);
	if (!err && end->state == EVENT_STATE_DELIVERED)
		err = deliver_earlier(store, id, e);
	if (!err && end->state == EVENT_STATE_RECORDED)
		err = enrollment_end(store, id, e);
	if (!err && end->state == EVENT_STATE_RECORDED)
		err = settle_earlier(store, id, e);
	if (!err)
		err = audit_end(store, id, end, e);
	if (!err && end->state == EVENT_STATE_RECORDED)
		err = keep_later(store, id, e);
	return err ? err : lease_end(store, id, e);
}

enum err store_event_finish(
	struct store *store, int64_t id, const struct store_end *end, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = finish(store, id, end, e);
	} while (db_end(store->db, &err, e));
	return err;
}
