#ifndef PROVIDER_STEPS_H
#define PROVIDER_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define STEPS_MAX 32

/* What was done for one event, and how long each step took: for its log line. */
struct steps {
	size_t count;
	int64_t started, last; /* clock_monotonic_us() */
	struct {
		const char *name;   /* static: "record", "signing" … */
		const char *result; /* static: "made", "kept" …, or NULL */
		int64_t us;
	} step[STEPS_MAX];
};

void steps_start(struct steps *steps);

/* The step that ends now: its time is what passed since the one before it. */
void steps_done(struct steps *steps, const char *name, const char *result);

/* "record=0.4ms signing=made:57.1ms … total=118.0ms" */
void steps_print(const struct steps *steps, struct buf *out);

#endif
