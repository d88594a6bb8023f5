/* Lists and counts for people to read. None of them contains key material. */
#include "store/list.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/did_you_mean.h"
#include "config/vocabulary.h"
#include "store/audit.h"
#include "store/handle.h"

const char *const store_table_names[STORE_TABLE_COUNT] = {
	[STORE_DEVICES] = "devices",
	[STORE_USERS] = "users",
	[STORE_CERTIFICATES] = "certificates",
	[STORE_UPLOADS] = "uploads",
	[STORE_EVENTS] = "events",
	[STORE_AUDIT] = "audit",
};

static const char *const device_state_names[] = {"enrolled", "unenrolled"};

/* A state that the table cannot have is a typing error, not an empty list. */
static enum err check_state(enum store_table table, const char *state, struct error *e)
{
	static const struct {
		const char *const *names;
		size_t count;
	} states[STORE_TABLE_COUNT] = {
		[STORE_DEVICES] = {device_state_names, ARRAY_LEN(device_state_names)},
		[STORE_USERS] = {device_state_names, ARRAY_LEN(device_state_names)},
		[STORE_CERTIFICATES] = {credential_state_names, CREDENTIAL_STATE_COUNT},
		[STORE_UPLOADS] = {upload_state_names, UPLOAD_STATE_COUNT},
		[STORE_EVENTS] = {event_state_names, EVENT_STATE_COUNT},
		[STORE_AUDIT] = {audit_action_names, AUDIT_ACTION_COUNT},
	};
	struct buf names = BUF_INIT(ERROR_TEXT_MAX / 2);
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(state);
	char hint[DID_YOU_MEAN_TEXT_SIZE];
	enum err err;

	if (!*state || vocabulary_find(states[table].names, states[table].count, state) >= 0)
		return ERR_OK;
	for (size_t i = 0; i < states[table].count; i++) {
		buf_printf(&names, "%s%s", i ? ", " : "", states[table].names[i]);
		did_you_mean_try(&nearest, states[table].names[i]);
	}
	err = error_set(e, ERR_USAGE, "no state of %s: %.40s; they are %s%s",
		store_table_names[table], state, text_or_empty(names.data),
		did_you_mean_text(&nearest, hint));
	buf_free(&names);
	return err;
}

#define COLUMNS_MAX 16
#define SQL_MAX 4096

/*
 * A list's statement is put together from the conditions that are asked for, so that each can use
 * the index that it needs: a statement with "any, or this" reads every row. "state || ''" and
 * "not_after + 0" keep a condition from choosing the index, where others leave few rows. LEFT JOIN
 * makes SQLite begin with the table that is listed; the user is always there.
 * Parameters: $1 user, $2 device, $3 state, $4 expires before, $5 any, $6 limit. Columns named
 * not_… and …_at are times.
 */
struct list {
	const char *select, *order;
	const char *user, *device, *any;
	const char *expires, *state, *enrolled, *alone;
	/* If no other condition leaves few rows; NULL: the same. */
	const char *expires_alone, *state_alone;
};

#define USERS_CALLED(name)                                                         \
	"(SELECT user_uuid FROM \"user\""                                          \
	" WHERE user_uuid = lower(" name ") OR lower(user_name) = lower(" name ")" \
	"	OR lower(mail) = lower(" name "))"
#define DEVICES_CALLED(name)                \
	"(SELECT lower(" name ") UNION ALL" \
	"	SELECT device_uuid FROM device WHERE lower(device_name) = lower(" name "))"
#define USERS USERS_CALLED("$1")
#define DEVICES DEVICES_CALLED("$2")
#define IS_DEVICE "(device_uuid = lower($2) OR lower(device_name) = lower($2))"

static const struct list list_devices = {
	.select = "SELECT d.device_uuid, d.user_uuid, u.user_name, d.state, d.device_name,"
		  "	d.platform, d.enrolled_at, d.updated_at"
		  " FROM device AS d LEFT JOIN \"user\" AS u USING (user_uuid)",
	.user = "d.user_uuid IN " USERS,
	.device = IS_DEVICE,
	.state = "d.state || '' = $3",
	/* SQLite would go by an index that has the state, to and fro in the table. */
	.state_alone = "d.state = $3 AND length(d.platform) >= 0",
	.order = "d.enrolled_at DESC, d.device_uuid, d.user_uuid",
};

static const struct list list_users = {
	.select = "SELECT user_uuid, user_name, mail, state, devices, added_at, updated_at"
		  " FROM (SELECT c.user_uuid, c.user_name, c.mail, c.devices, c.added_at,"
		  "		c.updated_at,"
		  "		CASE WHEN c.devices > 0 THEN 'enrolled' ELSE 'unenrolled' END"
		  "			AS state"
		  "	FROM (SELECT p.user_uuid, p.user_name, p.mail, p.added_at, p.updated_at,"
		  "			(SELECT count(*) FROM device AS d"
		  "				WHERE d.user_uuid = p.user_uuid"
		  "				AND d.state = 'enrolled') AS devices"
		  "		FROM \"user\" AS p) AS c) AS u",
	.user = "user_uuid IN " USERS,
	.device = "user_uuid IN (SELECT user_uuid FROM device WHERE " IS_DEVICE ")",
	.state = "state = $3",
	.order = "added_at DESC, user_uuid",
};

/* In the order of ids: they are found by an index, and the rows are never sorted. */
static const struct list list_certificates = {
	.select = "SELECT c.id, c.usage, c.state, c.device_uuid, c.user_uuid, u.user_name, c.mail,"
		  "	c.serial, c.not_before, c.not_after, c.subject, c.issuer, r.revoked_at,"
		  "	r.reason"
		  " FROM credential AS c LEFT JOIN \"user\" AS u USING (user_uuid)"
		  "	LEFT JOIN revocation AS r ON r.credential_id = c.id",
	.user = "c.user_uuid IN " USERS,
	.device = "c.device_uuid != '' AND c.device_uuid IN " DEVICES,
	.any = "c.id IN (SELECT id FROM credential WHERE user_uuid IN " USERS_CALLED(
		"$5") "	UNION ALL SELECT id FROM credential"
		      "		WHERE device_uuid != '' AND device_uuid IN " DEVICES_CALLED(
			      "$5") "	UNION ALL SELECT id FROM credential WHERE lower(mail) = lower($5)"
				    "	UNION ALL SELECT id FROM credential WHERE serial = lower($5))",
	.state = "c.state || '' = $3",
	.expires = "c.not_after + 0 < $4",
	.state_alone = "c.id IN (SELECT id FROM credential WHERE state = $3)",
	.expires_alone = "c.id IN (SELECT id FROM credential"
			 "	WHERE state IN ('active', 'archived', 'revoked')"
			 "	AND not_after < $4)",
	.order = "c.id DESC",
};

static const struct list list_uploads = {
	.select = "SELECT p.device_uuid, p.user_uuid, u.user_name, p.gateway, p.state, p.tries,"
		  "	p.updated_at, p.delivered_at, p.next_at, p.left_out, p.contents, p.cause"
		  " FROM upload AS p LEFT JOIN \"user\" AS u USING (user_uuid)",
	.user = "(p.device_uuid, p.user_uuid) IN (SELECT device_uuid, user_uuid FROM device"
		"	WHERE user_uuid IN " USERS ")",
	.device = "(p.device_uuid, p.user_uuid) IN (SELECT device_uuid, user_uuid FROM device"
		  "	WHERE " IS_DEVICE ")",
	.state = "p.state || '' = $3",
	.state_alone = "p.state = $3",
	.enrolled = "EXISTS (SELECT 1 FROM device AS d WHERE d.device_uuid = p.device_uuid"
		    "	AND d.user_uuid = p.user_uuid AND d.state = 'enrolled')",
	.alone = "NOT EXISTS (SELECT 1 FROM event AS v WHERE v.device_uuid = p.device_uuid"
		 "	AND v.user_uuid = p.user_uuid AND v.state IN ('pending', 'failed'))",
	.order = "p.updated_at DESC, p.device_uuid, p.user_uuid, p.gateway",
};

static const struct list list_events = {
	.select = "SELECT id, received_at, request_id, kind, event_type, device_uuid, user_uuid,"
		  "	user_name, device_name, state, tries, next_at, updated_at, cause"
		  " FROM event",
	.user = "id IN (SELECT id FROM event WHERE user_uuid = lower($1)"
		"	OR lower(user_name) = lower($1) OR user_uuid IN " USERS ")",
	.device = "id IN (SELECT id FROM event WHERE " IS_DEVICE ")",
	.state = "state || '' = $3",
	.state_alone = "id IN (SELECT id FROM event WHERE state = $3)",
	.order = "id DESC",
};

/* The state of an entry is its action. */
static const struct list list_audit = {
	.select = "SELECT id, at, action, request_id, actor, device_uuid, user_uuid, serial, detail"
		  " FROM audit",
	.user = "user_uuid != '' AND user_uuid IN (SELECT lower($1) UNION ALL"
		"	SELECT user_uuid FROM " USERS " AS u)",
	.device = "device_uuid != '' AND device_uuid IN " DEVICES,
	.state = "action || '' = $3",
	.order = "id DESC",
};

static const struct list *const lists[STORE_TABLE_COUNT] = {
	[STORE_DEVICES] = &list_devices,
	[STORE_USERS] = &list_users,
	[STORE_CERTIFICATES] = &list_certificates,
	[STORE_UPLOADS] = &list_uploads,
	[STORE_EVENTS] = &list_events,
	[STORE_AUDIT] = &list_audit,
};

static void add_condition(struct buf *sql, bool asked, const char *condition, size_t *count)
{
	if (asked && condition)
		buf_printf(sql, "%s%s", (*count)++ ? " AND " : " WHERE ", condition);
}

static void put_together(
	const struct list *list, const struct store_filter *filter, struct buf *sql)
{
	size_t count = 0;

	buf_puts(sql, list->select);
	add_condition(sql, *filter->user, list->user, &count);
	add_condition(sql, *filter->device, list->device, &count);
	add_condition(sql, *filter->any, list->any, &count);
	add_condition(sql, filter->expires_before,
		!count && list->expires_alone ? list->expires_alone : list->expires, &count);
	add_condition(sql, *filter->state,
		!count && list->state_alone ? list->state_alone : list->state, &count);
	add_condition(sql, filter->enrolled, list->enrolled, &count);
	add_condition(sql, filter->alone, list->alone, &count);
	buf_printf(sql, " ORDER BY %s%s", list->order, filter->limit ? " LIMIT $6" : "");
}

struct row {
	struct store_column column[COLUMNS_MAX];
	char time[COLUMNS_MAX][CLOCK_RFC3339_SIZE];
	size_t count;
};

static bool is_time(const char *name)
{
	size_t len = strlen(name);

	return strcmp(name, "at") == 0 || strncmp(name, "not_", 4) == 0 ||
	       (len > 3 && strcmp(name + len - 3, "_at") == 0);
}

/* Borrows texts from the database, until the next row. */
static enum err read_row(struct db_rows *statement, struct row *row, struct error *e)
{
	row->count = (size_t)db_columns(statement);
	if (row->count > COLUMNS_MAX)
		return error_set(e, ERR_INTERNAL, "a list of more than %d columns", COLUMNS_MAX);
	for (int i = 0; i < (int)row->count; i++) {
		struct store_column *column = &row->column[i];
		enum db_type type = db_column_type(statement, i);

		*column = (struct store_column){.name = db_column_name(statement, i)};
		if (!column->name)
			return error_memory(e);
		if (type == DB_TYPE_NULL)
			continue;
		if (is_time(column->name)) {
			clock_rfc3339(db_column_integer(statement, i), row->time[i]);
			column->value = row->time[i];
			continue;
		}
		column->number = type == DB_TYPE_INTEGER;
		column->value = db_column_text(statement, i);
		if (!column->value)
			return error_memory(e);
	}
	return ERR_OK;
}

static enum err list_rows(struct store *store, enum store_table table,
	const struct store_filter *filter, store_row *call, void *ctx, struct error *e)
{
	const struct db_value values[] = {
		DB_TEXT(filter->user),
		DB_TEXT(filter->device),
		DB_TEXT(filter->state),
		DB_INTEGER(filter->expires_before),
		DB_TEXT(filter->any),
		DB_INTEGER(filter->limit),
	};
	struct buf sql = BUF_INIT(SQL_MAX);
	struct db_rows *rows = NULL;
	struct row row = {.count = 0};
	bool more = true;
	enum err err;

	put_together(lists[table], filter, &sql);
	err = buf_check(&sql, e);
	if (!err)
		err = db_start_once(store->db, sql.data, values, ARRAY_LEN(values), &rows, e);
	while (!err && more) {
		err = db_next(rows, &more, e);
		if (!err && more)
			err = read_row(rows, &row, e);
		if (!err && more)
			err = call(ctx, row.column, row.count, e);
	}
	db_done(rows);
	buf_free(&sql);
	return err;
}

enum err store_list(struct store *store, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e)
{
	struct store_filter f = {
		.user = text_or_empty(filter->user),
		.device = text_or_empty(filter->device),
		.state = text_or_empty(filter->state),
		.expires_before = filter->expires_before,
		.any = text_or_empty(filter->any),
		.enrolled = filter->enrolled,
		.alone = filter->alone,
		.limit = filter->limit,
	};
	enum err err = check_state(table, f.state, e);

	return err ? err : list_rows(store, table, &f, row, ctx, e);
}

/* --- counts */

enum err store_count_ending(
	struct store *store, int64_t from, int64_t before, int64_t *count, struct error *e)
{
	static const char sql[] = "SELECT count(*) FROM credential"
				  " WHERE state = 'active' AND not_after >= $1 AND not_after < $2";
	const struct db_value values[] = {DB_INTEGER(from), DB_INTEGER(before)};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, count, e);
}

#define REQUEST_WAITS                                                         \
	" WHERE pending_at IS NOT NULL AND EXISTS (SELECT 1 FROM device AS d" \
	"	WHERE d.user_uuid = r.user_uuid AND d.state = 'enrolled'"           \
	"	AND r.device_uuid IN ('', d.device_uuid))"

/* One statement, so that all counts are of the same moment. $1: the time. */
static const char count_all[] =
	"SELECT 'devices', count(*) FROM (SELECT 1 FROM device GROUP BY device_uuid) AS d"
	" UNION ALL SELECT 'devices unenrolled', count(*) FROM"
	"	(SELECT 1 FROM device GROUP BY device_uuid HAVING min(state) = 'unenrolled')"
	"	AS d"
	" UNION ALL SELECT 'users', count(*) FROM \"user\""
	" UNION ALL SELECT 'signing ' || state, count(*) FILTER (WHERE usage = 'signing')"
	"	FROM credential GROUP BY state"
	" UNION ALL SELECT 'encryption ' || state, count(*) FILTER (WHERE usage = 'encryption')"
	"	FROM credential GROUP BY state"
	" UNION ALL SELECT 'expired', count(*) FROM credential"
	"	WHERE state = 'active' AND not_after < $1"
	" UNION ALL SELECT 'expiring 7d', count(*) FROM credential"
	"	WHERE state = 'active' AND not_after BETWEEN $1 AND $1 + 7 * 86400"
	" UNION ALL SELECT 'expiring 30d', count(*) FROM credential"
	"	WHERE state = 'active' AND not_after BETWEEN $1 AND $1 + 30 * 86400"
	" UNION ALL SELECT 'expiring 60d', count(*) FROM credential"
	"	WHERE state = 'active' AND not_after BETWEEN $1 AND $1 + 60 * 86400"
	" UNION ALL SELECT 'soonest expiry', coalesce(min(not_after), 0) FROM credential"
	"	WHERE state = 'active'"
	" UNION ALL SELECT 'upload ' || state, count(*) FROM upload AS u"
	"	WHERE state = 'delivered' OR EXISTS (SELECT 1 FROM device AS d"
	"		WHERE d.device_uuid = u.device_uuid AND d.user_uuid = u.user_uuid"
	"		AND d.state = 'enrolled')"
	"	GROUP BY state"
	" UNION ALL SELECT 'event ' || state, count(*) FROM event GROUP BY state"
	" UNION ALL SELECT 'oldest pending', coalesce(min(received_at), 0) FROM event"
	"	WHERE state = 'pending'"
	" UNION ALL SELECT 'requests', count(*) FROM request"
	" UNION ALL SELECT 'requests pending', count(*) FROM request AS r" REQUEST_WAITS
	" UNION ALL SELECT 'oldest request', coalesce(min(pending_at), 0)"
	"	FROM request AS r" REQUEST_WAITS
	" UNION ALL SELECT 'left out', count(DISTINCT device_uuid) FROM upload"
	"	WHERE left_out > 0";

#define AT(member) offsetof(struct store_counts, member)

static const struct {
	const char *name;
	size_t offset;
} places[] = {
	{"devices", AT(devices)},
	{"devices unenrolled", AT(devices_unenrolled)},
	{"users", AT(users)},
	{"signing active", AT(certificates[USAGE_SIGNING][CREDENTIAL_ACTIVE])},
	{"signing archived", AT(certificates[USAGE_SIGNING][CREDENTIAL_ARCHIVED])},
	{"signing revoked", AT(certificates[USAGE_SIGNING][CREDENTIAL_REVOKED])},
	{"encryption active", AT(certificates[USAGE_ENCRYPTION][CREDENTIAL_ACTIVE])},
	{"encryption archived", AT(certificates[USAGE_ENCRYPTION][CREDENTIAL_ARCHIVED])},
	{"encryption revoked", AT(certificates[USAGE_ENCRYPTION][CREDENTIAL_REVOKED])},
	{"expired", AT(expired)},
	{"expiring 7d", AT(expiring_7d)},
	{"expiring 30d", AT(expiring_30d)},
	{"expiring 60d", AT(expiring_60d)},
	{"soonest expiry", AT(soonest_expiry)},
	{"upload pending", AT(uploads[UPLOAD_PENDING])},
	{"upload delivered", AT(uploads[UPLOAD_DELIVERED])},
	{"upload failed", AT(uploads[UPLOAD_FAILED])},
	{"event pending", AT(events[EVENT_STATE_PENDING])},
	{"event delivered", AT(events[EVENT_STATE_DELIVERED])},
	{"event recorded", AT(events[EVENT_STATE_RECORDED])},
	{"event failed", AT(events[EVENT_STATE_FAILED])},
	{"oldest pending", AT(oldest_pending)},
	{"requests", AT(requests)},
	{"requests pending", AT(requests_pending)},
	{"oldest request", AT(oldest_request)},
	{"left out", AT(left_out)},
};

static enum err put_count(
	struct store_counts *counts, const char *name, int64_t value, struct error *e)
{
	for (size_t i = 0; name && i < ARRAY_LEN(places); i++) {
		if (strcmp(places[i].name, name) != 0)
			continue;
		memcpy((char *)counts + places[i].offset, &value, sizeof(value));
		return ERR_OK;
	}
	return error_set(e, ERR_INTERNAL, "no place for the count '%s'", text_or_empty(name));
}

enum err store_count(struct store *store, int64_t now, struct store_counts *out, struct error *e)
{
	const struct db_value values[] = {DB_INTEGER(now)};
	struct store_counts counts = {.devices = 0};
	struct db_rows *row = NULL;
	bool more = true;
	enum err err = db_start(store->db, count_all, values, ARRAY_LEN(values), &row, e);

	while (!err && more) {
		err = db_next(row, &more, e);
		if (!err && more)
			err = put_count(
				&counts, db_column_text(row, 0), db_column_integer(row, 1), e);
	}
	db_done(row);
	if (!err)
		*out = counts;
	return err;
}
