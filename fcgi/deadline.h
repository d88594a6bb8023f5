#ifndef FCGI_DEADLINE_H
#define FCGI_DEADLINE_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Deadlines for a web server, or a client posing as one, that stalls: neither libfcgi nor a read on
 * a pipe times out. A process has one deadline at a time; when it passes, the connection is shut
 * down, so that each read and write gets an error at once and ever after.
 */

/* The time for the parameters and the body to arrive, and for the answer to leave. */
#ifndef RECEIVE_DEADLINE_MS
#define RECEIVE_DEADLINE_MS 10000
#endif
#ifndef SEND_DEADLINE_MS
#define SEND_DEADLINE_MS 10000
#endif

/* Called once in a process, before the others. A child of fork() has to call it again. */
enum err deadline_init(struct error *e) must_check;

/* The connection that the next deadlines shut down; -1: the process ends instead (CGI). */
void deadline_watch(int fd);

void deadline_start(int milliseconds);
void deadline_stop(void);

/* Returns true if the watched connection was shut down. */
bool deadline_passed(void);

#endif
