/* Uploads: a row for each device, user and gateway. due.c tells which are due. */
#include "store/upload.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/credential.h"
#include "store/handle.h"

#define DETAIL_MAX (64 * 1024)

/* An attempt that will be repeated is not written to the audit trail. */
static enum err audit_upload(
	struct store *store, const struct store_upload *upload, struct error *e)
{
	bool delivered = upload->state == UPLOAD_DELIVERED;
	struct buf detail = BUF_INIT(DETAIL_MAX);
	struct store_audit entry = {
		.action = delivered ? AUDIT_UPLOADED : AUDIT_REFUSED,
		.device_uuid = upload->device_uuid,
		.user_uuid = upload->user_uuid,
	};
	enum err err;

	if (upload->state == UPLOAD_PENDING)
		return ERR_OK;
	buf_printf(&detail, "%s %s", upload->gateway, text_or_empty(upload->contents));
	if (delivered && upload->left_out)
		buf_printf(&detail, "; archive-max left out %zu earlier", upload->left_out);
	if (!delivered)
		buf_printf(&detail, ": %s", text_or_empty(upload->cause));
	err = buf_check(&detail, e);
	entry.detail = detail.data;
	if (!err)
		err = audit_append(store, &entry, e);
	buf_free(&detail);
	return err;
}

/* The first for a device that came in while a newer credential was made: nobody saw it then. */
#define MISSED                                                                         \
	"($4 = 'delivered' AND EXISTS (SELECT 1 FROM credential AS c"                  \
	"	WHERE c.user_uuid = $2 AND c.device_uuid IN ('', $1) AND c.state = 'active'" \
	"	AND c.id > $11))"

/* tries: since the device was due. A newer credential than this upload's keeps it due. */
enum err upload_write(struct store *store, const struct store_upload *upload, struct error *e)
{
	static const char sql[] =
		"INSERT INTO upload AS u (device_uuid, user_uuid, gateway, state, tries,"
		"	updated_at, delivered_at, cause, contents, next_at, inputs, left_out)"
		" VALUES ($1, $2, $3, CASE WHEN " MISSED " THEN 'pending' ELSE $4 END, 1, $5,"
		"	CASE WHEN $4 = 'delivered' THEN $5 END, $6, $7,"
		"	CASE WHEN " MISSED " THEN $5 WHEN $4 = 'pending' THEN $8 END, $9, $10)"
		" ON CONFLICT (device_uuid, user_uuid, gateway) DO UPDATE"
		" SET state = CASE WHEN $4 = 'delivered' AND u.wanted > $11 THEN 'pending'"
		"		ELSE $4 END,"
		"	tries = CASE WHEN u.state = 'delivered' THEN 1 ELSE u.tries + 1 END,"
		"	updated_at = excluded.updated_at,"
		"	delivered_at = coalesce(excluded.delivered_at, u.delivered_at),"
		"	cause = excluded.cause, contents = excluded.contents,"
		"	next_at = CASE WHEN $4 = 'pending' THEN $8"
		"		WHEN $4 = 'delivered' AND u.wanted > $11 THEN $5 END,"
		"	inputs = excluded.inputs, left_out = excluded.left_out";
	const struct db_value values[] = {
		DB_TEXT(upload->device_uuid),
		DB_TEXT(upload->user_uuid),
		DB_TEXT(upload->gateway),
		DB_TEXT(upload_state_names[upload->state]),
		DB_INTEGER(clock_now()),
		DB_TEXT(text_or_empty(upload->cause)),
		DB_TEXT(text_or_empty(upload->contents)),
		DB_INTEGER(upload->next_at),
		DB_TEXT(text_or_empty(upload->inputs)),
		DB_INTEGER((int64_t)upload->left_out),
		DB_INTEGER(upload->newest),
	};
	enum err err = db_run(store->db, sql, values, ARRAY_LEN(values), e);

	return err ? err : audit_upload(store, upload, e);
}

enum err store_upload_record(
	struct store *store, const struct store_upload *upload, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = upload_write(store, upload, e);
	} while (db_end(store->db, &err, e));
	return err;
}

/* A device without an upload has an event that will bring the first. */
enum err upload_want(struct store *store, const struct credential *c, struct error *e)
{
	static const char sql[] =
		"UPDATE upload SET wanted = $3, state = 'pending', tries = 0, next_at = $4,"
		"	updated_at = $4, cause = 'it is due for a newer certificate'"
		" WHERE (device_uuid, user_uuid) IN (SELECT device_uuid, user_uuid FROM device"
		"	WHERE user_uuid = $1 AND state = 'enrolled'"
		"	AND ($2 = '' OR device_uuid = $2))";
	const struct db_value values[] = {DB_TEXT(c->user_uuid), DB_TEXT(c->device_uuid),
		DB_INTEGER(c->id), DB_INTEGER(clock_now())};

	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

/* By upload_state, which has the gateway, too: found near its end, as each upload goes to all. */
enum err store_upload_last(struct store *store, const char *gateway, enum upload_state state,
	int64_t *at, struct error *e)
{
	static const char sql[] = "SELECT updated_at FROM upload WHERE state = $1 AND gateway = $2"
				  " ORDER BY updated_at DESC LIMIT 1";
	const struct db_value values[] = {DB_TEXT(upload_state_names[state]), DB_TEXT(gateway)};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, at, e);
}
