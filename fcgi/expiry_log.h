#ifndef FCGI_EXPIRY_LOG_H
#define FCGI_EXPIRY_LOG_H

#include <stdint.h>

#include "config/config.h"

/*
 * The parent's daily check of expiry: a line in the log for each of our own certificates and lists
 * that expires soon, or has expired. Zeroed, it is due at once.
 */
struct expiry_log {
	int64_t checked_at; /* clock_now(); 0: not yet */
};

/* Checks now. Waits for the child process that reads the files, usually for milliseconds. */
void expiry_log_check(struct expiry_log *expiry_log, const struct config *config);

/*
 * Milliseconds until the next check, 0 if it is due; at most an hour, as the clock may be set
 * meanwhile.
 */
int64_t expiry_log_wait_ms(const struct expiry_log *expiry_log);

#endif
