#ifndef PROVIDER_METER_H
#define PROVIDER_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ca/ca.h"
#include "provider/step_times.h"

/*
 * Counters of the use cases, for monitoring: fixed tables of numbers that only grow, in memory that
 * processes share. Zeroed, it is ready. No lock is held: a process that is killed meanwhile leaves
 * a right number. 64 bits do not run over. In all of these the meter may be NULL: nobody counts.
 */
#define METER_BUCKETS 16
#define METER_GATEWAYS 16
#define METER_URL_SIZE 256
#define METER_ATTEMPTS 128

struct meter_times {
	atomic_ullong
		count[METER_BUCKETS + 1]; /* each those of one bucket alone; the last: longer */
	atomic_ullong sum;		  /* microseconds */
};

/* When it ended well the last time, and when it did not: seconds UTC; 0: never yet. */
struct meter_last {
	atomic_llong good, bad;
};

struct meter_gateway {
	char url[METER_URL_SIZE];
	struct meter_last last;
	atomic_ullong uploads[ERR_COUNT];
};

/* An attempt at an event. turn: 0 while it is written; else no two are the same. */
struct meter_place {
	atomic_ullong turn;
	atomic_llong event_id;
	atomic_llong us[STEP_COUNT]; /* -1: no such step */
};

struct meter {
	atomic_ullong issued[CA_TYPE_COUNT][ERR_COUNT];
	struct meter_last asked[CA_TYPE_COUNT];
	struct meter_times step[STEP_COUNT];
	atomic_ullong unmatched; /* events whose type has a word that we know, and asks nothing */
	atomic_size_t gateways;	 /* that are named */
	struct meter_gateway gateway[METER_GATEWAYS + 1]; /* the one behind those: all others */
	atomic_ullong attempts;
	struct meter_place place[METER_ATTEMPTS]; /* the latest attempts, in a ring */
};

/* Up to so many microseconds, that included, is in the bucket; they ascend. */
extern const int64_t meter_bounds[METER_BUCKETS];

/*
 * Gives each of these URLs a place of its own, for good, as far as there is room. Only one
 * process may do that, before it forks those that upload there; others may read meanwhile.
 */
void meter_name_gateways(struct meter *meter, char *const urls[]);

/* The CA was asked: how it ended. */
void meter_issued(struct meter *meter, enum ca_type type, enum err err);

/* An upload to that gateway was tried. One that has no place counts with all others. */
void meter_upload(struct meter *meter, const char *url, enum err err);

/* An event was ignored whose type has a word of those that are not. */
void meter_unmatched(struct meter *meter);

void meter_step(struct meter *meter, enum step step, int64_t us);

/* The time of each step of the latest attempt at an event: microseconds; -1: there was none. */
struct meter_attempt {
	int64_t us[STEP_COUNT];
};

/* Keeps it until METER_ATTEMPTS others have come. Of the event nothing but its id is kept. */
void meter_attempt(struct meter *meter, int64_t event_id, const struct step_times *steps);

/* False if it is not there. */
bool meter_find_attempt(struct meter *meter, int64_t event_id, struct meter_attempt *out);

#endif
