#ifndef PROVIDER_ADMISSION_H
#define PROVIDER_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/vocabulary.h"
#include "provider/breaker.h"

/*
 * Admission control: keeps a CA or a gateway that hangs from holding all workers of a parent. An
 * attempt at an event needs a slot, and there is one slot less than there are workers: one worker
 * is left to record what comes in. After some timeouts a peer's breaker spares further attempts.
 *
 * All of it lies in memory that the workers share. Zeroed, it is ready. No lock is held: the
 * parent frees the slot of a worker that died. Times are those of clock_monotonic_ms().
 */
#define ADMISSION_PLACES 4096
#define ADMISSION_GATEWAYS 16

struct admission_slot {
	atomic_uint generation; /* of the worker that has it; 0: free */
	atomic_llong since;	/* it has been waiting for a peer; 0: it is not */
};

struct admission {
	atomic_bool stopping; /* the parent was told to end */
	atomic_llong refused; /* when a worker last looked for a slot and there was none */
	atomic_llong crowded; /* connections have been waiting since then; 0: none is */
	atomic_llong pace;    /* milliseconds that an attempt of late has waited for peers */
	struct admission_slot slot[ADMISSION_PLACES];
	struct breaker gateway[ADMISSION_GATEWAYS], ca[USAGE_COUNT], uem, ldap;
};

/* A worker's own. In all functions that take one it may be NULL: then nothing is limited. */
struct admission_pass {
	struct admission *admission;
	unsigned place; /* no other living worker has it; ADMISSION_PLACES: there was none left */
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
bool admission_enter(struct admission_pass *pass) must_check;
void admission_leave(struct admission_pass *pass);

/* The two parts of admission_enter(): one try, and whether waiting for another one may help. */
bool admission_try(struct admission_pass *pass, int64_t now) must_check;
bool admission_may_wait(const struct admission_pass *pass, int64_t began, int64_t now) must_check;

/* True if the holder of a slot should answer its client: another worker needed its slot. */
bool admission_is_wanted(const struct admission_pass *pass, int64_t now) must_check;

/* True if an attempt whose client has its answer should be given up: others wait for the end. */
bool admission_is_stopping(const struct admission_pass *pass);

/* True if a worker has been waiting for a peer for a moment. */
bool admission_is_slow(const struct admission_pass *pass, int64_t now);

/* A worker that has accepted a connection says if more are waiting. */
void admission_note_crowd(struct admission *admission, bool more, int64_t now);

/* For the parent: a worker has died, for any cause; the configuration has changed. */
void admission_free_slot(struct admission *admission, unsigned place);
void admission_forget_peers(struct admission *admission);

/* Before and after each wait for a peer. admission_wait_begins() returns the time. */
int64_t admission_wait_begins(struct admission_pass *pass);
void admission_wait_ends(struct admission_pass *pass, int64_t began);

/* The breaker of a gateway, by its number, or of the usage's CA. NULL without admission. */
struct breaker *admission_gateway_breaker(struct admission_pass *pass, size_t i);
struct breaker *admission_ca_breaker(struct admission_pass *pass, enum usage usage);
/* That of UEM. NULL without an admission. */
struct breaker *admission_uem_breaker(struct admission_pass *pass);
/* That of the directory. NULL without an admission. */
struct breaker *admission_ldap_breaker(struct admission_pass *pass);

#endif
