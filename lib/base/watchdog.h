#ifndef BASE_WATCHDOG_H
#define BASE_WATCHDOG_H

#include <stdint.h>

#include "base/error.h"

/*
 * Ends a process whose work continues after all its deadlines. Waiting code keeps its deadlines
 * itself, but a long computation on a peer's data, or a system call that does not return, does not.
 * The work of such a process is leased, so that another process takes it up.
 */

/* The usual exit status of such a process. */
#define WATCHDOG_STATUS 76

/* How long an exchange with a peer may continue after its deadline. */
#ifndef WATCHDOG_MARGIN_MS
#define WATCHDOG_MARGIN_MS 10000
#endif

/*
 * Once in a process, before the others, which do nothing without it; fork() does not inherit it.
 * last_words go to standard error at the end and must live as long as the process. NULL: none, if a
 * parent reports the end.
 */
enum err watchdog_init(int status, const char *last_words, struct error *e) must_check;

/*
 * The work that begins now must be over at until (clock_monotonic_ms()). These nest: the earliest
 * time counts. Returns the argument for watchdog_leave() at its end.
 */
int64_t watchdog_enter(int64_t until);
void watchdog_leave(int64_t before);

/* Sets the outermost time: for work without a known end, which calls this now and then. */
void watchdog_set(int64_t until);

#endif
