/* A new master key, and all that is sealed, sealed anew under it: see the steps in rekey.h. */
#include "store/rekey.h"

#include "store/credential_key.h"
#include "store/handle.h"
#include "store/keys.h"
#include "store/list.h"
#include "store/meta.h"
#include "store/request_key.h"
#include "store/store.h"

/* At most so many keys in a transaction: some milliseconds. */
#define BATCH 200

#define DETAIL_MAX 256

struct rekey {
	struct store *store;
	const struct rekey_options *options;
	struct rekey_tally *tally;
};

/* --- sealed values on their own */

static enum err renew_value(struct store *store, const struct sealed_value *value, struct error *e)
{
	struct blob sealed = {NULL, 0}, renewed = {NULL, 0};
	enum err err = meta_get(store, value->name, &sealed, e);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err && seal_renew_blob(store->seal, &sealed, value->row, &renewed, e))
		err = error_context(e, "%s: %s", db_name(store->db), value->name);
	if (!err && renewed.data)
		err = meta_set(store, value->name, renewed.data, renewed.len, e);
	blob_free(&sealed);
	blob_free(&renewed);
	return err;
}

static enum err renew_values(struct store *store, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		for (size_t i = 0; !err && i < SEALED_VALUES; i++)
			err = renew_value(store, &sealed_values[i], e);
	} while (db_end(store->db, &err, e));
	return err;
}

/* --- private keys */

struct batch {
	bool requests;		/* else credentials */
	int64_t after;		/* only those with a higher id; then, the id of the last one */
	int64_t count, renewed; /* how many there were */
	bool failed;		/* the last one opens under no key; why is in cause */
	struct error cause;
};

static enum err replace_key(
	struct store *store, bool request, int64_t id, const struct blob *key, struct error *e)
{
	static const char of_credential[] = "UPDATE credential SET \"key\" = $2 WHERE id = $1";
	static const char of_request[] = "UPDATE request SET \"key\" = $2 WHERE id = $1";
	const struct db_value values[] = {DB_INTEGER(id), DB_BLOB(key->data, key->len)};

	return db_run(
		store->db, request ? of_request : of_credential, values, ARRAY_LEN(values), e);
}

static enum err renew_credential(struct store *store, int64_t after, int64_t *id,
	struct blob *renewed, struct error *cause, struct error *e)
{
	struct credential c = {.id = 0};
	enum err err = credential_next(store, after, &c, e);

	*id = c.id;
	cause->code = ERR_OK;
	if (!err && c.id && credential_renew_key(store->seal, &c, renewed, cause))
		err = cause->code;
	credential_fini(&c);
	return err;
}

static enum err renew_request(struct store *store, int64_t after, int64_t *id, struct blob *renewed,
	struct error *cause, struct error *e)
{
	struct store_request r = {.id = 0};
	enum err err = request_next(store, after, &r, e);

	*id = r.id;
	cause->code = ERR_OK;
	if (!err && r.id && request_renew_key(store->seal, &r, renewed, cause))
		err = cause->code;
	store_request_fini(&r);
	return err;
}

/* The one behind batch->after. *last: there is none, or it does not open. */
static enum err renew_one(struct store *store, struct batch *batch, bool *last, struct error *e)
{
	struct blob renewed = {NULL, 0};
	int64_t id = 0;
	enum err err =
		batch->requests
			? renew_request(store, batch->after, &id, &renewed, &batch->cause, e)
			: renew_credential(store, batch->after, &id, &renewed, &batch->cause, e);

	batch->failed = err == ERR_CONFIG && batch->cause.code == ERR_CONFIG;
	if (batch->failed)
		err = ERR_OK;
	else if (err && batch->cause.code)
		*e = batch->cause;
	*last = id == 0 || batch->failed;
	if (!err && renewed.data)
		err = replace_key(store, batch->requests, id, &renewed, e);
	if (!err && id > 0) {
		batch->after = id;
		batch->count++;
		batch->renewed += renewed.data ? 1 : 0;
	}
	blob_free(&renewed);
	return err;
}

/* One that does not open ends the batch, so that nobody waits while it is reported. */
static enum err renew_batch(struct store *store, struct batch *batch, struct error *e)
{
	const struct batch begun = {.requests = batch->requests, .after = batch->after};
	enum err err;

	do {
		bool last = false;

		*batch = begun;
		err = db_begin(store->db, e);
		while (!err && !last && batch->count < BATCH)
			err = renew_one(store, batch, &last, e);
	} while (db_end(store->db, &err, e));
	return err;
}

static void report(struct rekey *rekey, const struct batch *batch)
{
	const struct rekey_options *options = rekey->options;

	rekey->tally->done += batch->count;
	rekey->tally->sealed += batch->renewed;
	if (batch->failed) {
		rekey->tally->failed++;
		options->report(options->ctx, batch->cause.text);
	}
	if (batch->count > 0 && options->progress)
		options->progress(options->ctx, rekey->tally);
}

/* Those that are added meanwhile come behind, and are sealed under the new key already. */
static enum err renew_keys(struct rekey *rekey, bool requests, struct error *e)
{
	struct batch batch = {.requests = requests};
	enum err err;

	do {
		err = renew_batch(rekey->store, &batch, e);
		if (!err)
			report(rekey, &batch);
	} while (!err && (batch.count == BATCH || batch.failed));
	return err;
}

/* --- the steps */

/* Several at a time would each make a new key. */
static enum err reserve(struct store *store, struct error *e)
{
	bool ours = false;
	enum err err = db_reserve(store->db, &ours, e);

	if (!err && !ours)
		err = error_set(e, ERR_UNAVAILABLE,
			"%s: another certprov rekey is running; let it finish", db_name(store->db));
	return err;
}

/* Another run may have begun it: then its key is the new one. */
static enum err add_key(struct rekey *rekey, struct error *e)
{
	struct store *store = rekey->store;
	enum err err;

	if (seal_key_count(store->seal) > 1)
		return ERR_OK;
	err = seal_add_key(store->seal, e);
	return err ? err
		   : seal_write_file(store->seal, seal_key_count(store->seal), store->key_file, e);
}

static enum err count_keys(struct rekey *rekey, struct error *e)
{
	struct store_counts counts;
	enum err err = store_count(rekey->store, 0, &counts, e);

	if (err)
		return err;
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		for (int state = 0; state < CREDENTIAL_STATE_COUNT; state++)
			rekey->tally->total += counts.certificates[usage][state];
	rekey->tally->total += counts.requests;
	return ERR_OK;
}

/* Before a key goes for ever, once more: nothing may need it. */
static enum err drop_keys(struct rekey *rekey, struct error *e)
{
	struct store *store = rekey->store;
	enum err err = renew_values(store, e);

	if (!err)
		err = db_scrub(store->db, e);
	return err ? err : seal_write_file(store->seal, 1, store->key_file, e);
}

static enum err write_down(struct rekey *rekey, struct error *e)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);
	struct store_audit entry = {.action = AUDIT_REKEYED};
	enum err err;

	buf_printf(&detail, "%lld private keys under a new master key",
		(long long)rekey->tally->sealed);
	if (rekey->tally->failed)
		buf_printf(&detail, "; %lld cannot be opened, and the earlier key stays",
			(long long)rekey->tally->failed);
	err = buf_check(&detail, e);
	entry.detail = detail.data;
	if (!err)
		err = store_audit_add(rekey->store, &entry, e);
	buf_free(&detail);
	return err;
}

static enum err run(struct rekey *rekey, struct error *e)
{
	enum err err = reserve(rekey->store, e);

	/* The process that held the lock until now has changed the keys. */
	if (!err)
		err = keys_load(rekey->store, e);
	if (!err)
		err = add_key(rekey, e);
	if (!err)
		err = renew_values(rekey->store, e);
	if (!err)
		err = count_keys(rekey, e);
	if (!err)
		err = renew_keys(rekey, false, e);
	if (!err)
		err = renew_keys(rekey, true, e);
	/* Before the earlier key goes for ever: a run that is killed now leaves word of it. */
	if (!err)
		err = write_down(rekey, e);
	if (!err && rekey->tally->failed == 0)
		err = drop_keys(rekey, e);
	return err;
}

enum err store_rekey(const struct config *config, const struct rekey_options *options,
	struct rekey_tally *out, struct error *e)
{
	struct rekey rekey = {.options = options, .tally = out};
	enum err err = store_open(config, &rekey.store, e);

	*out = (struct rekey_tally){.total = 0};
	if (!err)
		err = run(&rekey, e);
	store_close(rekey.store);
	return err;
}

size_t store_key_count(const struct store *store)
{
	return seal_key_count(store->seal);
}
