/*
 * Mail addresses: a user's, one that comes back to a user who had it before, and one that another
 * user has. A mailbox is the same in either case of its letters.
 */
#include "store/address.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/audit.h"
#include "store/handle.h"
#include "store/request.h"
#include "store/row_mac.h"
#include "store/upload.h"

/* --- a user's */

/* The event has written the user already, but not the mail address, which may be new. */
enum err user_set_mail(
	struct store *store, const struct credential *c, int64_t address_time, struct error *e)
{
	static const char sql[] =
		"INSERT INTO \"user\" AS u (user_uuid, user_name, mail, added_at, updated_at,"
		"	mail_time)"
		" VALUES ($1, '', $2, $3, $3, $4)"
		" ON CONFLICT (user_uuid) DO UPDATE"
		" SET mail = excluded.mail, updated_at = excluded.updated_at,"
		"	mail_time = excluded.mail_time"
		" WHERE u.mail != excluded.mail OR u.mail_time < excluded.mail_time"
		" RETURNING user_uuid";
	const struct db_value values[] = {
		DB_TEXT(c->user_uuid),
		DB_TEXT(c->mail),
		DB_INTEGER(clock_now()),
		DB_INTEGER(address_time),
	};

	return rows_sign(store, ROW_USER, sql, values, ARRAY_LEN(values), e);
}

enum err store_user_address(struct store *store, const char *user_uuid, char **mail,
	int64_t *address_time, struct error *e)
{
	static const char sql[] =
		"SELECT mail, mail_time FROM \"user\" WHERE user_uuid = $1 AND mail != ''";
	const struct db_value values[] = {DB_TEXT(user_uuid)};
	/* A row whose address was deleted has its MAC still, and is refused as altered. */
	static const char known[] =
		"SELECT user_uuid FROM \"user\" WHERE user_uuid = $1 AND mail != ''"
		" UNION SELECT id FROM row_mac"
		"	WHERE kind = 'user' AND id = $1";
	struct db_rows *row = NULL;
	enum err err = rows_check(store, ROW_USER, known, values, ARRAY_LEN(values), e);

	if (!err)
		err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);
	if (err == ERR_NOT_FOUND)
		error_set(e, err, "user %s has had no certificate", user_uuid);
	if (!err)
		err = db_copy_text(row, 0, mail, e);
	if (!err)
		*address_time = db_column_integer(row, 1);
	db_done(row);
	return err;
}

/* --- one that comes back */

/* Only the newest one for the mailbox counts: if it was revoked, no earlier one comes back. */
static enum err find_earlier(struct store *store, const struct credential_owner *owner,
	const struct store_return *wanted, int64_t *id, struct error *e)
{
	static const char sql[] =
		"SELECT id FROM credential"
		" WHERE id = (SELECT max(id) FROM credential"
		"		WHERE user_uuid = $1 AND usage = $2 AND device_uuid = $3"
		"		AND lower(mail) = lower($4))"
		"	AND state = 'archived' AND not_before <= $5 AND not_after > $6";
	const struct db_value values[] = {
		DB_TEXT(owner->user_uuid),
		DB_TEXT(usage_names[owner->usage]),
		DB_TEXT(owner->device_uuid),
		DB_TEXT(wanted->mail),
		DB_INTEGER(clock_now()),
		DB_INTEGER(wanted->not_after),
	};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, id, e);
}

/* It gets a new id, the highest: an upload is due if a credential has a higher id than it had. */
static enum err activate(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] = "UPDATE credential SET state = 'active', updated_at = $2,"
				  "	id = (SELECT max(id) + 1 FROM credential)"
				  " WHERE id = $1 RETURNING id";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};
	int64_t again = 0;
	enum err err = row_check(store, ROW_CREDENTIAL, id, e);

	if (!err)
		err = row_forget(store, ROW_CREDENTIAL, id, e);
	if (!err)
		err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &again, e);
	return err ? err : row_sign(store, ROW_CREDENTIAL, again, e);
}

static enum err write_down(struct store *store, const struct credential *c,
	const struct store_place *place, struct error *e)
{
	const struct credential_owner owner = {c->usage, c->user_uuid, c->device_uuid};
	enum err err = user_set_mail(store, c, place->address_time, e);

	if (!err)
		err = upload_want(store, c, e);
	if (!err)
		err = request_settle(store, &owner, 0, e);
	return err ? err : credential_audit(store, c, place, e);
}

static enum err reactivate(struct store *store, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e)
{
	const struct store_place *place = wanted->place;
	struct credential again = {.id = 0};
	int64_t active = 0, earlier = 0;
	enum err err = credential_active(store, owner, &active, e);

	if (!err && active == place->replaces)
		err = find_earlier(store, owner, wanted, &earlier, e);
	if (err || !earlier)
		return err;
	if (active)
		err = credential_archive(store, active, e);
	if (!err)
		err = activate(store, earlier, e);
	if (!err)
		err = credential_current_sealed(store, owner, &again, e);
	if (!err)
		err = write_down(store, &again, place, e);
	credential_fini(&again);
	*done = true;
	return err;
}

enum err store_credential_reactivate(struct store *store, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e)
{
	bool again = false;
	enum err err;

	do {
		again = false;
		err = db_begin(store->db, e);
		if (!err)
			err = reactivate(store, owner, wanted, &again, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*done = again;
	return err;
}

/* --- another user's */

enum err store_address_conflict(struct store *store, const struct store_claimant *claimant,
	const char *mail, char **other, struct error *e)
{
	static const char sql[] =
		"SELECT u.user_name || ' (' || u.user_uuid || ')' FROM credential AS c"
		"	JOIN \"user\" AS u USING (user_uuid)"
		" WHERE lower(c.mail) = lower($1) AND c.state = 'active' AND c.user_uuid != $2"
		"	AND EXISTS (SELECT 1 FROM device AS d WHERE d.user_uuid = c.user_uuid"
		"		AND d.state = 'enrolled' AND d.device_uuid != $3)"
		"	AND NOT ($4 AND EXISTS (SELECT 1 FROM credential AS own"
		"		WHERE lower(own.mail) = lower($1) AND own.state = 'active'"
		"		AND own.user_uuid = $2))"
		" LIMIT 1";
	const struct db_value values[] = {DB_TEXT(mail), DB_TEXT(claimant->user_uuid),
		DB_TEXT(claimant->device_uuid), DB_BOOLEAN(claimant->holder_may)};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = db_copy_text(row, 0, other, e);
	db_done(row);
	return err;
}

enum err address_free(struct store *store, const struct store_claimant *claimant, const char *mail,
	struct error *e)
{
	char *other = NULL;
	struct error none;
	enum err err = store_address_conflict(store, claimant, mail, &other, &none);

	if (!err)
		err = error_set(e, ERR_UNPROCESSABLE, STORE_ADDRESS_CONFLICT, mail, other);
	else if (err == ERR_NOT_FOUND)
		err = ERR_OK;
	else
		*e = none;
	free(other);
	return err;
}
