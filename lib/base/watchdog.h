#ifndef BASE_WATCHDOG_H
#define BASE_WATCHDOG_H

#include <stdint.h>

#include "base/error.h"

/*
 * Ends a process whose work goes on past all its deadlines. A deadline is kept by the code that
 * waits; computing on what a peer has sent, or a system call that does not return to the loop,
 * knows none. The work of such a process is leased, and is taken up again.
 */

/* The exit status of such a process, unless another was chosen. */
#define WATCHDOG_STATUS 76

/* The time past its deadline that one exchange with a peer may take. */
#ifndef WATCHDOG_MARGIN_MS
#define WATCHDOG_MARGIN_MS 10000
#endif

/*
 * Once in a process, before it can do anything; not inherited over fork(), and without it the
 * others do nothing. last_words are written to standard error at the end; NULL: nothing, as a
 * parent tells. They must live as long as the process.
 */
enum err watchdog_init(int status, const char *last_words, struct error *e) must_check;

/*
 * The work that begins now must be over at until (clock_monotonic_ms()). These nest: the earliest
 * time counts. Returns the argument for watchdog_leave() at its end.
 */
int64_t watchdog_enter(int64_t until);
void watchdog_leave(int64_t before);

/* The outermost: for work without an end that can be seen, which comes along here now and then. */
void watchdog_set(int64_t until);

#endif
