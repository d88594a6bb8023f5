#ifndef STORE_REKEY_H
#define STORE_REKEY_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

struct store;

/*
 * A new master key, while others go on to use the store:
 *
 *  1. The key file gets the new key before the old one.
 *  2. The store's key check is sealed under the new key. From here on the store refuses what was
 *     sealed by a process that does not know that yet; it then reads the key file again, as does
 *     a process that cannot open a key.
 *  3. Batch by batch, the private keys are sealed anew.
 *  4. No file of the database's has what was sealed under the old key any more.
 *  5. The old key leaves the key file.
 *
 * It may end at any instant: the next run goes on with the key that is first in the file.
 */

struct rekey_tally {
	int64_t total;	/* private keys, when it began */
	int64_t done;	/* looked at */
	int64_t sealed; /* anew; the others were so already */
	int64_t failed; /* open under no key of the key file, and stay as they are */
};

struct rekey_options {
	void (*report)(void *ctx, const char *text);		      /* a key that failed */
	void (*progress)(void *ctx, const struct rekey_tally *tally); /* or NULL */
	void *ctx;
};

/*
 * Seals all private keys under a new master key. Where one failed, the old key stays in the key
 * file. ERR_UNAVAILABLE while another does the same. *out is filled in any case.
 */
enum err store_rekey(const struct config *config, const struct rekey_options *options,
	struct rekey_tally *out, struct error *e) must_check;

/* The number of keys in the key file: more than one until a rekey is finished. */
size_t store_key_count(const struct store *store);

#endif
