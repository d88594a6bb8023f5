#include "store/audit.h"

#include "store/internal.h"

const char *const audit_action_names[AUDIT_ACTION_COUNT] = {
	[AUDIT_RECEIVED] = "received",
	[AUDIT_REQUESTED] = "requested",
	[AUDIT_DROPPED] = "dropped",
	[AUDIT_ISSUED] = "issued",
	[AUDIT_RETURNED] = "returned",
	[AUDIT_RENEWED] = "renewed",
	[AUDIT_UPLOADED] = "uploaded",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_UNENROLLED] = "unenrolled",
	[AUDIT_CONFLICT] = "address conflict",
	[AUDIT_REVOKED] = "revoked",
	[AUDIT_RECOVERY_REQUESTED] = "recovery-requested",
	[AUDIT_RECOVERY_FAILED] = "recovery-failed",
	[AUDIT_RECOVERED] = "recovered",
	[AUDIT_REKEYED] = "rekeyed",
};

/* A store that was made before there was one begins it now. */
static enum err begin_audit(struct store *store, struct blob *sealed_key, struct error *e)
{
	struct blob key = {NULL, 0};
	enum err err = audit_make_key(store->seal, &key, e);

	if (!err)
		err = store->engine->audit_begin(store->self, &key, e);
	blob_free(&key);
	return err ? err : store->engine->audit_key(store->self, sealed_key, e);
}

static enum err load_audit(struct store *store, struct error *e)
{
	struct blob key = {NULL, 0};
	enum err err = store->engine->audit_key(store->self, &key, e);

	if (err == ERR_NOT_FOUND)
		err = begin_audit(store, &key, e);
	if (!err)
		err = audit_open(store->seal, &key, &store->audit, e);
	if (!err)
		store->engine->audit_use(store->self, store->audit);
	blob_free(&key);
	return err;
}

/* Once: from then on a row without a MAC is one that somebody else has written. */
static enum err begin_rows(struct store *store, struct error *e)
{
	struct blob key_check = {NULL, 0};
	enum err err;

	if (store->rows_have_macs)
		return ERR_OK;
	err = keys_seal_check(store->seal, &key_check, e);
	if (!err)
		err = store->engine->rows_begin(store->self, &key_check, e);
	blob_free(&key_check);
	return err ? err : keys_load(store, e);
}

enum err trail_open(struct store *store, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = store->audit ? ERR_OK : load_audit(store, e);
		if (!err)
			err = begin_rows(store, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

enum err store_audit_add(struct store *store, const struct store_audit *entry, struct error *e)
{
	return store->engine->audit_add(store->self, entry, e);
}

enum err store_audit_conflicts(struct store *store, struct store_conflicts *out, struct error *e)
{
	return store->engine->audit_conflicts(store->self, out, e);
}

enum err store_audit_verify(struct store *store, int64_t *count, struct error *e)
{
	return store->engine->audit_verify(store->self, count, e);
}

enum err store_rows_verify(struct store *store, int64_t *count, struct error *e)
{
	return store->engine->rows_verify(store->self, count, e);
}
