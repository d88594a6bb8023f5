/* Requests to external CAs with their sealed keys: leasing, adding, releasing, dropping. */
#include "store/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/handle.h"
#include "store/keys.h"
#include "store/lease.h"
#include "store/lease_sweep.h"
#include "store/request_key.h"

#define DETAIL_MAX 1024

#define COLUMNS                                                                         \
	"id, until, usage, user_uuid, device_uuid, terms, handle, next_at, pending_at," \
	" request, \"key\", misread, misread_with, misread_run"

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

void store_request_fini(struct store_request *request)
{
	free(request->terms);
	free(request->handle);
	free(request->misread_with);
	free(request->misread_run);
	blob_free(&request->request);
	blob_free(&request->key);
	*request = (struct store_request){.id = 0};
}

static enum err read_owner(const struct db_rows *row, struct store_request *r, struct error *e)
{
	const char *usage = db_column_text(row, USAGE);
	const char *user = db_column_text(row, USER_UUID);
	const char *device = db_column_text(row, DEVICE_UUID);
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

static enum err read_request(const struct db_rows *row, struct store_request *out, struct error *e)
{
	struct store_request r = {
		.id = db_column_integer(row, ID),
		.until = db_column_integer(row, UNTIL),
		.next_at = db_column_integer(row, NEXT_AT),
		.misread = db_column_integer(row, MISREAD),
	};
	enum err err = read_owner(row, &r, e);

	if (!err)
		err = db_copy_text(row, TERMS, &r.terms, e);
	if (!err)
		err = db_copy_text(row, HANDLE, &r.handle, e);
	if (!err)
		err = db_copy_blob(row, REQUEST, &r.request, e);
	if (!err)
		err = db_copy_blob(row, KEY, &r.key, e);
	if (!err)
		err = db_copy_text(row, MISREAD_WITH, &r.misread_with, e);
	if (!err)
		err = db_copy_text(row, MISREAD_RUN, &r.misread_run, e);
	if (err)
		store_request_fini(&r);
	else
		*out = r;
	return err;
}

/* Reads the only row of a statement; out->id is 0 if there is none. *pending: the CA has it. */
static enum err read_one(struct store *store, const char *sql, const struct db_value *values,
	size_t count, struct store_request *out, bool *pending, struct error *e)
{
	struct db_rows *row = NULL;
	bool found = false;
	enum err err = db_start(store->db, sql, values, count, &row, e);

	if (!err)
		err = db_next(row, &found, e);
	if (!err && found)
		err = read_request(row, out, e);
	if (!err && found)
		*pending = !db_column_is_null(row, PENDING_AT);
	db_done(row);
	return err;
}

static enum err find(struct store *store, const struct credential_owner *owner,
	struct store_request *out, bool *pending, struct error *e)
{
	static const char sql[] = "SELECT " COLUMNS " FROM request"
				  " WHERE user_uuid = $1 AND usage = $2 AND device_uuid = $3";
	const struct db_value values[] = {DB_TEXT(owner->user_uuid),
		DB_TEXT(usage_names[owner->usage]), DB_TEXT(owner->device_uuid)};

	return read_one(store, sql, values, ARRAY_LEN(values), out, pending, e);
}

static enum err find_by_id(
	struct store *store, int64_t id, struct store_request *out, bool *pending, struct error *e)
{
	static const char sql[] = "SELECT " COLUMNS " FROM request WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id)};

	return read_one(store, sql, values, ARRAY_LEN(values), out, pending, e);
}

enum err request_next(
	struct store *store, int64_t after, struct store_request *out, struct error *e)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM request WHERE id > $1 ORDER BY id LIMIT 1";
	const struct db_value values[] = {DB_INTEGER(after)};
	bool pending = false;

	return read_one(store, sql, values, ARRAY_LEN(values), out, &pending, e);
}

/* "signing request 4711: the CA has not decided yet"; 4711: the CA's handle, if it gave one. */
static enum err audit(struct store *store, const struct store_request *r, enum audit_action action,
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
		err = audit_append(store, &entry, e);
	buf_free(&detail);
	return err;
}

/* pending: the audit trail has the request, so it gets the end of it, too. */
static enum err drop(struct store *store, const struct store_request *r, bool pending,
	const char *why, struct error *e)
{
	static const char sql[] = "DELETE FROM request WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(r->id)};
	enum err err = db_run(store->db, sql, values, ARRAY_LEN(values), e);

	if (!err && pending)
		err = audit(store, r, AUDIT_DROPPED, r->handle, why, e);
	return err;
}

/* --- leases */

static enum err lease(
	struct store *store, struct store_request *r, int64_t seconds, struct error *e)
{
	static const char sql[] = "UPDATE request SET until = $2, updated_at = $3, holder = $4"
				  " WHERE id = $1";
	int64_t now = clock_now(), until = now + seconds;
	const struct db_value values[] = {DB_INTEGER(r->id), DB_INTEGER(until), DB_INTEGER(now),
		DB_TEXT(lease_holder(store))};
	enum err err = db_run(store->db, sql, values, ARRAY_LEN(values), e);

	if (!err)
		r->until = until;
	return err;
}

/* A time more than most seconds ahead was written by a wrong clock, and is ignored. */
static bool is_ahead(int64_t time, int64_t most)
{
	int64_t now = clock_now();

	return time > now && time <= now + most;
}

/* Counts anew if the inputs have changed, and once in each run by hand. */
static enum err forget_misread(struct store *store, const struct store_asking *asking,
	struct store_request *r, struct error *e)
{
	static const char sql[] = "UPDATE request SET misread = 0, misread_run = $2 WHERE id = $1";
	const char *run = asking->run ? asking->run : r->misread_run;
	const struct db_value values[] = {DB_INTEGER(r->id), DB_TEXT(run)};

	if (!r->misread ||
		(strcmp(r->misread_with, asking->inputs) == 0 && strcmp(r->misread_run, run) == 0))
		return ERR_OK;
	r->misread = 0;
	return db_run(store->db, sql, values, ARRAY_LEN(values), e);
}

static enum err look_at(struct store *store, const struct store_asking *asking,
	struct store_request *r, bool pending, enum request_lease *how, struct error *e)
{
	enum err err;

	if (is_ahead(r->until, STORE_LEASE_MAX)) {
		*how = REQUEST_BUSY;
		return ERR_OK;
	}
	if (strcmp(r->terms, asking->terms) != 0) {
		*how = REQUEST_NONE;
		return drop(store, r, pending, "another one is made in its place", e);
	}
	if (!asking->now && is_ahead(r->next_at, STORE_ASK_WAIT_MAX)) {
		*how = REQUEST_EARLY;
		return ERR_OK;
	}
	err = forget_misread(store, asking, r, e);
	if (!err && r->misread >= STORE_MISREAD_MAX) {
		*how = REQUEST_MISREAD;
		return ERR_OK;
	}
	*how = REQUEST_TAKEN;
	return err ? err : lease(store, r, asking->lease, e);
}

static enum err decide(struct store *store, const struct store_asking *asking,
	enum request_lease *how, struct store_request *out, struct error *e)
{
	bool pending = false;
	int64_t active = 0;
	enum err err = credential_active(store, asking->owner, &active, e);

	if (!err && active != asking->replaces) {
		*how = REQUEST_SETTLED;
		return ERR_OK;
	}
	if (!err)
		err = find(store, asking->owner, out, &pending, e);
	if (!err && out->id == 0)
		*how = REQUEST_NONE;
	else if (!err)
		err = look_at(store, asking, out, pending, how, e);
	return err;
}

/* Fills *out only if the request is taken; if it is early, sets out->next_at. */
static enum err lease_sealed(struct store *store, const struct store_asking *asking,
	enum request_lease *how, struct store_request *out, struct error *e)
{
	struct store_request found = {.id = 0};
	enum request_lease result = REQUEST_NONE;
	enum err err;

	do {
		store_request_fini(&found);
		err = db_begin(store->db, e);
		if (!err)
			err = decide(store, asking, &result, &found, e);
	} while (db_end(store->db, &err, e));
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

/* A request whose key does not open is released at once. */
static enum err lease_and_open(struct store *store, const struct store_asking *asking,
	enum request_lease *how, struct store_request *out, struct error *e)
{
	struct store_request found = {.id = 0};
	enum request_lease result = REQUEST_NONE;
	struct error ignored;
	enum err err = leases_sweep(store, e);

	if (!err)
		err = lease_sealed(store, asking, &result, &found, e);
	if (!err && result == REQUEST_TAKEN) {
		err = request_unseal_key(store->seal, &found, e);
		if (err && store_request_release(store, &found, NULL, &ignored))
			error_context(e, "%s", ignored.text);
	}
	if (err) {
		store_request_fini(&found);
		return err;
	}
	*how = result;
	*out = found;
	return ERR_OK;
}

enum err store_request_lease(struct store *store, const struct store_asking *asking,
	enum request_lease *how, struct store_request *out, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = lease_and_open(store, asking, how, out, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

/* --- a new one */

static enum err insert(
	struct store *store, struct store_request *r, int64_t seconds, struct error *e)
{
	static const char sql[] =
		"INSERT INTO request (usage, user_uuid, device_uuid, terms, until, added_at,"
		"	updated_at, request, \"key\", holder)"
		" VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9) RETURNING id";
	int64_t now = clock_now(), until = now + seconds;
	const struct db_value values[] = {
		DB_TEXT(usage_names[r->usage]),
		DB_TEXT(r->user_uuid),
		DB_TEXT(r->device_uuid),
		DB_TEXT(r->terms),
		DB_INTEGER(until),
		DB_INTEGER(now),
		DB_BLOB(r->request.data, r->request.len),
		DB_BLOB(r->key.data, r->key.len),
		DB_TEXT(lease_holder(store)),
	};

	r->until = until;
	return db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &r->id, e);
}

static enum err add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	struct store_request other = {.id = 0};
	bool pending = false;
	int64_t active = 0;
	enum err err = keys_check(store, e);

	if (!err)
		err = credential_active(store, asking->owner, &active, e);
	if (!err)
		err = find(store, asking->owner, &other, &pending, e);
	*won = other.id == 0 && active == asking->replaces;
	store_request_fini(&other);
	if (!err && *won)
		err = insert(store, request, asking->lease, e);
	return err;
}

static enum err seal_and_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	struct store_request sealed = *request; /* borrows all but the key */
	bool wins = false;
	enum err err;

	sealed.key = (struct blob){NULL, 0};
	err = request_seal_key(store->seal, request, &sealed.key, e);
	if (err)
		return err;
	do {
		err = db_begin(store->db, e);
		if (!err)
			err = add(store, asking, &sealed, &wins, e);
	} while (db_end(store->db, &err, e));
	blob_free(&sealed.key);
	if (err)
		return err;
	*won = wins;
	if (wins) {
		request->id = sealed.id;
		request->until = sealed.until;
	}
	return ERR_OK;
}

static enum err take_over(
	const struct store_asking *asking, struct store_request *request, struct error *e)
{
	const struct credential_owner *owner = asking->owner;
	char *terms = strdup(asking->terms), *handle = strdup("");

	if (!terms || !handle) {
		free(terms);
		free(handle);
		return error_memory(e);
	}
	free(request->terms);
	free(request->handle);
	request->terms = terms;
	request->handle = handle;
	request->usage = owner->usage;
	memcpy(request->user_uuid, owner->user_uuid, strlen(owner->user_uuid) + 1);
	memcpy(request->device_uuid, owner->device_uuid, strlen(owner->device_uuid) + 1);
	return ERR_OK;
}

enum err store_request_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	unsigned tries = 0;
	enum err err = take_over(asking, request, e);

	if (err)
		return err;
	do {
		err = seal_and_add(store, asking, request, won, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

/* --- releasing and dropping one */

/* Leaves a later holder's lease alone, but stores what the CA said in any case. */
static enum err set_released(struct store *store, const struct store_request *r,
	const struct store_pending *pending, struct error *e)
{
	static const char end[] = "UPDATE request SET until = 0 WHERE id = $1 AND until = $2";
	static const char note[] =
		"UPDATE request SET handle = CASE WHEN $2 = '' THEN handle ELSE $2 END,"
		"	next_at = $3, misread = 0, pending_at = coalesce(pending_at, $4),"
		"	updated_at = $4 WHERE id = $1";
	const struct db_value mine[] = {DB_INTEGER(r->id), DB_INTEGER(r->until)};
	enum err err = db_run(store->db, end, mine, ARRAY_LEN(mine), e);

	if (!err && pending) {
		const struct db_value said[] = {DB_INTEGER(r->id), DB_TEXT(pending->handle),
			DB_INTEGER(pending->next_at), DB_INTEGER(clock_now())};

		err = db_run(store->db, note, said, ARRAY_LEN(said), e);
	}
	return err;
}

static enum err release(struct store *store, const struct store_request *r,
	const struct store_pending *pending, struct error *e)
{
	struct store_request now = {.id = 0};
	bool known = false;
	enum err err = find_by_id(store, r->id, &now, &known, e);

	if (!err && now.id)
		err = set_released(store, r, pending, e);
	if (!err && now.id && pending && !known)
		err = audit(store, &now, AUDIT_REQUESTED, pending->handle,
			"the CA has not decided yet", e);
	store_request_fini(&now);
	return err;
}

enum err store_request_release(struct store *store, const struct store_request *request,
	const struct store_pending *pending, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = release(store, request, pending, e);
	} while (db_end(store->db, &err, e));
	return err;
}

static enum err set_misread(struct store *store, const struct store_request *r,
	const struct store_misread *misread, struct error *e)
{
	static const char sql[] =
		"UPDATE request SET handle = CASE WHEN $2 = '' THEN handle ELSE $2 END,"
		"	misread = $3, misread_with = $4, updated_at = $5 WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(r->id), DB_TEXT(misread->handle),
		DB_INTEGER(misread->count), DB_TEXT(misread->inputs), DB_INTEGER(clock_now())};
	enum err err = db_run(store->db, sql, values, ARRAY_LEN(values), e);

	return err ? err : set_released(store, r, NULL, e);
}

enum err store_request_misread(struct store *store, const struct store_request *request,
	const struct store_misread *misread, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = set_misread(store, request, misread, e);
	} while (db_end(store->db, &err, e));
	return err;
}

static enum err drop_refused(struct store *store, int64_t id, struct error *e)
{
	struct store_request now = {.id = 0};
	bool pending = false;
	enum err err = find_by_id(store, id, &now, &pending, e);

	if (!err && now.id)
		err = drop(store, &now, pending, "the CA refused it", e);
	store_request_fini(&now);
	return err;
}

enum err store_request_drop(
	struct store *store, const struct store_request *request, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = drop_refused(store, request->id, e);
	} while (db_end(store->db, &err, e));
	return err;
}

enum err request_settle(
	struct store *store, const struct credential_owner *owner, int64_t issued, struct error *e)
{
	struct store_request r = {.id = 0};
	bool pending = false;
	enum err err = find(store, owner, &r, &pending, e);

	/* The audit trail has an entry already if the credential came of this request. */
	if (!err && r.id)
		err = drop(store, &r, pending && r.id != issued, "there is another certificate", e);
	store_request_fini(&r);
	return err;
}
