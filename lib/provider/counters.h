#ifndef PROVIDER_COUNTERS_H
#define PROVIDER_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ca/ca.h"
#include "provider/step.h"

/*
 * Counters of the use cases, for monitoring: fixed tables of numbers that only grow, in memory that
 * processes share. Zeroed, they are ready. No lock is held: a process that is killed meanwhile
 * leaves a right number. 64 bits do not run over. In all of these the counters may be NULL: nobody
 * counts.
 */
#define COUNTERS_BUCKETS 16
#define COUNTERS_GATEWAYS 16
#define COUNTERS_URL_SIZE 256
#define COUNTERS_ATTEMPTS 128

struct counters_times {
	atomic_ullong
		count[COUNTERS_BUCKETS + 1]; /* each those of one bucket alone; the last: longer */
	atomic_ullong sum;		     /* microseconds */
};

/* The times of the last success and the last failure: seconds UTC; 0: none yet. */
struct counters_last {
	atomic_llong good, bad;
};

struct counters_gateway {
	char url[COUNTERS_URL_SIZE];
	struct counters_last last;
	atomic_ullong uploads[ERR_COUNT];
};

/* An attempt at an event. turn: 0 while it is written; else no two are the same. */
struct counters_place {
	atomic_ullong turn;
	atomic_llong event_id;
	atomic_llong us[STEP_COUNT]; /* -1: no such step */
};

struct counters {
	atomic_ullong issued[CA_TYPE_COUNT][ERR_COUNT];
	struct counters_last asked[CA_TYPE_COUNT];
	struct counters_times step[STEP_COUNT];
	atomic_ullong unmatched; /* events whose type has a word that we know, and asks nothing */
	atomic_size_t gateways;	 /* that are named */
	struct counters_gateway
		gateway[COUNTERS_GATEWAYS + 1]; /* the one behind those: all others */
	atomic_ullong attempts;
	struct counters_place place[COUNTERS_ATTEMPTS]; /* the latest attempts, in a ring */
};

/* The upper limit of each bucket, included, in microseconds; they ascend. */
extern const int64_t counters_bounds[COUNTERS_BUCKETS];

/*
 * Gives each of these URLs a place of its own, for good, as far as there is room. Only one
 * process may do that, before it forks those that upload there; others may read meanwhile.
 */
void counters_name_gateways(struct counters *counters, char *const urls[]);

/* Counts how a request to the CA ended. */
void counters_issued(struct counters *counters, enum ca_type type, enum err err);

/* Counts how an upload to that gateway ended. Gateways without a place are counted together. */
void counters_upload(struct counters *counters, const char *url, enum err err);

/* An event was ignored although its type has a word of a kind that we know. */
void counters_unmatched(struct counters *counters);

void counters_step(struct counters *counters, enum step step, int64_t us);

/* The time of each step of the latest attempt at an event: microseconds; -1: there was none. */
struct counters_attempt {
	int64_t us[STEP_COUNT];
};

/* Keeps it until COUNTERS_ATTEMPTS others have come. Of the event nothing but its id is kept. */
void counters_attempt(
	struct counters *counters, int64_t event_id, const struct counters_attempt *attempt);

/* Returns false if it is not there. */
bool counters_find_attempt(
	struct counters *counters, int64_t event_id, struct counters_attempt *out);

#endif
