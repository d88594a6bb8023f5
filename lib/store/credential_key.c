/* A credential's private key: sealed on its way in, unsealed on its way out. */
#include "store/credential_key.h"

#include "base/digest.h"

#define ROW_MAX 4096

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
	seal_row_parts(&b, parts, ARRAY_LEN(parts));
	buf_printf(&b, "%lld,%lld", (long long)c->not_before, (long long)c->not_after);
	return blob_take(&b, out, e);
}

static enum err key_error(const struct credential *c, struct error *e)
{
	return error_context(e, "private key of the certificate with serial %s", c->serial);
}

enum err credential_seal_key(
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
enum err credential_unseal_key(const struct seal *seal, struct credential *c, struct error *e)
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
