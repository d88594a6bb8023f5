#ifndef PROVIDER_EXPIRY_H
#define PROVIDER_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"

/*
 * Our things that expire, and the urgency of a warning: the one rule for check, status and the
 * handler's log.
 *
 * The local CA's certificate is reported from [certificates] validity and 60 days before its end
 * on: no certificate outlives it, so from validity before its end on, its certificates are shorter,
 * and a new CA must be there by then.
 *
 * A certificate is reported from 60 days before its end on, and has ended in the second after its
 * not_after (RFC 5280, 4.1.2.5). A revocation list is made anew when somebody asks for it and half
 * of its time is over; so it is worth a word, by the same days, only once three quarters are over:
 * then nobody has asked for a while, and copies of it may be about to end. That is never more than
 * a warning, as whoever asks us gets a new one.
 */
enum expiry_what {
	EXPIRY_CLIENT, /* [escrow] identity */
	EXPIRY_RA,     /* [ca] identity, by which an external CA knows us: what ends first */
	EXPIRY_CA,     /* the local CA's certificate */
	EXPIRY_CRL,    /* its revocation list, the one that is out */
	EXPIRY_COUNT
};

enum expiry_level {
	EXPIRY_NONE, /* there is no such thing */
	EXPIRY_FINE,
	EXPIRY_SHORTENS, /* a CA: what it issues soon gets less than validity, or gets it already */
	EXPIRY_WITHIN_60, /* days */
	EXPIRY_WITHIN_30,
	EXPIRY_WITHIN_7,
	EXPIRY_WITHIN_1,
	EXPIRY_ENDED,
	EXPIRY_NOT_YET, /* its time has not begun */
	EXPIRY_UNKNOWN, /* it cannot be read: see cause */
};

struct expiry {
	enum expiry_what what;
	enum expiry_level level;
	int64_t not_before, not_after; /* seconds UTC; a list's this and next update */
	int64_t shortens; /* a CA: from then on it shortens what it issues; 0: not known */
	int64_t left;	  /* seconds until not_after; negative once it has ended */
	char cause[ERROR_TEXT_MAX]; /* "" unless it cannot be read */
};

/* Judges by the clock, clock_now(). */
struct expiry expiry_judge(enum expiry_what what, int64_t not_before, int64_t not_after);
/* The same of a CA whose certificates are to last that long, seconds. */
struct expiry expiry_judge_ca(int64_t not_before, int64_t not_after, int64_t validity);
struct expiry expiry_unknown(enum expiry_what what, const struct error *e);

/* "our client certificate", "the CA certificate", "the revocation list" */
const char *expiry_name(enum expiry_what what);

/*
 * Behind that name: "ends 2026-12-22T10:00:00Z, 29 days left: replace it soon (register the
 * new thumbprint at the Escrow Gateway first)". Nothing for EXPIRY_NONE.
 */
void expiry_text(const struct expiry *expiry, struct buf *out);

bool expiry_is_near(const struct expiry *expiry); /* worth a word: near, over, unreadable */
bool expiry_is_over(const struct expiry *expiry); /* it can't be used now; never true of a list */

/* Of what expiry_is_near(): an error within the last day and after, else a warning. */
enum log_level expiry_log_level(const struct expiry *expiry);

/* Whole days left, rounded down: -1 in the first day after the end. */
int64_t expiry_days(const struct expiry *expiry);

#endif
