/* The private key of a request to a CA: sealed as those of credentials are. */
#include "store/request_key.h"

#include "base/digest.h"

#define ROW_MAX 1024

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
	seal_row_parts(&b, parts, ARRAY_LEN(parts));
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

enum err request_seal_key(
	const struct seal *seal, const struct store_request *r, struct blob *out, struct error *e)
{
	return on_key(seal_close_blob, seal, r, out, e);
}

enum err request_renew_key(
	const struct seal *seal, const struct store_request *r, struct blob *out, struct error *e)
{
	return on_key(seal_renew_blob, seal, r, out, e);
}

/* Puts the plain key in the place of the sealed one. */
enum err request_unseal_key(const struct seal *seal, struct store_request *r, struct error *e)
{
	struct blob plain = {NULL, 0};
	enum err err = on_key(seal_open_blob, seal, r, &plain, e);

	if (err)
		return err;
	blob_free(&r->key);
	r->key = plain;
	return ERR_OK;
}
