#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/internal.h"

/*
 * What all engines share: the names of the states, and the sealing of private
 * keys on their way in and out.
 */

#define ROW_MAX 4096

const char *const store_table_names[STORE_TABLE_COUNT] = {
	[STORE_DEVICES] = "devices",
	[STORE_USERS] = "users",
	[STORE_CERTIFICATES] = "certificates",
	[STORE_UPLOADS] = "uploads",
	[STORE_EVENTS] = "events",
	[STORE_AUDIT] = "audit",
};

const char *const audit_action_names[AUDIT_ACTION_COUNT] = {
	[AUDIT_RECEIVED] = "received",
	[AUDIT_ISSUED] = "issued",
	[AUDIT_RENEWED] = "renewed",
	[AUDIT_UPLOADED] = "uploaded",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_UNENROLLED] = "unenrolled",
	[AUDIT_REVOKED] = "revoked",
	[AUDIT_RECOVERED] = "recovered",
	[AUDIT_REKEYED] = "rekeyed",
};

const char *const event_state_names[EVENT_STATE_COUNT] = {
	[EVENT_STATE_PENDING] = "pending",
	[EVENT_STATE_DELIVERED] = "delivered",
	[EVENT_STATE_RECORDED] = "recorded",
	[EVENT_STATE_FAILED] = "failed",
};

const char *const credential_state_names[CREDENTIAL_STATE_COUNT] = {
	[CREDENTIAL_ACTIVE] = "active",
	[CREDENTIAL_ARCHIVED] = "archived",
	[CREDENTIAL_REVOKED] = "revoked",
};

const char *const upload_state_names[UPLOAD_STATE_COUNT] = {
	[UPLOAD_PENDING] = "pending",
	[UPLOAD_DELIVERED] = "delivered",
	[UPLOAD_FAILED] = "failed",
};

static const char *const device_state_names[] = {"enrolled", "unenrolled"};

/* --- the audit trail */

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

static enum err open_audit(struct store *store, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = load_audit(store, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

enum err store_audit_add(struct store *store, const struct store_audit *entry, struct error *e)
{
	return store->engine->audit_add(store->self, entry, e);
}

enum err store_audit_verify(struct store *store, int64_t *count, struct error *e)
{
	return store->engine->audit_verify(store->self, count, e);
}

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
		err = open_audit(store, e);
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

/* --- events and uploads */

enum err store_event_add(struct store *store, const struct store_event *event, int64_t lease,
	int64_t *id, struct error *e)
{
	return store->engine->event_add(store->self, event, lease, id, e);
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

/* --- credentials */

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

/*
 * Whose key it is and of which certificate, as one string: each part behind
 * its length, so that no two rows have the same. The certificates are part of it: a key
 * never leaves with another's, nor an old one under a new date.
 */
static enum err row_identity(const struct credential *c, struct blob *out, struct error *e)
{
	char chain[DIGEST_HEX_SIZE] = "";
	const char *const parts[] = {
		usage_names[c->usage], c->user_uuid, c->device_uuid, c->mail, c->serial, chain};
	struct buf b = BUF_INIT(ROW_MAX);
	enum err err = digest_hex(c->chain.data, c->chain.len, chain, e);

	if (err)
		return err;
	buf_puts(&b, "credential: ");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_printf(&b, "%zu:%s,", strlen(parts[i]), parts[i]);
	buf_printf(&b, "%lld,%lld", (long long)c->not_before, (long long)c->not_after);
	return blob_take(&b, out, e);
}

static enum err key_error(const struct credential *c, struct error *e)
{
	return error_context(e, "private key of the certificate with serial %s", c->serial);
}

static enum err seal_key(
	const struct seal *seal, const struct credential *c, struct blob *out, struct error *e)
{
	struct blob row = {NULL, 0};
	enum err err = row_identity(c, &row, e);

	if (!err)
		err = seal_close_blob(seal, &c->key, (char *)row.data, out, e);
	blob_free(&row);
	return err ? key_error(c, e) : ERR_OK;
}

/* Puts the plain key in the place of the sealed one. */
static enum err unseal_key(const struct seal *seal, struct credential *c, struct error *e)
{
	struct blob row = {NULL, 0}, plain = {NULL, 0};
	enum err err = row_identity(c, &row, e);

	if (!err)
		err = seal_open_blob(seal, &c->key, (char *)row.data, &plain, e);
	blob_free(&row);
	if (err)
		return key_error(c, e);
	blob_free(&c->key);
	c->key = plain;
	return ERR_OK;
}

enum err credential_renew_key(
	const struct seal *seal, const struct credential *c, struct blob *out, struct error *e)
{
	struct blob row = {NULL, 0};
	enum err err = row_identity(c, &row, e);

	if (!err)
		err = seal_renew_blob(seal, &c->key, (char *)row.data, out, e);
	blob_free(&row);
	return err ? key_error(c, e) : ERR_OK;
}

static enum err read_current(struct store *store, const struct credential_owner *owner,
	struct credential *out, struct error *e)
{
	struct credential found = {.id = 0};
	enum err err = store->engine->credential_current(store->self, owner, &found, e);

	if (!err)
		err = unseal_key(store->seal, &found, e);
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

static enum err seal_and_add(struct store *store, struct credential *credential,
	const struct store_place *place, bool *won, struct error *e)
{
	struct credential sealed = *credential; /* borrows all but the key */
	enum err err;

	sealed.key = (struct blob){NULL, 0};
	err = seal_key(store->seal, credential, &sealed.key, e);
	if (!err)
		err = store->engine->credential_add(store->self, &sealed, place, won, e);
	if (!err && *won)
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

/* Takes an array that an engine gave, with sealed keys; nothing of it is left on failure. */
static enum err unseal_all(struct store *store, struct credential *found, size_t n,
	struct credential **out, size_t *count, struct error *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < n; i++)
		err = unseal_key(store->seal, &found[i], e);
	if (err) {
		credentials_free(found, n);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}

static enum err read_archived(struct store *store, const char *user_uuid, const char *device_uuid,
	size_t max, struct credential **out, size_t *count, size_t *left_out, struct error *e)
{
	struct credential *found = NULL;
	size_t n = 0, more = 0;
	enum err err = store->engine->credential_archived(
		store->self, user_uuid, device_uuid, max, &found, &n, &more, e);

	if (!err)
		err = unseal_all(store, found, n, out, count, e);
	if (!err)
		*left_out = more;
	return err;
}

enum err store_credential_archived(struct store *store, const char *user_uuid,
	const char *device_uuid, size_t max, struct credential **out, size_t *count,
	size_t *left_out, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = read_archived(store, user_uuid, device_uuid, max, out, count, left_out, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

static enum err read_history(struct store *store, const char *user_uuid, const char *serial,
	struct credential **out, size_t *count, struct error *e)
{
	struct credential *found = NULL;
	size_t n = 0;
	enum err err =
		store->engine->credential_history(store->self, user_uuid, serial, &found, &n, e);

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

/* --- renewal */

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

enum err store_user_enrollment(
	struct store *store, const char *user_uuid, struct blob *out, struct error *e)
{
	return store->engine->user_enrollment(store->self, user_uuid, out, e);
}

/* --- revocation */

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

/* --- looking at it */

/* A state that a table cannot have is a slip of the keyboard, not an empty list. */
static enum err check_state(enum store_table table, const char *state, struct error *e)
{
	static const struct {
		const char *const *names;
		size_t count;
	} states[STORE_TABLE_COUNT] = {
		[STORE_DEVICES] = {device_state_names, ARRAY_LEN(device_state_names)},
		[STORE_USERS] = {device_state_names, ARRAY_LEN(device_state_names)},
		[STORE_CERTIFICATES] = {credential_state_names, CREDENTIAL_STATE_COUNT},
		[STORE_UPLOADS] = {upload_state_names, UPLOAD_STATE_COUNT},
		[STORE_EVENTS] = {event_state_names, EVENT_STATE_COUNT},
		[STORE_AUDIT] = {audit_action_names, AUDIT_ACTION_COUNT},
	};
	struct buf names = BUF_INIT(ERROR_TEXT_MAX / 2);
	enum err err;

	if (!*state || kind_find(states[table].names, states[table].count, state) >= 0)
		return ERR_OK;
	for (size_t i = 0; i < states[table].count; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", states[table].names[i]);
	err = error_set(e, ERR_USAGE, "no state of %s: %.40s; they are %s",
		store_table_names[table], state, names.data ? names.data : "");
	buf_free(&names);
	return err;
}

enum err store_list(struct store *store, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e)
{
	struct store_filter f = {
		.user = filter->user ? filter->user : "",
		.device = filter->device ? filter->device : "",
		.state = filter->state ? filter->state : "",
		.expires_before = filter->expires_before,
	};
	enum err err = check_state(table, f.state, e);

	return err ? err : store->engine->list(store->self, table, &f, row, ctx, e);
}

enum err store_count(struct store *store, int64_t now, struct store_counts *out, struct error *e)
{
	return store->engine->count(store->self, now, out, e);
}
