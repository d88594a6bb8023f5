#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <stdbool.h>

#include "store/seal.h"

/* The master key, which certprov rekey may change at any moment. */

struct store;

/* The known value that shows whether a master key is the right one, sealed under it. */
enum err keys_make_check(const char *key_file, struct blob *out, struct error *e) must_check;

/* Reads the key file and checks it against the store. On failure the earlier keys stay loaded. */
enum err keys_load(struct store *store, struct error *e) must_check;

/*
 * After an operation that seals or opens: true if it is worth another try, because it failed as
 * it does when the master key was changed meanwhile, and the keys were read anew. tries is 0 at
 * first. A failure to read them is put into err and e.
 */
bool keys_again(struct store *store, unsigned *tries, enum err *err, struct error *e);

/*
 * Inside a write transaction, before a sealed value is added: ERR_CONFIG if the master key was
 * changed since it was loaded.
 */
enum err keys_check(struct store *store, struct error *e) must_check;

/*
 * Inside a write transaction: replaces the key check by one that says that all rows have MACs.
 */
enum err keys_note_macs(struct store *store, struct error *e) must_check;

/* A sealed value on its own in the store. */
struct sealed_value {
	const char *name; /* in meta */
	const char *row;  /* what the seal is bound to */
};

#define SEALED_VALUES 2
extern const struct sealed_value sealed_values[SEALED_VALUES]; /* all of them */

#endif
