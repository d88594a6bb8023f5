#ifndef PROVIDER_GATE_H
#define PROVIDER_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/vocabulary.h"

/*
 * Keeps a CA or a gateway that hangs from holding all workers of a parent. An attempt at an event
 * needs a slot, and there is one slot less than there are workers: one worker is left to record
 * what comes in. A breaker for each peer spares further attempts after some that timed out.
 *
 * All of it lies in memory that the workers share. Zeroed, it is ready. No lock is held: the
 * parent frees the slot of a worker that died. Times are those of clock_monotonic_ms().
 */
#define GATE_PLACES 4096
#define GATE_GATEWAYS 16

struct gate_slot {
	atomic_uint generation; /* of the worker that has it; 0: free */
	atomic_llong since;	/* it has been waiting for a peer; 0: it is not */
};

struct breaker {
	atomic_int hung;    /* timeouts in a row */
	atomic_llong until; /* not tried before; 0: closed */
};

struct gate {
	atomic_bool stopping; /* the parent was told to end */
	atomic_llong refused; /* when a worker last looked for a slot and there was none */
	atomic_llong crowded; /* connections have been waiting since then; 0: none is */
	atomic_llong pace;    /* milliseconds that an attempt of late has waited for peers */
	struct gate_slot slot[GATE_PLACES];
	struct breaker gateway[GATE_GATEWAYS], ca[USAGE_COUNT];
};

/* A worker's own. In all functions that take one it may be NULL: then nothing is limited. */
struct gate_pass {
	struct gate *gate;
	unsigned place;	     /* no other living worker has it; GATE_PLACES: there was none left */
	unsigned generation; /* of workers that were started together; not 0 */
	unsigned slots;	     /* for all of the generation */
	bool reserve;	     /* the worker serves only while others wait for a peer */
	int64_t entered;     /* 0: it has no slot */
	int64_t waited;	     /* for peers, since then */
};

/*
 * Takes a slot. Where there is none it waits as long as others are likely to free one soon, but
 * not for workers that are all stuck, nor while connections wait for too long. False: no slot.
 */
bool gate_enter(struct gate_pass *pass) must_check;
void gate_leave(struct gate_pass *pass);

/* The two parts of gate_enter(): one try, and if it is of use to wait for another one. */
bool gate_try(struct gate_pass *pass, int64_t now) must_check;
bool gate_may_wait(const struct gate_pass *pass, int64_t began, int64_t now) must_check;

/* True if the holder of a slot should answer its client: another worker needed its slot. */
bool gate_is_wanted(const struct gate_pass *pass, int64_t now) must_check;

/* True if an attempt whose client has its answer should be given up: others wait for the end. */
bool gate_is_stopping(const struct gate_pass *pass);

/* True if a worker has been waiting for a peer for a moment. */
bool gate_is_slow(const struct gate_pass *pass, int64_t now);

/* A worker that has accepted a connection: are there more? */
void gate_note_crowd(struct gate *gate, bool more, int64_t now);

/* The parent's: a worker has died, however it came; the configuration has changed. */
void gate_free_slot(struct gate *gate, unsigned place);
void gate_forget_peers(struct gate *gate);

/* Before and after each wait for a peer. gate_wait_begins() returns the time. */
int64_t gate_wait_begins(struct gate_pass *pass);
void gate_wait_ends(struct gate_pass *pass, int64_t began);

/*
 * Asks a peer's breaker before the peer is tried: ERR_UNAVAILABLE, with e->retry_after, while it
 * is open. When its time is over, one process gets ERR_OK and tries for all. peer is for the text.
 */
enum err breaker_ask(
	struct breaker *breaker, const char *peer, int64_t now, struct error *e) must_check;

/* Records the end of a try that took from began to now. A breaker may be NULL in both functions. */
void breaker_note(
	struct breaker *breaker, const char *peer, enum err err, int64_t began, int64_t now);

/* Those of a gateway, by its number, and of the usage's CA. NULL without a gate. */
struct breaker *gate_gateway(struct gate_pass *pass, size_t i);
struct breaker *gate_ca(struct gate_pass *pass, enum usage usage);

#endif
