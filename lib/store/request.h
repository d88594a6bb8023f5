#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "config/vocabulary.h"
#include "store/credential.h"

/*
 * Requests to an external CA, each stored before the CA sees it: the CA may issue although no
 * answer comes, or answer days later, and the certificate is then for that request and its key. An
 * owner has one at most. It is removed when the owner's credential becomes active, when the CA
 * refuses it, and when the owner needs another certificate than it asks for.
 */

struct store;

struct store_request {
	int64_t id;    /* set by the store; never given to another one */
	int64_t until; /* of the lease, set by the store: the next holder has another */
	enum usage usage;
	char user_uuid[UUID_SIZE];
	char device_uuid[UUID_SIZE]; /* "": the user's */
	char *terms;		     /* a digest of what is asked of whom */
	char *handle;	     /* by which the CA wants to be asked for it; "": it gave none */
	int64_t next_at;     /* not before that, the CA has said; 0: it has not */
	int64_t misread;     /* how many answers to it were not understood, one after the other */
	char *misread_with;  /* what it was tried with then */
	char *misread_run;   /* the run that last began to count anew */
	struct blob request; /* PKCS#10, DER */
	struct blob key;     /* PKCS#8, plain: sealed by the store, wiped by store_request_fini() */
};

void store_request_fini(struct store_request *request);

/* Which request one is about to send, or to send again. */
struct store_asking {
	const struct credential_owner *owner;
	const char *terms;
	int64_t replaces;   /* the id of the owner's active credential; 0: none */
	int64_t lease;	    /* seconds, at most STORE_LEASE_MAX: nobody else asks meanwhile */
	const char *inputs; /* what it is tried with, as in store_due */
	bool now;	    /* although the CA has said when to come again */
	const char *run;    /* started by a person, and what it is called; NULL: by nobody */
};

enum request_lease {
	REQUEST_TAKEN,	 /* leased, to be sent again */
	REQUEST_NONE,	 /* there is none: make one, and store_request_add() it */
	REQUEST_BUSY,	 /* another process has leased it */
	REQUEST_EARLY,	 /* its CA wants to be asked later: out->next_at says when */
	REQUEST_MISREAD, /* too many answers were not understood, with the same inputs */
	REQUEST_SETTLED, /* another credential is active by now: look again */
};

/*
 * Leases the owner's request until store_request_release(), the end of the lease or the end of the
 * request. One that was made for other terms, and is not leased, is dropped. *out is filled where
 * it is REQUEST_TAKEN, key unsealed.
 */
enum err store_request_lease(struct store *store, const struct store_asking *asking,
	enum request_lease *how, struct store_request *out, struct error *e) must_check;

/*
 * Adds a new one, in the caller's hand, with the owner and the terms of asking; sets its id and
 * until. *won is false, and nothing was stored, where somebody else has been quicker.
 */
enum err store_request_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e) must_check;

/* A CA's "later" is within a day: http_send() cuts what is longer. */
#define STORE_ASK_WAIT_MAX 86400

/* A CA's answer about a request that waits there for a decision. */
struct store_pending {
	const char *handle; /* "": none, or that which it gave before */
	int64_t next_at;    /* when to ask again; 0: it has not said */
};

/*
 * Another process may have leased it; pending: NULL if the CA said nothing. A missing request is no
 * error.
 */
enum err store_request_release(struct store *store, const struct store_request *request,
	const struct store_pending *pending, struct error *e) must_check;

/* The CA may have issued at each of so many answers: then a person decides on another try. */
#define STORE_MISREAD_MAX 3

/* An answer that was not understood. */
struct store_misread {
	const char *handle; /* "": none, or that which it gave before */
	const char *inputs; /* what it was tried with: with others it is tried again */
	int64_t count;	    /* with this answer */
};

/* Like store_request_release(), after such an answer. */
enum err store_request_misread(struct store *store, const struct store_request *request,
	const struct store_misread *misread, struct error *e) must_check;

/* The CA has refused it. */
enum err store_request_drop(
	struct store *store, const struct store_request *request, struct error *e) must_check;

/* --- for the files of lib/store */

/* The one with the lowest id above after, key sealed; out->id is 0 if there is none. */
enum err request_next(
	struct store *store, int64_t after, struct store_request *out, struct error *e) must_check;

/*
 * Inside a write transaction: the owner has a new credential, so the owner's request is of no use
 * any more. issued: the id of the one that it came of, or 0.
 */
enum err request_settle(struct store *store, const struct credential_owner *owner, int64_t issued,
	struct error *e) must_check;

#endif
