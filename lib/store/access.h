#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * CAs that process no request, for example because they reject our credentials. All processes share
 * this, so that one of them tries a wrong password now and then, and no account is locked.
 */

struct store;

/* A CA, as we ask it. With other inputs it counts as another one, which is not barred. */
struct store_access {
	const char *ca;	    /* its section of the configuration */
	const char *inputs; /* a digest of configuration and credentials, see store_due */
	const char *run;    /* the name of a run that does not wait; "": the run waits */
};

struct store_barred {
	int64_t since;	  /* seconds UTC */
	int64_t tried_at; /* the latest try */
	int64_t until;	  /* no try before that */
	int64_t tries;
	char cause[ERROR_TEXT_MAX];
};

/* Finds out why and until when it is barred. ERR_NOT_FOUND: it is not. */
enum err store_access_find(struct store *store, const struct store_access *access,
	struct store_barred *out, struct error *e) must_check;

/*
 * For a CA that is barred: *ours is true if the caller may try it now. Then no other process may
 * for lease seconds. A run that does not wait may try it at once, one time.
 */
enum err store_access_try(struct store *store, const struct store_access *access, int64_t lease,
	bool *ours, struct error *e) must_check;

/*
 * Bars it: it has processed nothing, for that cause. Nobody may try it for wait seconds;
 * STORE_WAIT_ENDLESS: with these inputs only a run that does not wait.
 */
#define STORE_WAIT_ENDLESS INT64_MAX

enum err store_access_bar(struct store *store, const struct store_access *access, int64_t wait,
	const char *cause, struct error *e) must_check;

/* Ends that: it processes requests again. */
enum err store_access_open(
	struct store *store, const struct store_access *access, struct error *e) must_check;

#endif
