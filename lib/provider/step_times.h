#ifndef PROVIDER_STEP_TIMES_H
#define PROVIDER_STEP_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "provider/step.h"

#define STEP_TIMES_MAX 32

struct counters;

/* The steps of one event with their results and times: for its log line. */
struct step_times {
	struct counters *counters; /* borrowed; or NULL */
	size_t count;
	int64_t started, last; /* clock_monotonic_us() */
	struct {
		enum step step;
		const char *result; /* static: "made", "kept" …, or NULL */
		int64_t us;
	} done[STEP_TIMES_MAX];
};

/* Each step is counted there, too; NULL: nobody counts. */
void step_times_start(struct step_times *steps, struct counters *counters);

/* Notes a step that ends now; its time is the time since the step before it. */
void step_times_done(struct step_times *steps, enum step step, const char *result);

/* Adds the time of each step to the latest attempts that the counters keep. */
void step_times_count(const struct step_times *steps, struct counters *counters, int64_t event_id);

/*
 * Each appends to out, which is empty, and returns what out then holds.
 * "record=0.4ms signing=made:57.1ms … total=118.0ms"
 */
const char *step_times_print(const struct step_times *steps, struct buf *out);
/* [{"step":"record","ms":0.4},{"step":"signing","result":"made","ms":57.1},…] */
const char *step_times_json(const struct step_times *steps, struct buf *out);

#endif
