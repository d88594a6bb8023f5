/* Credentials: the owner's active one, a new one in its place, and earlier ones. */
#include "store/credential.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/address.h"
#include "store/credential_key.h"
#include "store/credential_row.h"
#include "store/handle.h"
#include "store/keys.h"
#include "store/request.h"
#include "store/row_mac.h"
#include "store/upload.h"

#define DETAIL_MAX 1024

void credential_fini(struct credential *credential)
{
	free(credential->mail);
	free(credential->serial);
	free(credential->subject);
	free(credential->issuer);
	blob_free(&credential->chain);
	blob_free(&credential->key);
	*credential = (struct credential){.id = 0};
}

void credentials_free(struct credential *credentials, size_t count)
{
	for (size_t i = 0; i < count; i++)
		credential_fini(&credentials[i]);
	free(credentials);
}

/* --- the active one */

enum err credential_current_sealed(struct store *store, const struct credential_owner *owner,
	struct credential *out, struct error *e)
{
	static const char sql[] =
		"SELECT " CREDENTIAL_COLUMNS " FROM credential"
		" WHERE user_uuid = $1 AND usage = $2 AND device_uuid = $3 AND state = 'active'";
	const struct db_value values[] = {
		DB_TEXT(owner->user_uuid),
		DB_TEXT(usage_names[owner->usage]),
		DB_TEXT(owner->device_uuid),
	};
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = row_check(store, ROW_CREDENTIAL, db_column_integer(row, 0), e);
	else if (err == ERR_NOT_FOUND)
		error_set(e, err, "user %s has no %s certificate", owner->user_uuid,
			usage_names[owner->usage]);
	if (!err)
		err = credential_read(row, out, e);
	db_done(row);
	return err;
}

static enum err read_current(struct store *store, const struct credential_owner *owner,
	struct credential *out, struct error *e)
{
	struct credential found = {.id = 0};
	enum err err = credential_current_sealed(store, owner, &found, e);

	if (!err)
		err = credential_unseal_key(store->seal, &found, e);
	if (err) {
		credential_fini(&found);
		return err;
	}
	*out = found;
	return ERR_OK;
}

enum err store_credential_current(struct store *store, const struct credential_owner *owner,
	struct credential *out, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = read_current(store, owner, out, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

enum err credential_next(
	struct store *store, int64_t after, struct credential *out, struct error *e)
{
	static const char sql[] =
		"SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE id > $1 ORDER BY id LIMIT 1";
	const struct db_value values[] = {DB_INTEGER(after)};
	struct db_rows *row = NULL;
	bool found = false;
	enum err err = db_start(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = db_next(row, &found, e);
	if (!err && found)
		err = credential_read(row, out, e);
	db_done(row);
	return err;
}

/* --- a new one */

enum err credential_active(
	struct store *store, const struct credential_owner *owner, int64_t *id, struct error *e)
{
	static const char sql[] =
		"SELECT id FROM credential"
		" WHERE user_uuid = $1 AND usage = $2 AND device_uuid = $3 AND state = 'active'";
	const struct db_value values[] = {
		DB_TEXT(owner->user_uuid),
		DB_TEXT(usage_names[owner->usage]),
		DB_TEXT(owner->device_uuid),
	};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, id, e);
}

enum err credential_archive(struct store *store, int64_t id, struct error *e)
{
	static const char sql[] =
		"UPDATE credential SET state = 'archived', updated_at = $2 WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id), DB_INTEGER(clock_now())};
	enum err err = row_check(store, ROW_CREDENTIAL, id, e);

	if (!err)
		err = db_run(store->db, sql, values, ARRAY_LEN(values), e);
	return err ? err : row_sign(store, ROW_CREDENTIAL, id, e);
}

static enum err insert(struct store *store, struct credential *c, struct error *e)
{
	static const char sql[] =
		"INSERT INTO credential (usage, state, user_uuid, device_uuid, mail, serial,"
		"	subject, issuer, not_before, not_after, added_at, updated_at, chain, "
		"\"key\")"
		" VALUES ($1, 'active', $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)"
		" RETURNING id";
	const struct db_value values[] = {
		DB_TEXT(usage_names[c->usage]),
		DB_TEXT(c->user_uuid),
		DB_TEXT(c->device_uuid),
		DB_TEXT(c->mail),
		DB_TEXT(c->serial),
		DB_TEXT(c->subject),
		DB_TEXT(c->issuer),
		DB_INTEGER(c->not_before),
		DB_INTEGER(c->not_after),
		DB_INTEGER(clock_now()),
		DB_BLOB(c->chain.data, c->chain.len),
		DB_BLOB(c->key.data, c->key.len),
	};

	enum err err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &c->id, e);

	if (!err)
		err = row_sign(store, ROW_CREDENTIAL, c->id, e);
	return err ? error_context(e, "certificate with serial %s", c->serial) : ERR_OK;
}

/* "encryption certificate for alice@example.com: renewal of 4a…" */
enum err credential_audit(struct store *store, const struct credential *c,
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
		err = audit_append(store, &entry, e);
	buf_free(&detail);
	return err;
}

/* In the place of the active one, if there is one. */
static enum err take_place(struct store *store, struct credential *c, int64_t active,
	const struct store_place *place, struct error *e)
{
	const struct credential_owner owner = {c->usage, c->user_uuid, c->device_uuid};
	enum err err = user_set_mail(store, c, place->address_time, e);

	if (!err && active)
		err = credential_archive(store, active, e);
	if (!err)
		err = insert(store, c, e);
	if (!err)
		err = upload_want(store, c, e);
	if (!err)
		err = request_settle(store, &owner, place->request, e);
	return err ? err : credential_audit(store, c, place, e);
}

static enum err add(struct store *store, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e)
{
	const struct credential_owner owner = {
		credential->usage, credential->user_uuid, credential->device_uuid};
	int64_t active = 0;
	enum err err = keys_check(store, e);

	if (!err && place->claimant)
		err = address_free(store, place->claimant, credential->mail, e);
	if (!err)
		err = credential_active(store, &owner, &active, e);
	*won = active == 0 || active == place->replaces;
	if (!err && *won)
		err = take_place(store, credential, active, place, e);
	return err;
}

static enum err seal_and_add(struct store *store, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e)
{
	struct credential sealed = *credential; /* borrows all but the key */
	bool wins = false;
	enum err err;

	sealed.key = (struct blob){NULL, 0};
	err = credential_seal_key(store->seal, credential, &sealed.key, e);
	if (err)
		return err;
	do {
		err = db_begin(store->db, e);
		if (!err)
			err = add(store, &sealed, place, &wins, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*won = wins;
	if (!err && wins)
		credential->id = sealed.id;
	blob_free(&sealed.key);
	return err;
}

enum err store_credential_add(struct store *store, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = seal_and_add(store, credential, place, won, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

/* --- earlier ones */

enum err store_credential_newest(struct store *store, const char *user_uuid,
	const char *device_uuid, int64_t *id, struct error *e)
{
	static const char sql[] = "SELECT max(id) FROM credential"
				  " WHERE user_uuid = $1 AND device_uuid IN ('', $2)";
	const struct db_value values[] = {DB_TEXT(user_uuid), DB_TEXT(device_uuid)};

	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, id, e);
}

/* Unseals the keys of an array, which becomes the caller's; on failure it is freed. */
static enum err unseal_all(struct store *store, struct credential *found, size_t n,
	struct credential **out, size_t *count, struct error *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < n; i++)
		err = credential_unseal_key(store->seal, &found[i], e);
	if (err) {
		credentials_free(found, n);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}

/*
 * Never selects a signing key of another device. $3: the active encryption credential is uploaded
 * as the current one; where the configuration no longer issues any, it is uploaded as archived.
 */
#define ARCHIVED                                                 \
	" FROM credential WHERE user_uuid = $1"                  \
	"	AND (usage = 'encryption' OR device_uuid IN ('', $2))" \
	"	AND (state != 'active' OR (usage = 'encryption' AND NOT $3))"

#define ARCHIVED_VALUES(earlier)                                        \
	DB_TEXT((earlier)->user_uuid), DB_TEXT((earlier)->device_uuid), \
		DB_BOOLEAN((earlier)->encrypts)

static enum err count_left_out(struct store *store, const struct store_earlier *earlier,
	size_t taken, size_t *left_out, struct error *e)
{
	const struct db_value values[] = {ARCHIVED_VALUES(earlier)};
	int64_t all = 0;
	enum err err = db_integer(
		store->db, "SELECT count(*)" ARCHIVED, values, ARRAY_LEN(values), 0, &all, e);

	if (!err)
		*left_out = (size_t)all > taken ? (size_t)all - taken : 0;
	return err;
}

static enum err read_archived(struct store *store, const struct store_earlier *earlier,
	struct credential **out, size_t *count, size_t *left_out, struct error *e)
{
	static const char sql[] =
		"SELECT " CREDENTIAL_COLUMNS ARCHIVED " ORDER BY not_before DESC, id DESC LIMIT $4";
	size_t max = earlier->max;
	const struct db_value values[] = {
		ARCHIVED_VALUES(earlier), DB_INTEGER(max < INT64_MAX ? (int64_t)max : INT64_MAX)};
	struct credential *found = NULL;
	size_t n = 0, more = 0;
	enum err err = credentials_read(store, sql, values, ARRAY_LEN(values), &found, &n, e);

	if (!err && n == max)
		err = count_left_out(store, earlier, n, &more, e);
	if (err) {
		credentials_free(found, n);
		return err;
	}
	err = unseal_all(store, found, n, out, count, e);
	if (!err)
		*left_out = more;
	return err;
}

enum err store_credential_archived(struct store *store, const struct store_earlier *earlier,
	struct credential **out, size_t *count, size_t *left_out, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = read_archived(store, earlier, out, count, left_out, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

static enum err read_history(struct store *store, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e)
{
	/* Signing keys are never recovered: a signature would no longer prove its signer. */
	static const char sql[] =
		"SELECT " CREDENTIAL_COLUMNS " FROM credential"
		" WHERE user_uuid = $1 AND usage = 'encryption' AND ($2 = '' OR serial = $2)"
		" ORDER BY not_before DESC, id DESC";
	const struct db_value values[] = {DB_TEXT(user_uuid), DB_TEXT(serial)};
	struct credential *found = NULL;
	size_t n = 0;
	enum err err = credentials_read(store, sql, values, ARRAY_LEN(values), &found, &n, e);

	return err ? err : unseal_all(store, found, n, out, count, e);
}

enum err store_credential_history(struct store *store, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = read_history(store, user_uuid, serial, out, count, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}
