#include "store/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/internal.h"

/* Private keys are sealed on their way in and unsealed on their way out. */

#define ROW_MAX 4096

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

void row_parts(struct buf *row, const char *const parts[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(row, "%zu:%s,", strlen(parts[i]), parts[i]);
}

/*
 * The key's owner and its certificate, as one string. The certificates are part of it: a key never
 * leaves with another's, nor an old one under a new date.
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
	row_parts(&b, parts, ARRAY_LEN(parts));
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

static enum err read_archived(struct store *store, const struct store_earlier *earlier,
	struct credential **out, size_t *count, size_t *left_out, struct error *e)
{
	struct credential *found = NULL;
	size_t n = 0, more = 0;
	enum err err =
		store->engine->credential_archived(store->self, earlier, &found, &n, &more, e);

	if (!err)
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
