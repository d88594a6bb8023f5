#include "store/rekey.h"

#include "store/internal.h"

/* At most so many keys in a transaction: some milliseconds. */
#define BATCH 200

#define DETAIL_MAX 256

struct rekey {
	struct store *store;
	const struct rekey_options *options;
	struct rekey_tally *tally;
	bool failed; /* the key that was looked at last; why is in cause */
	struct error cause;
};

/* --- what the engine asks, for each value that it holds */

static enum err renew_value(
	void *ctx, size_t which, const struct blob *sealed, struct blob *out, struct error *e)
{
	const struct rekey *rekey = ctx;

	if (seal_renew_blob(rekey->store->seal, sealed, sealed_values[which].row, out, e))
		return error_context(e, "%s: %s", rekey->store->name, sealed_values[which].name);
	return ERR_OK;
}

/* One that does not open ends the batch, so that nobody waits while it is reported. */
static enum err renew_key(
	void *ctx, const struct store_sealed *row, struct blob *out, bool *last, struct error *e)
{
	struct rekey *rekey = ctx;
	const struct seal *seal = rekey->store->seal;
	enum err err = row->request
			       ? request_renew_key(seal, row->request, out, &rekey->cause)
			       : credential_renew_key(seal, row->credential, out, &rekey->cause);

	rekey->failed = err == ERR_CONFIG;
	*last = rekey->failed;
	if (err && !rekey->failed)
		*e = rekey->cause;
	return rekey->failed ? ERR_OK : err;
}

/* --- the steps */

static enum err renew_values(struct rekey *rekey, struct error *e)
{
	const char *names[SEALED_VALUES];

	for (size_t i = 0; i < SEALED_VALUES; i++)
		names[i] = sealed_values[i].name;
	return rekey->store->engine->rekey_values(
		rekey->store->self, names, SEALED_VALUES, renew_value, rekey, e);
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

static void report(struct rekey *rekey)
{
	const struct rekey_options *options = rekey->options;

	if (rekey->failed) {
		rekey->tally->failed++;
		options->report(options->ctx, rekey->cause.text);
	}
	if (options->progress)
		options->progress(options->ctx, rekey->tally);
}

/* Those that are added meanwhile come behind, and are sealed under the new key already. */
static enum err renew_keys(struct rekey *rekey, bool requests, struct error *e)
{
	const struct store *store = rekey->store;
	struct rekey_batch batch = {.requests = requests, .max = BATCH};
	enum err err;

	do {
		rekey->failed = false;
		err = store->engine->rekey_keys(store->self, &batch, renew_key, rekey, e);
		if (err)
			break;
		rekey->tally->done += batch.count;
		rekey->tally->sealed += batch.renewed;
		if (batch.count > 0)
			report(rekey);
	} while (batch.count == batch.max || rekey->failed);
	return err;
}

/* Before a key goes for ever, once more: nothing may need it. */
static enum err drop_keys(struct rekey *rekey, struct error *e)
{
	struct store *store = rekey->store;
	enum err err = renew_values(rekey, e);

	if (!err)
		err = store->engine->flush(store->self, e);
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
	enum err err = rekey->store->engine->rekey_begin(rekey->store->self, e);

	/* The process that held the lock until now has changed the keys. */
	if (!err)
		err = keys_load(rekey->store, e);
	if (!err)
		err = add_key(rekey, e);
	if (!err)
		err = renew_values(rekey, e);
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
