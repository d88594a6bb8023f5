#ifndef CA_KNOWN_CAS_H
#define CA_KNOWN_CAS_H

#include "ca/remote.h"
#include "pki/certificates.h"

/*
 * The certificates of an external CA and of those above it, as it last named them. It often issues
 * without sending them, and it may change them while we run.
 */
struct known_cas {
	const struct remote *remote;
	/* Asks the CA. An empty set replaces nothing. */
	enum err (*fetch)(void *self, int64_t deadline, struct certificates *out, struct error *e);
	void *self;
	struct certificates list; /* none: not asked yet */
	int64_t asked_at;	  /* clock_monotonic_ms() */
	int64_t max_age;	  /* milliseconds; 0: no limit */
	bool binding;		  /* all that the CA issues is below one of them */
};

void known_cas_free(struct known_cas *known);

/* Asks again. */
enum err known_cas_ask(struct known_cas *known, int64_t deadline, struct error *e) must_check;

/* Takes the issuers in a chain for them, for a CA that does not list them. Errors are ignored. */
void known_cas_learn(struct known_cas *known, const struct chain *chain);

/*
 * Asks if they are not known or too old; before a certificate is requested, because one whose
 * issuer we cannot learn would be issued in vain. Errors as remote_nothing_issued().
 */
enum err known_cas_need(struct known_cas *known, int64_t deadline, struct error *e) must_check;

/* Asks again, and gives the longest chain that they make: see chain in ca_kind.h. */
enum err known_cas_chain(
	struct known_cas *known, int64_t deadline, struct chain *out, struct error *e) must_check;

/*
 * The chain for the order's key, from what was issued and these; asks again if the issuer is
 * missing. ERR_REFUSED if they are binding, and none of them is in the chain.
 */
enum err known_cas_complete(struct known_cas *known, const struct ca_order *order,
	const struct certificates *issued, struct chain *out, struct error *e) must_check;

/*
 * Asks again, and finds the issuer that a revocation names. ERR_REFUSED if there is none of that
 * name. ERR_OK, and *out untouched, if the CA names none at all.
 */
enum err known_cas_issuer(struct known_cas *known, const struct ca_revocation *revocation,
	struct certificate_info *out, struct error *e) must_check;

#endif
