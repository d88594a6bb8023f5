#include "store/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Certificates with their sealed keys. */

#define DETAIL_MAX 1024

#define COLUMNS                                                                    \
	"id, usage, state, user_uuid, device_uuid, mail, serial, subject, issuer," \
	" not_before, not_after, chain, key"

enum column {
	ID,
	USAGE,
	STATE,
	USER_UUID,
	DEVICE_UUID,
	MAIL,
	SERIAL,
	SUBJECT,
	ISSUER,
	NOT_BEFORE,
	NOT_AFTER,
	CHAIN,
	KEY,
};

static enum err read_kind(sqlite3_stmt *row, enum column column, const char *const names[],
	size_t count, unsigned *out, struct error *e)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	int kind = text ? vocabulary_find(names, count, text) : -1;

	if (!text)
		return error_memory(e);
	if (kind < 0)
		return error_set(e, ERR_CONFIG, "credential %lld: unknown word '%.40s'",
			(long long)sqlite3_column_int64(row, ID), text);
	*out = (unsigned)kind;
	return ERR_OK;
}

static enum err read_uuid(
	sqlite3_stmt *row, enum column column, char out[UUID_SIZE], struct error *e)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	if (!text)
		return error_memory(e);
	if (strlen(text) >= UUID_SIZE)
		return error_set(e, ERR_CONFIG, "credential %lld: a UUID is too long",
			(long long)sqlite3_column_int64(row, ID));
	snprintf(out, UUID_SIZE, "%s", text);
	return ERR_OK;
}

static enum err read_texts(sqlite3_stmt *row, struct credential *c, struct error *e)
{
	enum err err = read_uuid(row, USER_UUID, c->user_uuid, e);

	if (!err)
		err = read_uuid(row, DEVICE_UUID, c->device_uuid, e);
	if (!err)
		err = sqlite_text(row, MAIL, &c->mail, e);
	if (!err)
		err = sqlite_text(row, SERIAL, &c->serial, e);
	if (!err)
		err = sqlite_text(row, SUBJECT, &c->subject, e);
	if (!err)
		err = sqlite_text(row, ISSUER, &c->issuer, e);
	return err;
}

static enum err read_credential(sqlite3_stmt *row, struct credential *out, struct error *e)
{
	struct credential c = {
		.id = sqlite3_column_int64(row, ID),
		.not_before = sqlite3_column_int64(row, NOT_BEFORE),
		.not_after = sqlite3_column_int64(row, NOT_AFTER),
	};
	unsigned usage = 0, state = 0;
	enum err err = read_kind(row, USAGE, usage_names, USAGE_COUNT, &usage, e);

	if (!err)
		err = read_kind(
			row, STATE, credential_state_names, CREDENTIAL_STATE_COUNT, &state, e);
	if (!err)
		err = read_texts(row, &c, e);
	if (!err)
		err = sqlite_blob(row, CHAIN, &c.chain, e);
	if (!err)
		err = sqlite_blob(row, KEY, &c.key, e);
	if (err) {
		credential_fini(&c);
		return err;
	}
	c.usage = usage;
	c.state = state;
	*out = c;
	return ERR_OK;
}

enum err sqlite_credential_current(
	void *self, const struct credential_owner *owner, struct credential *out, struct error *e)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM credential"
		" WHERE user_uuid = ?1 AND usage = ?2 AND device_uuid = ?3 AND state = 'active'";
	const struct value values[] = {
		VALUE_TEXT(owner->user_uuid),
		VALUE_TEXT(usage_names[owner->usage]),
		VALUE_TEXT(owner->device_uuid),
	};
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(self, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_credential_check(self, sqlite3_column_int64(row, ID), e);
	else if (err == ERR_NOT_FOUND)
		error_set(e, err, "user %s has no %s certificate", owner->user_uuid,
			usage_names[owner->usage]);
	if (!err)
		err = read_credential(row, out, e);
	sqlite_done(row);
	return err;
}

enum err sqlite_credential_next(
	struct sqlite *db, int64_t after, struct credential *out, struct error *e)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM credential WHERE id > ?1 ORDER BY id LIMIT 1";
	const struct value values[] = {VALUE_INTEGER(after)};
	sqlite3_stmt *row = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_next(db, row, &found, e);
	if (!err && found)
		err = read_credential(row, out, e);
	sqlite_done(row);
	return err;
}

/* --- a new one */

enum err sqlite_credential_active(
	struct sqlite *db, const struct credential_owner *owner, int64_t *id, struct error *e)
{
	static const char sql[] =
		"SELECT id FROM credential"
		" WHERE user_uuid = ?1 AND usage = ?2 AND device_uuid = ?3 AND state = 'active'";
	const struct value values[] = {
		VALUE_TEXT(owner->user_uuid),
		VALUE_TEXT(usage_names[owner->usage]),
		VALUE_TEXT(owner->device_uuid),
	};

	return sqlite_integer(db, sql, values, ARRAY_LEN(values), 0, id, e);
}

enum err sqlite_credential_archive(struct sqlite *db, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE credential SET state = 'archived', updated_at = ?2 WHERE id = ?1"
		" RETURNING id";
	const struct value values[] = {VALUE_INTEGER(id), VALUE_INTEGER(clock_now())};
	enum err err = sqlite_credential_check(db, id, e);

	return err ? err : sqlite_rows_sign(db, ROW_CREDENTIAL, sql, values, ARRAY_LEN(values), e);
}

static enum err insert(struct sqlite *db, struct credential *c, struct error *e)
{
	static const char sql[] =
		"INSERT INTO credential (usage, state, user_uuid, device_uuid, mail, serial,"
		"	subject, issuer, not_before, not_after, added_at, updated_at, chain, key)"
		" VALUES (?1, 'active', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12)"
		" RETURNING id";
	const struct value values[] = {
		VALUE_TEXT(usage_names[c->usage]),
		VALUE_TEXT(c->user_uuid),
		VALUE_TEXT(c->device_uuid),
		VALUE_TEXT(c->mail),
		VALUE_TEXT(c->serial),
		VALUE_TEXT(c->subject),
		VALUE_TEXT(c->issuer),
		VALUE_INTEGER(c->not_before),
		VALUE_INTEGER(c->not_after),
		VALUE_INTEGER(clock_now()),
		VALUE_BLOB(c->chain.data, c->chain.len),
		VALUE_BLOB(c->key.data, c->key.len),
	};

	if (sqlite_rows_sign(db, ROW_CREDENTIAL, sql, values, ARRAY_LEN(values), e))
		return error_context(e, "certificate with serial %s", c->serial);
	c->id = sqlite3_last_insert_rowid(db->db);
	return ERR_OK;
}

/* The user is known from the event, but for the mail address, which may be a new one. */
enum err sqlite_user_set_mail(
	struct sqlite *db, const struct credential *c, int64_t address_time, struct error *e)
{
	static const char sql[] =
		"INSERT INTO user AS u (user_uuid, user_name, mail, added_at, updated_at,"
		"	mail_time)"
		" VALUES (?1, '', ?2, ?3, ?3, ?4)"
		" ON CONFLICT (user_uuid) DO UPDATE"
		" SET mail = excluded.mail, updated_at = excluded.updated_at,"
		"	mail_time = excluded.mail_time"
		" WHERE u.mail != excluded.mail OR u.mail_time < excluded.mail_time"
		" RETURNING user_uuid";
	const struct value values[] = {
		VALUE_TEXT(c->user_uuid),
		VALUE_TEXT(c->mail),
		VALUE_INTEGER(clock_now()),
		VALUE_INTEGER(address_time),
	};

	return sqlite_rows_sign(db, ROW_USER, sql, values, ARRAY_LEN(values), e);
}

/* "encryption certificate for alice@example.com: renewal of 4a…" */
enum err sqlite_credential_audit(struct sqlite *db, const struct credential *c,
	const struct store_place *place, struct error *e)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);
	struct store_audit entry = {
		.action = place->action,
		.device_uuid = c->device_uuid,
		.user_uuid = c->user_uuid,
		.serial = c->serial,
	};
	enum err err;

	buf_printf(&detail, "%s certificate for %s", usage_names[c->usage], c->mail);
	if (place->why && *place->why)
		buf_printf(&detail, ": %s", place->why);
	err = buf_check(&detail, e);
	entry.detail = detail.data;
	if (!err)
		err = sqlite_audit(db, &entry, e);
	buf_free(&detail);
	return err;
}

/* In the place of the active one, if there is one. */
static enum err take_place(struct sqlite *db, struct credential *c, int64_t active,
	const struct store_place *place, struct error *e)
{
	const struct credential_owner owner = {c->usage, c->user_uuid, c->device_uuid};
	enum err err = sqlite_user_set_mail(db, c, place->address_time, e);

	if (!err && active)
		err = sqlite_credential_archive(db, active, e);
	if (!err)
		err = insert(db, c, e);
	if (!err)
		err = sqlite_upload_want(db, c, e);
	if (!err)
		err = sqlite_request_settle(db, &owner, place->request, e);
	return err ? err : sqlite_credential_audit(db, c, place, e);
}

enum err sqlite_credential_add(void *self, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e)
{
	const struct credential_owner owner = {
		credential->usage, credential->user_uuid, credential->device_uuid};
	struct credential added = *credential;
	struct sqlite *db = self;
	int64_t active = 0;
	bool wins = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_check_key(db, e);
	if (!err && place->claimant)
		err = sqlite_address_free(db, place->claimant, credential->mail, e);
	if (!err)
		err = sqlite_credential_active(db, &owner, &active, e);
	wins = active == 0 || active == place->replaces;
	if (!err && wins)
		err = take_place(db, &added, active, place, e);
	err = sqlite_end(db, err, e);
	if (err)
		return err;
	*won = wins;
	if (wins)
		credential->id = added.id;
	return ERR_OK;
}

enum err sqlite_user_address(
	void *self, const char *user_uuid, char **mail, int64_t *address_time, struct error *e)
{
	static const char sql[] =
		"SELECT mail, mail_time FROM user WHERE user_uuid = ?1 AND mail != ''";
	const struct value values[] = {VALUE_TEXT(user_uuid)};
	/* Not the address that somebody took away, either: the MAC stays. */
	static const char known[] = "SELECT user_uuid FROM user WHERE user_uuid = ?1 AND mail != ''"
				    " UNION SELECT id FROM row_mac"
				    "	WHERE kind = 'user' AND id = ?1";
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_rows_check(self, ROW_USER, known, values, ARRAY_LEN(values), e);

	if (!err)
		err = sqlite_first(self, sql, values, ARRAY_LEN(values), &row, e);
	if (err == ERR_NOT_FOUND)
		error_set(e, err, "user %s has had no certificate", user_uuid);
	if (!err)
		err = sqlite_text(row, 0, mail, e);
	if (!err)
		*address_time = sqlite3_column_int64(row, 1);
	sqlite_done(row);
	return err;
}

/* --- earlier ones */

enum err sqlite_credential_newest(
	void *self, const char *user_uuid, const char *device_uuid, int64_t *id, struct error *e)
{
	static const char sql[] = "SELECT max(id) FROM credential"
				  " WHERE user_uuid = ?1 AND device_uuid IN ('', ?2)";
	const struct value values[] = {VALUE_TEXT(user_uuid), VALUE_TEXT(device_uuid)};

	return sqlite_integer(self, sql, values, ARRAY_LEN(values), 0, id, e);
}

/* One that is read with its key is one that may leave. */
static enum err append(struct sqlite *db, sqlite3_stmt *row, struct credential **array,
	size_t *count, struct error *e)
{
	size_t room = *count + 1;
	struct credential *more = reallocarray(*array, room, sizeof(**array));

	if (!more)
		return error_memory(e);
	*array = more;
	if (sqlite3_column_bytes(row, KEY) > 0 &&
		sqlite_credential_check(db, sqlite3_column_int64(row, ID), e))
		return e->code;
	if (read_credential(row, &more[*count], e))
		return e->code;
	*count = room;
	return ERR_OK;
}

enum err sqlite_credentials(struct sqlite *db, const char *sql, const struct value *values,
	size_t value_count, struct credential **out, size_t *count, struct error *e)
{
	struct credential *found = NULL;
	size_t n = 0;
	sqlite3_stmt *row = NULL;
	bool more = true;
	enum err err = sqlite_start(db, sql, values, value_count, &row, e);

	while (!err && more) {
		err = sqlite_next(db, row, &more, e);
		if (!err && more)
			err = append(db, row, &found, &n, e);
	}
	sqlite_done(row);
	if (err) {
		credentials_free(found, n);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}

/*
 * A signing key of another device must not get through here. ?3: whether there is a current
 * encryption credential; where the configuration has no use for one any more, mail for the active
 * one is old mail.
 */
#define ARCHIVED                                                 \
	" FROM credential WHERE user_uuid = ?1"                  \
	"	AND (usage = 'encryption' OR device_uuid IN ('', ?2))" \
	"	AND (state != 'active' OR (usage = 'encryption' AND NOT ?3))"

#define ARCHIVED_VALUES(earlier)                                              \
	VALUE_TEXT((earlier)->user_uuid), VALUE_TEXT((earlier)->device_uuid), \
		VALUE_INTEGER((earlier)->encrypts)

static enum err count_left_out(struct sqlite *db, const struct store_earlier *earlier, size_t taken,
	size_t *left_out, struct error *e)
{
	const struct value values[] = {ARCHIVED_VALUES(earlier)};
	int64_t all = 0;
	enum err err = sqlite_integer(
		db, "SELECT count(*)" ARCHIVED, values, ARRAY_LEN(values), 0, &all, e);

	if (!err)
		*left_out = (size_t)all > taken ? (size_t)all - taken : 0;
	return err;
}

enum err sqlite_credential_archived(void *self, const struct store_earlier *earlier,
	struct credential **out, size_t *count, size_t *left_out, struct error *e)
{
	static const char sql[] =
		"SELECT " COLUMNS ARCHIVED " ORDER BY not_before DESC, id DESC LIMIT ?4";
	size_t max = earlier->max;
	const struct value values[] = {ARCHIVED_VALUES(earlier),
		VALUE_INTEGER(max < INT64_MAX ? (int64_t)max : INT64_MAX)};
	struct credential *found = NULL;
	size_t n = 0;
	enum err err = sqlite_credentials(self, sql, values, ARRAY_LEN(values), &found, &n, e);

	*left_out = 0;
	if (!err && n == max)
		err = count_left_out(self, earlier, n, left_out, e);
	if (err) {
		credentials_free(found, n);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}

enum err sqlite_credential_history(void *self, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e)
{
	/* Signing keys are never recovered: a signature would no longer prove its signer. */
	static const char sql[] =
		"SELECT " COLUMNS " FROM credential"
		" WHERE user_uuid = ?1 AND usage = 'encryption' AND (?2 = '' OR serial = ?2)"
		" ORDER BY not_before DESC, id DESC";
	const struct value values[] = {VALUE_TEXT(user_uuid), VALUE_TEXT(serial)};

	return sqlite_credentials(self, sql, values, ARRAY_LEN(values), out, count, e);
}

/* --- those to revoke; their keys stay where they are */

enum err sqlite_credential_find(void *self, const struct store_selection *selection,
	struct credential **out, size_t *count, struct error *e)
{
	static const char by_serial[] = "SELECT " CREDENTIAL_BUT_KEY " FROM credential"
					" WHERE serial = ?1 AND (NOT ?2 OR state = 'active')"
					" ORDER BY id DESC";
	static const char by_user[] = "SELECT " CREDENTIAL_BUT_KEY " FROM credential"
				      " WHERE user_uuid = ?1 AND (NOT ?2 OR state = 'active')"
				      " ORDER BY id DESC";
	static const char by_device[] = "SELECT " CREDENTIAL_BUT_KEY " FROM credential"
					" WHERE device_uuid = ?1 AND device_uuid != ''"
					"	AND (NOT ?2 OR state = 'active')"
					" ORDER BY id DESC";
	const char *sql = by_device, *what = selection->device_uuid;

	if (*selection->serial) {
		sql = by_serial;
		what = selection->serial;
	} else if (*selection->user_uuid) {
		sql = by_user;
		what = selection->user_uuid;
	}
	const struct value values[] = {VALUE_TEXT(what), VALUE_INTEGER(selection->active)};

	return sqlite_credentials(self, sql, values, ARRAY_LEN(values), out, count, e);
}

/*
 * A device that an unenrollment waits for, too, is as good as gone: where a user's last two go at
 * the same moment, one of the two events sees the other.
 */
enum err sqlite_credential_unenrolled(void *self, int64_t event_id, bool encryption,
	struct credential **out, size_t *count, struct error *e)
{
	static const char sql[] =
		"WITH gone AS (SELECT d.device_uuid, d.user_uuid FROM device AS d"
		"		JOIN event AS v USING (device_uuid)"
		"		WHERE v.id = ?1 AND v.kind = 'unenrolled' AND d.event_id < ?1),"
		"	alone AS (SELECT user_uuid FROM gone AS g WHERE NOT EXISTS"
		"		(SELECT 1 FROM device AS o WHERE o.user_uuid = g.user_uuid"
		"			AND o.device_uuid != g.device_uuid AND o.state = 'enrolled'"
		"			AND NOT EXISTS (SELECT 1 FROM event AS w"
		"				WHERE w.device_uuid = o.device_uuid"
		"				AND w.kind = 'unenrolled'"
		"				AND w.state IN ('pending', 'failed')"
		"				AND w.id > o.event_id)))"
		" SELECT " CREDENTIAL_BUT_KEY " FROM credential INDEXED BY credential_active"
		" WHERE state = 'active' AND (usage = 'signing' OR ?2)"
		"	AND user_uuid IN (SELECT user_uuid FROM gone)"
		"	AND ((user_uuid, device_uuid) IN"
		"		(SELECT user_uuid, device_uuid FROM gone)"
		"	OR (device_uuid = '' AND user_uuid IN (SELECT user_uuid FROM alone)))"
		" ORDER BY id DESC";
	const struct value values[] = {VALUE_INTEGER(event_id), VALUE_INTEGER(encryption)};

	return sqlite_credentials(self, sql, values, ARRAY_LEN(values), out, count, e);
}
