/* The master key: loaded, checked against the store, and read again where it was changed. */
#include "store/keys.h"

#include <errno.h>
#include <unistd.h>

#include "store/handle.h"
#include "store/meta.h"

#define KEY_CHECK_ROW "meta: key check"
#define KEY_CHECK_TEXT "certprov master key; rows have MACs"
#define KEY_CHECK_EARLIER "certprov master key" /* rows have none yet */
#define TRIES_MAX 3

const struct sealed_value sealed_values[SEALED_VALUES] = {
	{META_KEY_CHECK, KEY_CHECK_ROW},
	{META_AUDIT_KEY, "meta: audit key"},
};

static enum err seal_check(const struct seal *seal, struct blob *out, struct error *e)
{
	unsigned char text[] = KEY_CHECK_TEXT;
	const struct blob plain = {text, sizeof(text) - 1};

	return seal_close_blob(seal, &plain, KEY_CHECK_ROW, out, e);
}

enum err keys_make_check(const char *key_file, struct blob *out, struct error *e)
{
	struct seal *seal = NULL;
	enum err err = seal_open_file(key_file, &seal, e);

	if (!err)
		err = seal_check(seal, out, e);
	seal_close(seal);
	return err;
}

static enum err verify(const struct store *store, const struct seal *seal,
	const struct blob *key_check, bool *rows_have_macs, struct error *e)
{
	unsigned char text[] = KEY_CHECK_TEXT, earlier_text[] = KEY_CHECK_EARLIER;
	const struct blob expected = {text, sizeof(text) - 1};
	const struct blob earlier = {earlier_text, sizeof(earlier_text) - 1};
	struct blob plain = {NULL, 0};
	enum err err = seal_open_blob(seal, key_check, KEY_CHECK_ROW, &plain, e);

	*rows_have_macs = !err && blob_equal(&plain, &expected);
	if (err == ERR_CONFIG || (!err && !*rows_have_macs && !blob_equal(&plain, &earlier)))
		err = error_set(e, ERR_CONFIG,
			"%s is not the master key that the private keys in %s are sealed with: "
			"name the right one as [store] key-file",
			store->key_file, db_name(store->db));
	blob_free(&plain);
	return err;
}

/* A missing file is reported here, as its copy helps; seal_open_file() reports all else. */
static enum err open_key_file(const struct store *store, struct seal **out, struct error *e)
{
	if (access(store->key_file, F_OK) < 0 && errno == ENOENT)
		return error_set(e, ERR_CONFIG,
			"%s: there is no master key here, and without it nobody can read the "
			"private keys in %s: put its copy back",
			store->key_file, db_name(store->db));
	return seal_open_file(store->key_file, out, e);
}

/* The file is read first: a new key is in it before anything is sealed under that key. */
static enum err load_once(struct store *store, bool *mismatch, struct error *e)
{
	struct blob key_check = {NULL, 0};
	struct seal *seal = NULL;
	bool rows_have_macs = false;
	enum err err = open_key_file(store, &seal, e);

	if (err)
		return err;
	err = meta_get(store, META_KEY_CHECK, &key_check, e);
	if (err == ERR_NOT_FOUND)
		err = error_set(e, ERR_CONFIG,
			"%s: its set-up was never finished; remove it and run: certprov init",
			db_name(store->db));
	if (!err) {
		err = verify(store, seal, &key_check, &rows_have_macs, e);
		*mismatch = err == ERR_CONFIG;
	}
	if (err) {
		seal_close(seal);
		blob_free(&key_check);
		return err;
	}
	seal_close(store->seal);
	blob_free(&store->key_check);
	store->seal = seal;
	store->key_check = key_check;
	store->rows_have_macs = rows_have_macs;
	return ERR_OK;
}

/* If the key was changed between the two reads, they do not match: then both are read again. */
enum err keys_load(struct store *store, struct error *e)
{
	bool mismatch = true;
	enum err err = ERR_OK;

	for (unsigned tries = 0; mismatch && tries < TRIES_MAX; tries++) {
		mismatch = false;
		err = load_once(store, &mismatch, e);
	}
	return err;
}

bool keys_again(struct store *store, unsigned *tries, enum err *err, struct error *e)
{
	if (*err != ERR_CONFIG || ++*tries == TRIES_MAX)
		return false;
	*err = keys_load(store, e);
	return *err == ERR_OK;
}

enum err keys_check(struct store *store, struct error *e)
{
	static const char sql[] =
		"SELECT CASE WHEN value = $1 THEN 1 ELSE 0 END FROM meta WHERE name = $2";
	const struct db_value values[] = {
		DB_BLOB(store->key_check.data, store->key_check.len), DB_TEXT(META_KEY_CHECK)};
	int64_t same = 0;
	enum err err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &same, e);

	if (!err && !same)
		err = error_set(
			e, ERR_CONFIG, "%s: the master key was changed", db_name(store->db));
	return err;
}

enum err keys_note_macs(struct store *store, struct error *e)
{
	struct blob check = {NULL, 0};
	enum err err = seal_check(store->seal, &check, e);

	if (!err)
		err = meta_set(store, META_KEY_CHECK, check.data, check.len, e);
	blob_free(&check);
	return err;
}
