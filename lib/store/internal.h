#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/engine.h"
#include "store/seal.h"

/* Shared by the files above the engines; nobody outside lib/store includes this. */

struct store {
	const struct store_engine *engine;
	void *self;
	char *name; /* for messages */
	char *key_file;
	struct seal *seal;
	struct blob key_check; /* sealed: tells which master key is the current one */
	struct audit *audit;
	bool rows_have_macs; /* the key check says so: one that has none was put in or altered */
};

/* --- keys.c: the master key, which certprov rekey may change at any moment */

/* A sealed value on its own in the store. */
struct sealed_value {
	const char *name; /* to the engine */
	const char *row;  /* what the seal is bound to */
};

#define SEALED_VALUES 2
extern const struct sealed_value sealed_values[SEALED_VALUES]; /* all of them */

/* The known value that shows whether a master key is the right one. */
enum err keys_make_check(const char *key_file, struct blob *out, struct error *e) must_check;
enum err keys_seal_check(const struct seal *seal, struct blob *out, struct error *e) must_check;

/* Reads the key file and checks it against the store. On failure the earlier keys stay loaded. */
enum err keys_load(struct store *store, struct error *e) must_check;

/*
 * After an operation that seals or opens: true if it is worth another try, because it failed as
 * it does when the master key was changed meanwhile, and the keys were read anew. tries is 0 at
 * first. A failure to read them is put into err and e.
 */
bool keys_again(struct store *store, unsigned *tries, enum err *err, struct error *e);

/* --- trail.c */

/*
 * Once the keys are loaded: makes the trail ready for entries, begins it if there is none. A store
 * of an earlier version gets the MACs of its rows.
 */
enum err trail_open(struct store *store, struct error *e) must_check;

/* --- credential.c */

/* Each part behind its length, so that no two rows have the same. */
void row_parts(struct buf *row, const char *const parts[], size_t count);

/* As seal_renew_blob(), for the key of a credential as the engine has it. */
enum err credential_renew_key(const struct seal *seal, const struct credential *c, struct blob *out,
	struct error *e) must_check;

/* --- request.c: the same for a request's */
enum err request_renew_key(const struct seal *seal, const struct store_request *r, struct blob *out,
	struct error *e) must_check;

#endif
