#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Which CA judges no request: it rejects our credentials, say. All processes share it, so that a
 * wrong password is tried once in a while, by one of them, and locks no account.
 */

struct store;

/* A CA, as we ask it: with other inputs it is asked as if nothing had been. */
struct store_access {
	const char *ca;	    /* its section of the configuration */
	const char *inputs; /* a digest of what we have for it, see store_due */
	const char *run;    /* the name of a run that does not wait; "": it does */
};

struct store_barred {
	int64_t since;	  /* seconds UTC */
	int64_t tried_at; /* the latest try */
	int64_t until;	  /* no try before that */
	int64_t tries;
	char cause[ERROR_TEXT_MAX];
};

/* Why it is barred. ERR_NOT_FOUND: it is not. */
enum err store_access_find(struct store *store, const struct store_access *access,
	struct store_barred *out, struct error *e) must_check;

/*
 * For a CA that is barred: whether the caller is to try it now. Nobody else is for so many seconds,
 * lease. A run that does not wait tries it at once, but once.
 */
enum err store_access_try(struct store *store, const struct store_access *access, int64_t lease,
	bool *ours, struct error *e) must_check;

/* It has judged nothing, for that cause; wait: so many seconds nobody is to try it. */
enum err store_access_bar(struct store *store, const struct store_access *access, int64_t wait,
	const char *cause, struct error *e) must_check;

/* It judges again. */
enum err store_access_open(
	struct store *store, const struct store_access *access, struct error *e) must_check;

#endif
