#ifndef FCGI_WATCH_H
#define FCGI_WATCH_H

#include <stdint.h>

#include "config/config.h"

/*
 * The parent's daily check of expiry: a line in the log for each of our things that expires soon,
 * or has expired. Zeroed, it is due at once.
 */
struct watch {
	int64_t looked_at; /* clock_now(); 0: not yet */
};

/* Looks now. It waits for a child process that does so, usually for milliseconds. */
void watch_look(struct watch *watch, const struct config *config);

/*
 * Milliseconds until the next look, 0 if it is due. At most an hour: the clock may be set
 * meanwhile.
 */
int64_t watch_wait(const struct watch *watch);

#endif
