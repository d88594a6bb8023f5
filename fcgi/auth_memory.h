#ifndef FCGI_AUTH_MEMORY_H
#define FCGI_AUTH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * What the workers remember of passwords, in memory that they share: right ones, so that a strong
 * hash is not computed again for each event; addresses that sent wrong ones; and the turn to
 * compute a hash. It is made before the workers are forked, and outlives each of them.
 */
struct auth_memory;

#define AUTH_DIGEST_SIZE 32

/* ERR_INTERNAL. */
enum err auth_memory_new(struct auth_memory **out, struct error *e) must_check;
/* Called by the process that called auth_memory_new(); the others need not. */
void auth_memory_free(struct auth_memory *memory);

/* HMAC-SHA-256 under a key that only this memory has. */
enum err auth_memory_digest(const struct auth_memory *memory, const void *data, size_t len,
	unsigned char out[AUTH_DIGEST_SIZE], struct error *e) must_check;

/*
 * Takes the turn to compute a hash. One process at a time has the turn, and loses it when it dies.
 * An address that sent a wrong password lately gives way to the others; if it goes on, it gets one
 * turn a second. ERR_UNAVAILABLE, with e->retry_after: not now.
 */
enum err auth_memory_take_turn(
	struct auth_memory *memory, const char *address, struct error *e) must_check;
void auth_memory_release_turn(struct auth_memory *memory);

/* Returns true if the password with this digest was right before. Needs no turn. */
bool auth_memory_has(
	const struct auth_memory *memory, const unsigned char digest[AUTH_DIGEST_SIZE]);

/* Store the result of a computed hash; called by the process that has the turn. */
void auth_memory_was_right(
	struct auth_memory *memory, const unsigned char digest[AUTH_DIGEST_SIZE]);
void auth_memory_was_wrong(struct auth_memory *memory, const char *address);

#endif
