#ifndef PKI_KEY_POOL_H
#define PKI_KEY_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/key.h"

/*
 * Key pairs made ahead in idle time: an RSA key costs some fifty milliseconds,
 * all else of an enrollment a few. The pool is a pipe in packet mode for each type
 * of key, shared by the processes that inherit it: one makes keys, any number
 * take them, and the kernel gives each key to exactly one of them. Keys that are
 * not taken vanish with the processes; none is ever on disk.
 */
struct key_pool;

#define KEY_POOL_MAX 256 /* keys of a type: what an unprivileged process may have in a pipe */

/* Room for count keys of each type that is wanted (rounded up to a power of two). ERR_INTERNAL. */
enum err key_pool_new(const bool wanted[KEY_TYPE_COUNT], size_t count, struct key_pool **out,
	struct error *e) must_check;
void key_pool_free(struct key_pool *pool);

/*
 * Fills the pool and keeps it full; returns only when that fails. For a process of its
 * own, which it makes the least important one of the machine, and which may be ended at
 * any moment.
 */
enum err key_pool_fill(struct key_pool *pool, struct error *e) must_check;

/* Takes a key without waiting. ERR_NOT_FOUND: there is none right now. */
enum err key_pool_take(
	struct key_pool *pool, enum key_type type, struct key **out, struct error *e) must_check;

#endif
