#include <stdlib.h>

#include "base/clock.h"
#include "store/sqlite.h"

/* A mail address that comes back, or that another user has: what the store has for it already. */

/* The newest one for the mailbox decides: where it was revoked, an earlier one is no better. */
static enum err find_earlier(struct sqlite *db, const struct credential_owner *owner,
	const struct store_return *wanted, int64_t *id, struct error *e)
{
	static const char sql[] =
		"SELECT id FROM credential"
		" WHERE id = (SELECT max(id) FROM credential"
		"		WHERE user_uuid = ?1 AND usage = ?2 AND device_uuid = ?3"
		"		AND mail = ?4 COLLATE NOCASE)"
		"	AND state = 'archived' AND not_before <= ?5 AND not_after > ?6";
	const struct value values[] = {
		VALUE_TEXT(owner->user_uuid),
		VALUE_TEXT(usage_names[owner->usage]),
		VALUE_TEXT(owner->device_uuid),
		VALUE_TEXT(wanted->mail),
		VALUE_INTEGER(clock_now()),
		VALUE_INTEGER(wanted->not_after),
	};

	return sqlite_integer(db, sql, values, ARRAY_LEN(values), 0, id, e);
}

/* Its number becomes a new one, as uploads tell by the number what is newer than they are. */
static enum err activate(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] = "UPDATE credential SET state = 'active', updated_at = ?2,"
				  "	id = (SELECT max(id) + 1 FROM credential)"
				  " WHERE id = ?1 RETURNING id";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};
	enum err err = sqlite_credential_check(db, id, e);

	if (!err)
		err = sqlite_row_forget(db, ROW_CREDENTIAL, id, e);
	return err ? err : sqlite_rows_sign(db, ROW_CREDENTIAL, sql, values, ARRAY_LEN(values), e);
}

static enum err write_down(struct sqlite *db, const struct credential *c,
	const struct store_place *place, struct error *e)
{
	const struct credential_owner owner = {c->usage, c->user_uuid, c->device_uuid};
	enum err err = sqlite_user_set_mail(db, c, place->address_time, e);

	if (!err)
		err = sqlite_upload_want(db, c, e);
	if (!err)
		err = sqlite_request_settle(db, &owner, 0, e);
	return err ? err : sqlite_credential_audit(db, c, place, e);
}

static enum err reactivate(struct sqlite *db, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e)
{
	const struct store_place *place = wanted->place;
	struct credential again = {.id = 0};
	int64_t active = 0, earlier = 0;
	enum err err = sqlite_credential_active(db, owner, &active, e);

	if (!err && active == place->replaces)
		err = find_earlier(db, owner, wanted, &earlier, e);
	if (err || !earlier)
		return err;
	if (active)
		err = sqlite_credential_archive(db, active, e);
	if (!err)
		err = activate(db, earlier, e);
	if (!err)
		err = sqlite_credential_current(db, owner, &again, e);
	if (!err)
		err = write_down(db, &again, place, e);
	credential_fini(&again);
	*done = true;
	return err;
}

enum err sqlite_credential_reactivate(void *self, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e)
{
	struct sqlite *db = self;
	bool again = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = reactivate(db, owner, wanted, &again, e);
	err = sqlite_end(db, err, e);
	if (!err)
		*done = again;
	return err;
}

/* --- another user's */

enum err sqlite_address_conflict(void *self, const struct store_claimant *claimant,
	const char *mail, char **other, struct error *e)
{
	static const char sql[] =
		"SELECT u.user_name || ' (' || u.user_uuid || ')' FROM credential AS c"
		"	JOIN user AS u USING (user_uuid)"
		" WHERE c.mail = ?1 COLLATE NOCASE AND c.state = 'active' AND c.user_uuid != ?2"
		"	AND EXISTS (SELECT 1 FROM device AS d WHERE d.user_uuid = c.user_uuid"
		"		AND d.state = 'enrolled' AND d.device_uuid != ?3)"
		"	AND NOT (?4 AND EXISTS (SELECT 1 FROM credential AS own"
		"		WHERE own.mail = ?1 COLLATE NOCASE AND own.state = 'active'"
		"		AND own.user_uuid = ?2))"
		" LIMIT 1";
	const struct value values[] = {VALUE_TEXT(mail), VALUE_TEXT(claimant->user_uuid),
		VALUE_TEXT(claimant->device_uuid), VALUE_INTEGER(claimant->holder_may)};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(self, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_text(row, 0, other, e);
	sqlite_done(row);
	return err;
}

enum err sqlite_address_free(
	struct sqlite *db, const struct store_claimant *claimant, const char *mail, struct error *e)
{
	char *other = NULL;
	struct error none;
	enum err err = sqlite_address_conflict(db, claimant, mail, &other, &none);

	if (!err)
		err = error_set(e, ERR_UNPROCESSABLE,
			"user %s has an active certificate for %s and another enrolled device",
			other, mail);
	else if (err == ERR_NOT_FOUND)
		err = ERR_OK;
	else
		*e = none;
	free(other);
	return err;
}
