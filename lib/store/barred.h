#ifndef STORE_BARRED_H
#define STORE_BARRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Barred peers: CAs, UEM or a directory that process no request, for example because they reject
 * our credentials. All processes share the list, so that only one of them tries a wrong password
 * now and then, and no account is locked.
 */

struct store;

/* A peer as we ask it. With other inputs it counts as another peer, which is not barred. */
struct store_peer {
	const char *section; /* of the configuration */
	const char *inputs;  /* a digest of configuration and credentials, see store_due */
	const char *run;     /* the name of a run that does not wait; "": the run waits */
};

struct store_barred {
	int64_t since;	  /* seconds UTC */
	int64_t tried_at; /* the latest try */
	int64_t until;	  /* no try before this time */
	int64_t tries;
	char cause[ERROR_TEXT_MAX];
};

/* Finds out why and until when the peer is barred. ERR_NOT_FOUND: it is not. */
enum err store_barred_find(struct store *store, const struct store_peer *peer,
	struct store_barred *out, struct error *e) must_check;

/*
 * For a barred peer: *ours is true if the caller may try it now. Then no other process may for
 * lease seconds. A run that does not wait may try once, at any time.
 */
enum err store_barred_try(struct store *store, const struct store_peer *peer, int64_t lease,
	bool *ours, struct error *e) must_check;

/*
 * Bars a peer that has not processed a request, for that cause. Nobody may try it for wait seconds.
 * STORE_WAIT_ENDLESS: with these inputs only a run that does not wait may.
 */
#define STORE_WAIT_ENDLESS INT64_MAX

enum err store_barred_set(struct store *store, const struct store_peer *peer, int64_t wait,
	const char *cause, struct error *e) must_check;

/* The peer processes requests again: it is no longer barred. */
enum err store_barred_clear(
	struct store *store, const struct store_peer *peer, struct error *e) must_check;

#endif
