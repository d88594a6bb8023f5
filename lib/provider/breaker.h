#ifndef PROVIDER_BREAKER_H
#define PROVIDER_BREAKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A circuit breaker for each peer: after some timeouts in a row the peer is not tried for a while.
 * It lies in memory that processes share; zeroed, it is closed. Times are those of
 * clock_monotonic_ms(). In both functions the breaker may be NULL: the peer is always tried.
 */
struct breaker {
	atomic_int hung;    /* timeouts in a row */
	atomic_llong until; /* not tried before; 0: closed */
};

/*
 * Asks a peer's breaker before the peer is tried: ERR_UNAVAILABLE, with e->retry_after, while it
 * is open. When its time is over, one process gets ERR_OK and tries for all. peer is for the text.
 */
enum err breaker_ask(
	struct breaker *breaker, const char *peer, int64_t now, struct error *e) must_check;

/* Records the end of a try that took from began to now. */
void breaker_note(
	struct breaker *breaker, const char *peer, enum err err, int64_t began, int64_t now);

#endif
