#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Requests to external CAs, with their sealed keys. */

#define DETAIL_MAX 1024

#define COLUMNS                                                                                  \
	"id, until, usage, user_uuid, device_uuid, terms, handle, next_at, pending_at, request," \
	" key, misread, misread_with, misread_run"

enum column {
	ID,
	UNTIL,
	USAGE,
	USER_UUID,
	DEVICE_UUID,
	TERMS,
	HANDLE,
	NEXT_AT,
	PENDING_AT,
	REQUEST,
	KEY,
	MISREAD,
	MISREAD_WITH,
	MISREAD_RUN,
};

/* --- rows */

static enum err read_owner(sqlite3_stmt *row, struct store_request *r, struct error *e)
{
	const char *usage = (const char *)sqlite3_column_text(row, USAGE);
	const char *user = (const char *)sqlite3_column_text(row, USER_UUID);
	const char *device = (const char *)sqlite3_column_text(row, DEVICE_UUID);
	int kind = usage ? vocabulary_find(usage_names, USAGE_COUNT, usage) : -1;

	if (!usage || !user || !device)
		return error_memory(e);
	if (kind < 0 || strlen(user) >= UUID_SIZE || strlen(device) >= UUID_SIZE)
		return error_set(e, ERR_CONFIG, "request %lld: its usage or a UUID is not valid",
			(long long)r->id);
	r->usage = (enum usage)kind;
	snprintf(r->user_uuid, UUID_SIZE, "%s", user);
	snprintf(r->device_uuid, UUID_SIZE, "%s", device);
	return ERR_OK;
}

static enum err read_request(sqlite3_stmt *row, struct store_request *out, struct error *e)
{
	struct store_request r = {
		.id = sqlite3_column_int64(row, ID),
		.until = sqlite3_column_int64(row, UNTIL),
		.next_at = sqlite3_column_int64(row, NEXT_AT),
		.misread = sqlite3_column_int64(row, MISREAD),
	};
	enum err err = read_owner(row, &r, e);

	if (!err)
		err = sqlite_text(row, TERMS, &r.terms, e);
	if (!err)
		err = sqlite_text(row, HANDLE, &r.handle, e);
	if (!err)
		err = sqlite_blob(row, REQUEST, &r.request, e);
	if (!err)
		err = sqlite_blob(row, KEY, &r.key, e);
	if (!err)
		err = sqlite_text(row, MISREAD_WITH, &r.misread_with, e);
	if (!err)
		err = sqlite_text(row, MISREAD_RUN, &r.misread_run, e);
	if (err)
		store_request_fini(&r);
	else
		*out = r;
	return err;
}

/* The only row of a statement; out->id is 0 where there is none. *pending: the CA has it. */
static enum err read_one(struct sqlite *db, const char *sql, const struct value *values,
	size_t count, struct store_request *out, bool *pending, struct error *e)
{
	sqlite3_stmt *row = NULL;
	bool found = false;
	enum err err = sqlite_start(db, sql, values, count, &row, e);

	if (!err)
		err = sqlite_next(db, row, &found, e);
	if (!err && found)
		err = read_request(row, out, e);
	if (!err && found)
		*pending = sqlite3_column_type(row, PENDING_AT) != SQLITE_NULL;
	sqlite_done(row);
	return err;
}

static enum err find(struct sqlite *db, const struct credential_owner *owner,
	struct store_request *out, bool *pending, struct error *e)
{
	static const char sql[] = "SELECT " COLUMNS " FROM request"
				  " WHERE user_uuid = ?1 AND usage = ?2 AND device_uuid = ?3";
	const struct value values[] = {VALUE_TEXT(owner->user_uuid),
		VALUE_TEXT(usage_names[owner->usage]), VALUE_TEXT(owner->device_uuid)};

	return read_one(db, sql, values, ARRAY_LEN(values), out, pending, e);
}

static enum err find_by_id(
	struct sqlite *db, int64_t id, struct store_request *out, bool *pending, struct error *e)
{
	static const char sql[] = "SELECT " COLUMNS " FROM request WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(id)};

	return read_one(db, sql, values, ARRAY_LEN(values), out, pending, e);
}

enum err sqlite_request_next(
	struct sqlite *db, int64_t after, struct store_request *out, struct error *e)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM request WHERE id > ?1 ORDER BY id LIMIT 1";
	const struct value values[] = {VALUE_INTEGER(after)};
	bool pending = false;

	return read_one(db, sql, values, ARRAY_LEN(values), out, &pending, e);
}

/* "signing request 4711: the CA has not decided yet"; 4711: the CA's handle, if it gave one. */
static enum err audit(struct sqlite *db, const struct store_request *r, enum audit_action action,
	const char *handle, const char *what, struct error *e)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);
	struct store_audit entry = {
		.action = action, .device_uuid = r->device_uuid, .user_uuid = r->user_uuid};
	enum err err;

	buf_printf(&detail, "%s request%s%s: %s", usage_names[r->usage], *handle ? " " : "", handle,
		what);
	err = buf_check(&detail, e);
	entry.detail = detail.data;
	if (!err)
		err = sqlite_audit(db, &entry, e);
	buf_free(&detail);
	return err;
}

/* pending: the audit trail has it, and shall have its end. */
static enum err drop(struct sqlite *db, const struct store_request *r, bool pending,
	const char *why, struct error *e)
{
	static const char sql[] = "DELETE FROM request WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(r->id)};
	enum err err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);

	if (!err && pending)
		err = audit(db, r, AUDIT_DROPPED, r->handle, why, e);
	return err;
}

/* --- leases */

static enum err lease(struct sqlite *db, struct store_request *r, int64_t seconds, struct error *e)
{
	static const char sql[] = "UPDATE request SET until = ?2, updated_at = ?3, holder = ?4"
				  " WHERE id = ?1";
	int64_t now = clock_now(), until = now + seconds;
	const struct value values[] = {VALUE_INTEGER(r->id), VALUE_INTEGER(until),
		VALUE_INTEGER(now), VALUE_TEXT(sqlite_holder(db))};
	enum err err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);

	if (!err)
		r->until = until;
	return err;
}

/* A time further ahead than any possible one comes from a wrong clock. */
static bool is_ahead(int64_t time, int64_t most)
{
	int64_t now = clock_now();

	return time > now && time <= now + most;
}

/* Counted anew when somebody has changed something, and once in a run by hand. */
static enum err forget_misread(struct sqlite *db, const struct store_asking *asking,
	struct store_request *r, struct error *e)
{
	static const char sql[] = "UPDATE request SET misread = 0, misread_run = ?2 WHERE id = ?1";
	const char *run = asking->run ? asking->run : r->misread_run;
	const struct value values[] = {VALUE_INTEGER(r->id), VALUE_TEXT(run)};

	if (!r->misread ||
		(strcmp(r->misread_with, asking->inputs) == 0 && strcmp(r->misread_run, run) == 0))
		return ERR_OK;
	r->misread = 0;
	return sqlite_run(db, sql, values, ARRAY_LEN(values), e);
}

static enum err claim_found(struct sqlite *db, const struct store_asking *asking,
	struct store_request *r, bool pending, enum request_claim *how, struct error *e)
{
	enum err err;

	if (is_ahead(r->until, STORE_LEASE_MAX)) {
		*how = REQUEST_BUSY;
		return ERR_OK;
	}
	if (strcmp(r->terms, asking->terms) != 0) {
		*how = REQUEST_NONE;
		return drop(db, r, pending, "another one is made in its place", e);
	}
	if (!asking->now && is_ahead(r->next_at, STORE_ASK_WAIT_MAX)) {
		*how = REQUEST_EARLY;
		return ERR_OK;
	}
	err = forget_misread(db, asking, r, e);
	if (!err && r->misread >= STORE_MISREAD_MAX) {
		*how = REQUEST_MISREAD;
		return ERR_OK;
	}
	*how = REQUEST_TAKEN;
	return err ? err : lease(db, r, asking->lease, e);
}

static enum err claim(struct sqlite *db, const struct store_asking *asking, enum request_claim *how,
	struct store_request *out, struct error *e)
{
	bool pending = false;
	int64_t active = 0;
	enum err err = sqlite_credential_active(db, asking->owner, &active, e);

	if (!err && active != asking->replaces) {
		*how = REQUEST_SETTLED;
		return ERR_OK;
	}
	if (!err)
		err = find(db, asking->owner, out, &pending, e);
	if (!err && out->id == 0)
		*how = REQUEST_NONE;
	else if (!err)
		err = claim_found(db, asking, out, pending, how, e);
	return err;
}

enum err sqlite_request_claim(void *self, const struct store_asking *asking,
	enum request_claim *how, struct store_request *out, struct error *e)
{
	struct store_request found = {.id = 0};
	enum request_claim result = REQUEST_NONE;
	struct sqlite *db = self;
	enum err err = sqlite_leases_sweep(db, e);

	if (!err)
		err = sqlite_begin(db, e);
	if (err)
		return err;
	err = claim(db, asking, &result, &found, e);
	err = sqlite_end(db, err, e);
	if (!err && result == REQUEST_TAKEN) {
		*out = found;
	} else {
		int64_t next_at = found.next_at;

		store_request_fini(&found);
		if (!err && result == REQUEST_EARLY)
			out->next_at = next_at;
	}
	if (!err)
		*how = result;
	return err;
}

/* --- a new one */

static enum err insert(struct sqlite *db, struct store_request *r, int64_t seconds, struct error *e)
{
	static const char sql[] =
		"INSERT INTO request (usage, user_uuid, device_uuid, terms, until, added_at,"
		"	updated_at, request, key, holder)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9)";
	int64_t now = clock_now(), until = now + seconds;
	const struct value values[] = {
		VALUE_TEXT(usage_names[r->usage]),
		VALUE_TEXT(r->user_uuid),
		VALUE_TEXT(r->device_uuid),
		VALUE_TEXT(r->terms),
		VALUE_INTEGER(until),
		VALUE_INTEGER(now),
		VALUE_BLOB(r->request.data, r->request.len),
		VALUE_BLOB(r->key.data, r->key.len),
		VALUE_TEXT(sqlite_holder(db)),
	};
	enum err err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);

	if (!err) {
		r->id = sqlite3_last_insert_rowid(db->db);
		r->until = until;
	}
	return err;
}

static enum err add(struct sqlite *db, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	struct store_request other = {.id = 0};
	bool pending = false;
	int64_t active = 0;
	enum err err = sqlite_check_key(db, e);

	if (!err)
		err = sqlite_credential_active(db, asking->owner, &active, e);
	if (!err)
		err = find(db, asking->owner, &other, &pending, e);
	*won = other.id == 0 && active == asking->replaces;
	store_request_fini(&other);
	if (!err && *won)
		err = insert(db, request, asking->lease, e);
	return err;
}

enum err sqlite_request_add(void *self, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	struct store_request added = *request;
	struct sqlite *db = self;
	bool wins = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = add(db, asking, &added, &wins, e);
	err = sqlite_end(db, err, e);
	if (err)
		return err;
	*won = wins;
	if (wins) {
		request->id = added.id;
		request->until = added.until;
	}
	return ERR_OK;
}

/* --- what became of it */

/* A later holder's lease is left alone, but what the CA said is news in any case. */
static enum err set_released(struct sqlite *db, const struct store_request *r,
	const struct store_pending *pending, struct error *e)
{
	static const char end[] = "UPDATE request SET until = 0 WHERE id = ?1 AND until = ?2";
	static const char note[] =
		"UPDATE request SET handle = iif(?2 = '', handle, ?2), next_at = ?3, misread = 0,"
		"	pending_at = coalesce(pending_at, ?4), updated_at = ?4 WHERE id = ?1";
	const struct value mine[] = {VALUE_INTEGER(r->id), VALUE_INTEGER(r->until)};
	enum err err = sqlite_run(db, end, mine, ARRAY_LEN(mine), e);

	if (!err && pending) {
		const struct value said[] = {VALUE_INTEGER(r->id), VALUE_TEXT(pending->handle),
			VALUE_INTEGER(pending->next_at), VALUE_INTEGER(clock_now())};

		err = sqlite_run(db, note, said, ARRAY_LEN(said), e);
	}
	return err;
}

static enum err release(struct sqlite *db, const struct store_request *r,
	const struct store_pending *pending, struct error *e)
{
	struct store_request now = {.id = 0};
	bool known = false;
	enum err err = find_by_id(db, r->id, &now, &known, e);

	if (!err && now.id)
		err = set_released(db, r, pending, e);
	if (!err && now.id && pending && !known)
		err = audit(db, &now, AUDIT_REQUESTED, pending->handle,
			"the CA has not decided yet", e);
	store_request_fini(&now);
	return err;
}

enum err sqlite_request_release(void *self, const struct store_request *request,
	const struct store_pending *pending, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = release(db, request, pending, e);
	return sqlite_end(db, err, e);
}

static enum err set_misread(struct sqlite *db, const struct store_request *r,
	const struct store_misread *misread, struct error *e)
{
	static const char sql[] =
		"UPDATE request SET handle = iif(?2 = '', handle, ?2), misread = ?3,"
		"	misread_with = ?4, updated_at = ?5 WHERE id = ?1";
	const struct value values[] = {VALUE_INTEGER(r->id), VALUE_TEXT(misread->handle),
		VALUE_INTEGER(misread->count), VALUE_TEXT(misread->inputs),
		VALUE_INTEGER(clock_now())};
	enum err err = sqlite_run(db, sql, values, ARRAY_LEN(values), e);

	return err ? err : set_released(db, r, NULL, e);
}

enum err sqlite_request_misread(void *self, const struct store_request *request,
	const struct store_misread *misread, struct error *e)
{
	struct sqlite *db = self;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = set_misread(db, request, misread, e);
	return sqlite_end(db, err, e);
}

enum err sqlite_request_drop(void *self, const struct store_request *request, struct error *e)
{
	struct store_request now = {.id = 0};
	struct sqlite *db = self;
	bool pending = false;
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = find_by_id(db, request->id, &now, &pending, e);
	if (!err && now.id)
		err = drop(db, &now, pending, "the CA refused it", e);
	store_request_fini(&now);
	return sqlite_end(db, err, e);
}

enum err sqlite_request_settle(
	struct sqlite *db, const struct credential_owner *owner, int64_t issued, struct error *e)
{
	struct store_request r = {.id = 0};
	bool pending = false;
	enum err err = find(db, owner, &r, &pending, e);

	/* That it was issued is in the audit trail as such. */
	if (!err && r.id)
		err = drop(db, &r, pending && r.id != issued, "there is another certificate", e);
	store_request_fini(&r);
	return err;
}
