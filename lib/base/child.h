#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Work in a process of its own, which can be killed: for libraries that wait without a limit. What
 * the work changes in memory is lost with its process, but for its result.
 */
struct child_work {
	void (*run)(void *ctx, void *result); /* in the child */
	void *ctx;
	size_t result_size; /* bytes */
	int64_t until;	    /* clock_monotonic_ms(): then the child is killed */
};

enum child_end {
	CHILD_DONE,
	CHILD_KILLED,	/* its time was over, or it died */
	CHILD_GIVEN_UP, /* patience_look() wanted so: this program is stopping */
};

/*
 * Runs it and waits for its end. *result is zeroed before, and complete with CHILD_DONE alone; free
 * it with child_result_free(). ERR_UNAVAILABLE, ERR_INTERNAL: it could not be started.
 */
enum err child_run(const struct child_work *work, void **result, enum child_end *end,
	struct error *e) must_check;
void child_result_free(void *result, size_t result_size); /* wipes */

#endif
