#include "store/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "store/internal.h"

/* Keys of requests are sealed as those of credentials are. */

#define ROW_MAX 1024

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

/* The request is part of it: its key is never used for another's, nor under other terms. */
static enum err row_identity(const struct store_request *r, struct blob *out, struct error *e)
{
	char request[DIGEST_HEX_SIZE] = "";
	const char *const parts[] = {
		usage_names[r->usage], r->user_uuid, r->device_uuid, r->terms, request};
	struct buf b = BUF_INIT(ROW_MAX);
	enum err err = digest_hex(r->request.data, r->request.len, request, e);

	if (err)
		return err;
	buf_puts(&b, "request: ");
	row_parts(&b, parts, ARRAY_LEN(parts));
	return blob_take(&b, out, e);
}

typedef enum err seal_operation(const struct seal *seal, const struct blob *in, const char *row,
	struct blob *out, struct error *e);

static enum err on_key(seal_operation *operation, const struct seal *seal,
	const struct store_request *r, struct blob *out, struct error *e)
{
	struct blob row = {NULL, 0};
	enum err err = row_identity(r, &row, e);

	if (!err)
		err = operation(seal, &r->key, (char *)row.data, out, e);
	blob_free(&row);
	return err ? error_context(e, "private key of request %lld to the CA", (long long)r->id)
		   : ERR_OK;
}

enum err request_renew_key(
	const struct seal *seal, const struct store_request *r, struct blob *out, struct error *e)
{
	return on_key(seal_renew_blob, seal, r, out, e);
}

/* Puts the plain key in the place of the sealed one. */
static enum err unseal_key(const struct seal *seal, struct store_request *r, struct error *e)
{
	struct blob plain = {NULL, 0};
	enum err err = on_key(seal_open_blob, seal, r, &plain, e);

	if (err)
		return err;
	blob_free(&r->key);
	r->key = plain;
	return ERR_OK;
}

/* A request that does not open is leased by nobody. */
static enum err claim(struct store *store, const struct store_asking *asking,
	enum request_claim *how, struct store_request *out, struct error *e)
{
	struct store_request found = {.id = 0};
	enum request_claim result = REQUEST_NONE;
	struct error ignored;
	enum err err = store->engine->request_claim(store->self, asking, &result, &found, e);

	if (!err && result == REQUEST_TAKEN) {
		err = unseal_key(store->seal, &found, e);
		if (err && store->engine->request_release(store->self, &found, NULL, &ignored))
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

enum err store_request_claim(struct store *store, const struct store_asking *asking,
	enum request_claim *how, struct store_request *out, struct error *e)
{
	unsigned tries = 0;
	enum err err;

	do {
		err = claim(store, asking, how, out, e);
	} while (keys_again(store, &tries, &err, e));
	return err;
}

static enum err seal_and_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	struct store_request sealed = *request; /* borrows all but the key */
	enum err err;

	sealed.key = (struct blob){NULL, 0};
	err = on_key(seal_close_blob, store->seal, request, &sealed.key, e);
	if (!err)
		err = store->engine->request_add(store->self, asking, &sealed, won, e);
	if (!err && *won) {
		request->id = sealed.id;
		request->until = sealed.until;
	}
	blob_free(&sealed.key);
	return err;
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

enum err store_request_release(struct store *store, const struct store_request *request,
	const struct store_pending *pending, struct error *e)
{
	return store->engine->request_release(store->self, request, pending, e);
}

enum err store_request_misread(struct store *store, const struct store_request *request,
	const struct store_misread *misread, struct error *e)
{
	return store->engine->request_misread(store->self, request, misread, e);
}

enum err store_request_drop(
	struct store *store, const struct store_request *request, struct error *e)
{
	return store->engine->request_drop(store->self, request, e);
}
