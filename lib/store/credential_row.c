/* Rows of credentials as they are read, keys sealed. */
#include "store/credential_row.h"

#include <stdlib.h>

#include "store/handle.h"
#include "store/row_mac.h"

enum column {
	ID,
	USAGE,
	STATE,
	USER_UUID,
	DEVICE_UUID,
	MAIL,
	SERIAL,
	SUBJECT,
	ISSUER,
	NOT_BEFORE,
	NOT_AFTER,
	CHAIN,
	KEY,
};

static enum err read_kind(const struct db_rows *row, enum column column, const char *const names[],
	size_t count, unsigned *out, struct error *e)
{
	const char *text = db_column_text(row, column);
	int kind = text ? vocabulary_find(names, count, text) : -1;

	if (!text)
		return error_memory(e);
	if (kind < 0)
		return error_set(e, ERR_CONFIG, "credential %lld: unknown word '%.40s'",
			(long long)db_column_integer(row, ID), text);
	*out = (unsigned)kind;
	return ERR_OK;
}

static enum err read_texts(const struct db_rows *row, struct credential *c, struct error *e)
{
	enum err err = db_copy_name(row, USER_UUID, c->user_uuid, UUID_SIZE, e);

	if (!err)
		err = db_copy_name(row, DEVICE_UUID, c->device_uuid, UUID_SIZE, e);
	if (!err)
		err = db_copy_text(row, MAIL, &c->mail, e);
	if (!err)
		err = db_copy_text(row, SERIAL, &c->serial, e);
	if (!err)
		err = db_copy_text(row, SUBJECT, &c->subject, e);
	if (!err)
		err = db_copy_text(row, ISSUER, &c->issuer, e);
	return err;
}

enum err credential_read(const struct db_rows *row, struct credential *out, struct error *e)
{
	struct credential c = {
		.id = db_column_integer(row, ID),
		.not_before = db_column_integer(row, NOT_BEFORE),
		.not_after = db_column_integer(row, NOT_AFTER),
	};
	unsigned usage = 0, state = 0;
	enum err err = read_kind(row, USAGE, usage_names, USAGE_COUNT, &usage, e);

	if (!err)
		err = read_kind(
			row, STATE, credential_state_names, CREDENTIAL_STATE_COUNT, &state, e);
	if (!err)
		err = read_texts(row, &c, e);
	if (!err)
		err = db_copy_blob(row, CHAIN, &c.chain, e);
	if (!err)
		err = db_copy_blob(row, KEY, &c.key, e);
	if (err) {
		credential_fini(&c);
		return err;
	}
	c.usage = usage;
	c.state = state;
	*out = c;
	return ERR_OK;
}

/* A credential that is read with its key may be uploaded: its row is checked first. */
static enum err append(struct store *store, const struct db_rows *row, struct credential **array,
	size_t *count, struct error *e)
{
	size_t room = *count + 1, key_len = 0;
	struct credential *more = reallocarray(*array, room, sizeof(**array));

	if (!more)
		return error_memory(e);
	*array = more;
	db_column_bytes(row, KEY, &key_len);
	if (key_len > 0 && row_check(store, ROW_CREDENTIAL, db_column_integer(row, ID), e))
		return e->code;
	if (credential_read(row, &more[*count], e))
		return e->code;
	*count = room;
	return ERR_OK;
}

enum err credentials_read(struct store *store, const char *sql, const struct db_value *values,
	size_t value_count, struct credential **out, size_t *count, struct error *e)
{
	struct credential *found = NULL;
	size_t n = 0;
	struct db_rows *row = NULL;
	bool more = true;
	enum err err = db_start(store->db, sql, values, value_count, &row, e);

	while (!err && more) {
		err = db_next(row, &more, e);
		if (!err && more)
			err = append(store, row, &found, &n, e);
	}
	db_done(row);
	if (err) {
		credentials_free(found, n);
		return err;
	}
	*out = found;
	*count = n;
	return ERR_OK;
}
