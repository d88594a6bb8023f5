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
 * Requests to an external CA. Each is stored before the CA sees it: the CA may issue although no
 * answer comes, or answer days later, and the certificate is then for that request and its key. An
 * owner has at most one. It is removed when the owner's credential becomes active, when the CA
 * refuses it, and when the owner needs another certificate than it asks for.
 */

struct store;

struct store_request {
	int64_t id;    /* set by the store; never given to another one */
	int64_t until; /* end of the lease, set by the store; each holder has another one */
	enum usage usage;
	char user_uuid[UUID_SIZE];
	char device_uuid[UUID_SIZE]; /* "": the user's */
	char *terms;		     /* a digest of which CA is asked for what */
	char *handle;		     /* the CA's own name for it; "": it gave none */
	int64_t next_at;	     /* when the CA wants to be asked again; 0: it did not say */
	int64_t misread;	     /* how many answers in a row were not understood */
	char *misread_with;	     /* the inputs of the last one of these */
	char *misread_run;	     /* the run that last began to count anew */
	struct blob request;	     /* PKCS#10, DER */
	struct blob key; /* PKCS#8, plain: sealed by the store, wiped by store_request_fini() */
};

void store_request_fini(struct store_request *request);

/* The request that a process wants to send, or to send again. */
struct store_asking {
	const struct credential_owner *owner;
	const char *terms;
	int64_t replaces;   /* the id of the owner's active credential; 0: none */
	int64_t lease;	    /* seconds, at most STORE_LEASE_MAX: no other process asks meanwhile */
	const char *inputs; /* a digest of what it is tried with, as in store_due */
	bool now;	    /* ask even before the time that the CA gave */
	const char *run;    /* the name of a run that a person started; NULL: none */
};

enum request_lease {
	REQUEST_TAKEN,	 /* leased, to be sent again */
	REQUEST_NONE,	 /* there is none: make one and call store_request_add() */
	REQUEST_BUSY,	 /* another process has leased it */
	REQUEST_EARLY,	 /* the CA wants to be asked later: see out->next_at */
	REQUEST_MISREAD, /* too many answers were not understood with the same inputs */
	REQUEST_SETTLED, /* the owner has another active credential now: look again */
};

/*
 * Leases the owner's request until store_request_release(), the end of the lease or the end of the
 * request. A request for other terms is dropped, unless it is leased. *out is filled if *how is
 * REQUEST_TAKEN, with its key unsealed.
 */
enum err store_request_lease(struct store *store, const struct store_asking *asking,
	enum request_lease *how, struct store_request *out, struct error *e) must_check;

/*
 * Adds a new request with the owner and the terms of asking, leased to the caller; sets its id and
 * until. If another process was quicker, stores nothing and sets *won to false.
 */
enum err store_request_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e) must_check;

/* The longest wait that a CA can ask for: http_send() shortens any longer one. */
#define STORE_ASK_WAIT_MAX 86400

/* The answer of a CA that has not decided yet. */
struct store_pending {
	const char *handle; /* "": none, or the same as before */
	int64_t next_at;    /* when to ask again; 0: it did not say */
};

/*
 * Ends the lease. pending: NULL if the CA did not answer. A lease that another process has taken
 * since stays. A missing request is no error.
 */
enum err store_request_release(struct store *store, const struct store_request *request,
	const struct store_pending *pending, struct error *e) must_check;

/*
 * How many answers we fail to understand before an administrator must decide. Behind each of them
 * the CA may have issued a certificate.
 */
#define STORE_MISREAD_MAX 3

/* An answer that was not understood. */
struct store_misread {
	const char *handle; /* "": none, or the same as before */
	const char *inputs; /* used by the request; once they change, it is sent again */
	int64_t count;	    /* of answers not understood, with this one */
};

/* As store_request_release(), after such an answer. */
enum err store_request_misread(struct store *store, const struct store_request *request,
	const struct store_misread *misread, struct error *e) must_check;

/* Removes a request that the CA has refused. */
enum err store_request_drop(
	struct store *store, const struct store_request *request, struct error *e) must_check;

/* --- for the files of lib/store */

/* Reads the one with the lowest id above after, key sealed; out->id is 0 if there is none. */
enum err request_next(
	struct store *store, int64_t after, struct store_request *out, struct error *e) must_check;

/*
 * Inside a write transaction: removes the owner's request, as the owner has a new credential.
 * issued: the id of the request that the credential came of, or 0.
 */
enum err request_settle(struct store *store, const struct credential_owner *owner, int64_t issued,
	struct error *e) must_check;

#endif
