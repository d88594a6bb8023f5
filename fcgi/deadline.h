#ifndef FCGI_DEADLINE_H
#define FCGI_DEADLINE_H

#include <stdbool.h>

#include "base/error.h"

/*
 * A web server, or whoever poses as one, that stalls: neither libfcgi nor a read on a
 * pipe gives up by itself. A process has one deadline at a time; when it passes, the
 * connection is shut down, so that whoever reads from it or writes to it gets
 * an error at once and ever after.
 */

/* How long the parameters and the body may take to arrive, and the answer to leave. */
#ifndef RECEIVE_DEADLINE_MS
#define RECEIVE_DEADLINE_MS 10000
#endif
#ifndef SEND_DEADLINE_MS
#define SEND_DEADLINE_MS 10000
#endif

/* Once in a process, before the others, and not inherited over fork(). */
enum err deadline_init(struct error *e) must_check;

/* Whose connection the next deadlines cut; -1: none, the process ends instead (CGI). */
void deadline_watch(int fd);

void deadline_start(int milliseconds);
void deadline_stop(void);

/* Whether the watched connection was cut. */
bool deadline_passed(void);

#endif
