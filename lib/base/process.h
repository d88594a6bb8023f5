#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Another program, run for what it makes of its input. */
struct process_order {
	const char *program;		/* its path; no shell */
	const char *const *arguments;	/* behind its name, NULL-terminated; NULL: none */
	const char *const *environment; /* "NAME=value" each, NULL-terminated: all that it gets */
	const void *input;		/* input_len bytes, its standard input: a file */
	size_t input_len;
	size_t output_max; /* bytes of standard output that we are ready to take */
	int64_t deadline;  /* clock_monotonic_ms(): by then it is over */
	/* Gets each line of standard error as it comes, at most so many; may be NULL. */
	void (*said)(void *ctx, const char *line);
	void *ctx;
};

#define PROCESS_ARGUMENTS_MAX 16
#define PROCESS_LINES_MAX 50  /* what comes behind them is read and dropped */
#define PROCESS_LINE_SIZE 401 /* and what is longer is cut; NUL bytes become "?" */

struct process_result {
	int status;	    /* its exit status, 0 to 255 */
	struct blob output; /* blob_free() */
};

/*
 * Runs it in "/", in a process group of its own, with all signals as they are by default and none
 * of our descriptors but 0 to 2. When it has ended, the rest of its group is killed; their output
 * is no longer read. Our own signal settings do not matter.
 *
 * ERR_OK: it has exited, with any status. ERR_CONFIG: there is no such program, or none that can be
 * run. ERR_UNAVAILABLE: it was not done in time (SIGTERM a little before the deadline, at most two
 * seconds, SIGKILL at it), it printed more than output_max, or a signal has ended it.
 */
enum err process_run(
	const struct process_order *order, struct process_result *out, struct error *e) must_check;

/* ERR_CONFIG: it could not be run as it is now. */
enum err process_check(const char *program, struct error *e) must_check;

#endif
