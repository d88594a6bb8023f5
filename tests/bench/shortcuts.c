#include "tests/bench/shortcuts.h"

#include "db/sqlite.h"
#include "escrow/escrow.h"
#include "pki/address.h"
#include "pki/certificate_check.h"
#include "pki/key.h"
#include "pki/pkcs12.h"

/* The linker calls __wrap_x where the product calls x, and x where we call __real_x. */
enum err __wrap_escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e);
enum err __wrap_pkcs12_encode(const struct blob *pkcs8, const struct chain *chain,
	const struct pkcs12_options *options, struct blob *out, struct error *e);
enum err __wrap_certificate_check(
	const struct chain *chain, const struct certificate_demand *demand, struct error *e);
enum err __real_key_generate(enum key_type type, struct key **out, struct error *e);
enum err __wrap_key_generate(enum key_type type, struct key **out, struct error *e);
enum err __real_db_begin(struct db *db, struct error *e);
enum err __wrap_db_begin(struct db *db, struct error *e);
bool __real_db_end(struct db *db, enum err *err, struct error *e);
bool __wrap_db_end(struct db *db, enum err *err, struct error *e);

/* --- the gateways */

static bool gateways_answer = true;

void shortcut_gateways(bool answer)
{
	gateways_answer = answer;
}

enum err __wrap_escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e)
{
	(void)payload;
	(void)deadline;
	if (gateways_answer)
		return ERR_OK;
	return error_set(e, ERR_UNAVAILABLE, "%s: Connection refused", escrow_url(escrow, gateway));
}

enum err __wrap_pkcs12_encode(const struct blob *pkcs8, const struct chain *chain,
	const struct pkcs12_options *options, struct blob *out, struct error *e)
{
	(void)pkcs8;
	(void)chain;
	(void)options;
	return blob_copy("not packed", 10, out, e);
}

/* --- the CA, which is our own */

enum err __wrap_certificate_check(
	const struct chain *chain, const struct certificate_demand *demand, struct error *e)
{
	(void)chain;
	(void)demand;
	(void)e;
	return ERR_OK;
}

/* --- keys */

/* In turn: no upload has one key twice. */
#define KEYS 32

enum err __wrap_key_generate(enum key_type type, struct key **out, struct error *e)
{
	static struct blob made[KEY_TYPE_COUNT][KEYS];
	static size_t turn;
	struct blob *mine = &made[type][turn++ % KEYS];
	struct key *key = NULL;
	enum err err = ERR_OK;

	if (mine->data)
		return key_import(mine, out, e);
	err = __real_key_generate(type, &key, e);
	if (!err)
		err = key_export(key, mine, e);
	if (err)
		key_free(key);
	else
		*out = key;
	return err;
}

/* --- transactions */

#define BATCH 2000

static struct {
	struct db *db; /* whose transaction is open; NULL: none is */
	unsigned count;
	bool lost;
} batch;

/* Nobody misses this store after a power cut, and its indexes fit into memory. */
static const char settings[] = "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000";

enum err __wrap_db_begin(struct db *db, struct error *e)
{
	static bool set;
	struct sqlite *sqlite = (struct sqlite *)db;
	enum err err;

	if (batch.db)
		return ERR_OK;
	if (!set && sqlite3_exec(sqlite->handle, settings, NULL, NULL, NULL))
		return sqlite_failure(sqlite, e);
	set = true;
	err = __real_db_begin(db, e);
	if (!err) {
		batch.db = db;
		batch.count = 0;
	}
	return err;
}

/* A failure takes all that is not committed with it. */
bool __wrap_db_end(struct db *db, enum err *err, struct error *e)
{
	bool again;

	if (!*err && ++batch.count < BATCH)
		return false;
	batch.db = NULL;
	again = __real_db_end(db, err, e);
	batch.lost = batch.lost || again || *err;
	return again;
}

enum err shortcut_commit(struct error *e)
{
	enum err err = ERR_OK;

	if (batch.lost)
		return error_set(e, ERR_INTERNAL, "a transaction failed, and others with it");
	if (!batch.db)
		return ERR_OK;
	if (__real_db_end(batch.db, &err, e))
		batch.lost = true;
	batch.db = NULL;
	return err;
}
