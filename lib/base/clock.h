#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Seconds since 1970, UTC. */
int64_t clock_now(void);

/* Milliseconds of a clock that nobody sets: for deadlines and durations. */
int64_t clock_monotonic_ms(void);
/* The same in microseconds, for measuring steps. */
int64_t clock_monotonic_us(void);

/* Milliseconds until then, a time of clock_monotonic_ms(): 0 (past) to INT_MAX. */
int clock_left_ms(int64_t until);

/* For tests: replaces the wall clock; NULL restores the system's. */
void clock_replace(int64_t (*now)(void));

#define CLOCK_RFC3339_SIZE sizeof("2020-02-24T16:52:25Z")

/* "2020-02-24T16:52:25Z" (RFC 3339); years 0 to 9999, else "invalid". */
void clock_rfc3339(int64_t time, char out[CLOCK_RFC3339_SIZE]);

#endif
