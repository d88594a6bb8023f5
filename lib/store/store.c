#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/internal.h"

/* --- opening */

enum err store_init(const struct config *config, struct error *e)
{
	struct blob key_check = {NULL, 0};
	enum err err = seal_create_file(config->store.key_file, e);

	if (err)
		return err;
	err = keys_make_check(config->store.key_file, &key_check, e);
	if (!err)
		err = store_engine_sqlite.create(config, &key_check, e);
	if (err)
		unlink(config->store.key_file);
	blob_free(&key_check);
	return err;
}

enum err store_open(const struct config *config, struct store **out, struct error *e)
{
	struct store *store = calloc(1, sizeof(*store));
	enum err err;

	if (!store)
		return error_memory(e);
	store->engine = &store_engine_sqlite;
	store->name = strdup(config->store.sqlite);
	store->key_file = strdup(config->store.key_file);
	err = store->name && store->key_file ? ERR_OK : error_memory(e);
	/* First the database: where both are missing, its error says what to do. */
	if (!err)
		err = store->engine->open(config, &store->self, e);
	if (!err)
		err = keys_load(store, e);
	if (!err)
		err = trail_open(store, e);
	if (err) {
		store_close(store);
		return err;
	}
	*out = store;
	return ERR_OK;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store->engine->close(store->self);
	audit_close(store->audit);
	seal_close(store->seal);
	blob_free(&store->key_check);
	free(store->key_file);
	free(store->name);
	free(store);
}

enum err store_ping(struct store *store, struct error *e)
{
	return store->engine->ping(store->self, e);
}

enum err store_examine(struct store *store, struct error *e)
{
	return store->engine->examine(store->self, e);
}

/* --- operations of the engine alone */

enum err store_event_add(struct store *store, const struct store_event *event, int64_t lease,
	int64_t *id, struct error *e)
{
	return store->engine->event_add(store->self, event, lease, id, e);
}

enum err store_event_check(struct store *store, int64_t id, struct error *e)
{
	return store->engine->event_check(store->self, id, e);
}

enum err store_event_accept(
	struct store *store, int64_t id, bool shared, bool *accepted, struct error *e)
{
	return store->engine->event_accept(store->self, id, shared, accepted, e);
}

enum err store_event_finish(
	struct store *store, int64_t id, const struct store_end *end, struct error *e)
{
	return store->engine->event_finish(store->self, id, end, e);
}

void store_claim_fini(struct store_claim *claim)
{
	free(claim->request_id);
	blob_free(&claim->payload);
	*claim = (struct store_claim){.id = 0};
}

enum err store_event_claim(struct store *store, const struct store_due *due, int64_t after,
	const struct store_share *share, struct store_claim *out, struct error *e)
{
	return store->engine->event_claim(store->self, due, after, share, out, e);
}

enum err store_event_turn(struct store *store, int64_t id, bool *ours, struct error *e)
{
	return store->engine->event_turn(store->self, id, ours, e);
}

enum err store_event_due(
	struct store *store, const struct store_due *due, int64_t *count, struct error *e)
{
	return store->engine->event_due(store->self, due, count, e);
}

enum err store_device_claim(struct store *store, const struct store_wanted *wanted,
	const struct store_share *share, struct store_device *at, struct error *e)
{
	return store->engine->device_claim(store->self, wanted, share, at, e);
}

enum err store_device_release(struct store *store, const struct store_pair *pair, struct error *e)
{
	return store->engine->device_release(store->self, pair, e);
}

enum err store_device_find(struct store *store, const struct store_pair *pair,
	char device_uuid[UUID_SIZE], struct error *e)
{
	return store->engine->device_find(store->self, pair, device_uuid, e);
}

enum err store_device_known(
	struct store *store, const char *device_uuid, bool *known, struct error *e)
{
	return store->engine->device_known(store->self, device_uuid, known, e);
}

enum err store_device_outdated(struct store *store, const char *user_uuid, const char *mail,
	char at[UUID_SIZE], struct error *e)
{
	return store->engine->device_outdated(store->self, user_uuid, mail, at, e);
}

enum err store_user_address(struct store *store, const char *user_uuid, char **mail,
	int64_t *address_time, struct error *e)
{
	return store->engine->user_address(store->self, user_uuid, mail, address_time, e);
}

enum err store_credential_reactivate(struct store *store, const struct credential_owner *owner,
	const struct store_return *wanted, bool *done, struct error *e)
{
	return store->engine->credential_reactivate(store->self, owner, wanted, done, e);
}

enum err store_address_conflict(struct store *store, const struct store_claimant *claimant,
	const char *mail, char **other, struct error *e)
{
	return store->engine->address_conflict(store->self, claimant, mail, other, e);
}

enum err store_credential_newest(struct store *store, const char *user_uuid,
	const char *device_uuid, int64_t *id, struct error *e)
{
	return store->engine->credential_newest(store->self, user_uuid, device_uuid, id, e);
}

enum err store_device_enrolled(
	struct store *store, const struct store_wanted *wanted, int64_t *count, struct error *e)
{
	return store->engine->device_enrolled(store->self, wanted, count, e);
}

enum err store_upload_record(
	struct store *store, const struct store_upload *upload, struct error *e)
{
	return store->engine->upload_record(store->self, upload, e);
}

enum err store_upload_last(struct store *store, const char *gateway, enum upload_state state,
	int64_t *at, struct error *e)
{
	return store->engine->upload_last(store->self, gateway, state, at, e);
}

enum err store_renewal_next(struct store *store, const struct store_renewal *wanted,
	const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e)
{
	return store->engine->renewal_next(store->self, wanted, share, user_uuid, e);
}

enum err store_renewal_count(
	struct store *store, const struct store_renewal *wanted, int64_t *users, struct error *e)
{
	return store->engine->renewal_count(store->self, wanted, users, e);
}

enum err store_renewal_list(struct store *store, const struct store_renewal *wanted,
	const char *user_uuid, struct credential **out, size_t *count, struct error *e)
{
	return store->engine->renewal_list(store->self, wanted, user_uuid, out, count, e);
}

enum err store_user_claim(
	struct store *store, const char *user_uuid, int64_t lease, bool *claimed, struct error *e)
{
	return store->engine->user_claim(store->self, user_uuid, lease, claimed, e);
}

enum err store_user_keep(struct store *store, const char *user_uuid, int64_t lease, struct error *e)
{
	return store->engine->user_keep(store->self, user_uuid, lease, e);
}

enum err store_user_release(struct store *store, const char *user_uuid, struct error *e)
{
	return store->engine->user_release(store->self, user_uuid, e);
}

enum err store_user_enrollment(struct store *store, const char *user_uuid, struct blob *out,
	int64_t *time, struct error *e)
{
	return store->engine->user_enrollment(store->self, user_uuid, out, time, e);
}

enum err store_credential_find(struct store *store, const struct store_selection *selection,
	struct credential **out, size_t *count, struct error *e)
{
	return store->engine->credential_find(store->self, selection, out, count, e);
}

enum err store_credential_unenrolled(struct store *store, int64_t event_id, bool encryption,
	struct credential **out, size_t *count, struct error *e)
{
	return store->engine->credential_unenrolled(
		store->self, event_id, encryption, out, count, e);
}

enum err store_credential_revoke(
	struct store *store, int64_t id, enum revocation_reason reason, bool *done, struct error *e)
{
	return store->engine->credential_revoke(store->self, id, reason, done, e);
}

enum err store_crl_current(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e)
{
	return store->engine->crl_current(store->self, issuer, out, revoked, e);
}

enum err store_crl_head(struct store *store, const char *issuer, struct store_crl *out,
	int64_t *revoked, struct error *e)
{
	return store->engine->crl_head(store->self, issuer, out, revoked, e);
}

enum err store_crl_begin(struct store *store, const char *issuer, int64_t *number, int64_t *covers,
	struct store_revoked **out, size_t *count, struct error *e)
{
	return store->engine->crl_begin(store->self, issuer, number, covers, out, count, e);
}

enum err store_crl_publish(
	struct store *store, const char *issuer, const struct store_crl *crl, struct error *e)
{
	return store->engine->crl_publish(store->self, issuer, crl, e);
}
