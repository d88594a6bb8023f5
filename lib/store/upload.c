#include "base/clock.h"
#include "store/sqlite.h"

/* Uploads: a row for each device, user and gateway. Those that are due are sqlite_claim.c's. */

#define DETAIL_MAX (64 * 1024)

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* An attempt that will be repeated is not written to the audit trail. */
static enum err audit_upload(struct sqlite *db, const struct store_upload *upload, struct error *e)
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
		err = sqlite_audit(db, &entry, e);
	buf_free(&detail);
	return err;
}

/* The first for a device that came in while a newer credential was made: nobody saw it then. */
#define MISSED                                                                         \
	"(?4 = 'delivered' AND EXISTS (SELECT 1 FROM credential AS c"                  \
	"	WHERE c.user_uuid = ?2 AND c.device_uuid IN ('', ?1) AND c.state = 'active'" \
	"	AND c.id > ?11))"

/* tries: since the device was due. A newer credential than this upload's keeps it due. */
enum err sqlite_upload(struct sqlite *db, const struct store_upload *upload, struct error *e)
{
	static const char sql[] =
		"INSERT INTO upload AS u (device_uuid, user_uuid, gateway, state, tries,"
		"	updated_at, delivered_at, cause, contents, next_at, inputs, left_out)"
		" VALUES (?1, ?2, ?3, iif(" MISSED ", 'pending', ?4), 1, ?5,"
		"	iif(?4 = 'delivered', ?5, NULL), ?6, ?7,"
		"	iif(" MISSED ", ?5, iif(?4 = 'pending', ?8, NULL)), ?9, ?10)"
		" ON CONFLICT (device_uuid, user_uuid, gateway) DO UPDATE"
		" SET state = iif(?4 = 'delivered' AND u.wanted > ?11, 'pending', ?4),"
		"	tries = iif(u.state = 'delivered', 0, u.tries) + 1,"
		"	updated_at = excluded.updated_at,"
		"	delivered_at = coalesce(excluded.delivered_at, u.delivered_at),"
		"	cause = excluded.cause, contents = excluded.contents,"
		"	next_at = iif(?4 = 'pending', ?8,"
		"		iif(?4 = 'delivered' AND u.wanted > ?11, ?5, NULL)),"
		"	inputs = excluded.inputs, left_out = excluded.left_out";
	const struct value values[] = {
		VALUE_TEXT(upload->device_uuid),
		VALUE_TEXT(upload->user_uuid),
		VALUE_TEXT(upload->gateway),
		VALUE_TEXT(upload_state_names[upload->state]),
		VALUE_INTEGER(clock_now()),
		VALUE_TEXT(text_or_empty(upload->cause)),
		VALUE_TEXT(text_or_empty(upload->contents)),
		VALUE_INTEGER(upload->next_at),
		VALUE_TEXT(text_or_empty(upload->inputs)),
		VALUE_INTEGER((int64_t)upload->left_out),
		VALUE_INTEGER(upload->newest),
	};
	enum err err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);

	return err ? err : audit_upload(db, upload, e);
}

enum err sqlite_upload_record(void *self, const struct store_upload *upload, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_upload(db, upload, e);
	return sqlite_end(db, err, e);
}

/* A device without an upload has an event that will bring the first. */
enum err sqlite_upload_want(struct sqlite *db, const struct credential *c, struct error *e)
{
	static const char sql[] =
		"UPDATE upload SET wanted = ?3, state = 'pending', tries = 0, next_at = ?4,"
		"	updated_at = ?4, cause = 'it is due for a newer certificate'"
		" WHERE (device_uuid, user_uuid) IN (SELECT device_uuid, user_uuid FROM device"
		"	WHERE user_uuid = ?1 AND state = 'enrolled'"
		"	AND (?2 = '' OR device_uuid = ?2))";
	const struct value values[] = {VALUE_TEXT(c->user_uuid), VALUE_TEXT(c->device_uuid),
		VALUE_INTEGER(c->id), VALUE_INTEGER(clock_now())};

	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

/* By upload_state, which has the gateway, too: found near its end, as each upload goes to all. */
enum err sqlite_upload_last(
	void *self, const char *gateway, enum upload_state state, int64_t *at, struct error *e)
{
	static const char sql[] = "SELECT updated_at FROM upload WHERE state = ?1 AND gateway = ?2"
				  " ORDER BY updated_at DESC LIMIT 1";
	const struct value values[] = {VALUE_TEXT(upload_state_names[state]), VALUE_TEXT(gateway)};

	return sqlite_integer(self, sql, values, ARRAY_LEN(values), 0, at, e);
}
