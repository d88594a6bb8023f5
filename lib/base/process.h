#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Another program to run: its input, and what is accepted of its output. */
struct process_order {
	const char *program;	      /* its path; no shell */
	const char *const *arguments; /* after its name, NULL-terminated; NULL: none */
	const char *const
		*environment; /* "NAME=value" each, NULL-terminated: its whole environment */
	const void *input;    /* input_len bytes, its standard input: a file */
	size_t input_len;
	size_t output_max; /* the most bytes of standard output that we accept */
	int64_t deadline;  /* clock_monotonic_ms(): it has ended or is killed by then */
	/* Gets each line of standard error as it comes, the first PROCESS_LINES_MAX; may be NULL.
	 */
	void (*said)(void *ctx, const char *line);
	void *ctx;
};

#define PROCESS_ARGUMENTS_MAX 16
#define PROCESS_LINES_MAX 50  /* later ones are read and dropped */
#define PROCESS_LINE_SIZE 401 /* longer ones are cut; NUL bytes become "?" */

struct process_result {
	int status;	    /* its exit status, 0 to 255 */
	struct blob output; /* blob_free() */
};

/*
 * Runs it in "/", in a process group of its own, with default signals and only descriptors 0 to 2.
 * When it has ended, the rest of its group is killed and their output is dropped. Our own signal
 * settings do not matter.
 *
 * ERR_OK: it has exited, with any status. ERR_CONFIG: there is no such program, or it cannot be
 * run. ERR_UNAVAILABLE: it was not done in time (it gets SIGTERM up to two seconds before the
 * deadline and SIGKILL at the deadline), it printed more than output_max, or a signal has ended it.
 */
enum err process_run(
	const struct process_order *order, struct process_result *out, struct error *e) must_check;

/* ERR_CONFIG if the program cannot be run as it is now. */
enum err process_check(const char *program, struct error *e) must_check;

#endif
