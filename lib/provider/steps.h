#ifndef PROVIDER_STEPS_H
#define PROVIDER_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define STEPS_MAX 32

struct meter;

enum step {
	STEP_RECORD,
	STEP_TURN, /* the wait for another process that is working on the same device */
	STEP_IDENTITY,
	STEP_SIGNING,
	STEP_ENCRYPTION,
	STEP_OTHERS, /* for the other devices of the user */
	STEP_PACK,
	STEP_UPLOAD, /* to one gateway */
	STEP_REVOKE,
	STEP_FINISH,
	STEP_COUNT
};

extern const char *const step_names[STEP_COUNT]; /* "record", "turn" … */

/* The steps of one event with their results and times: for its log line. */
struct steps {
	struct meter *meter; /* borrowed; or NULL */
	size_t count;
	int64_t started, last; /* clock_monotonic_us() */
	struct {
		enum step step;
		const char *result; /* static: "made", "kept" …, or NULL */
		int64_t us;
	} done[STEPS_MAX];
};

/* meter counts each step, too; NULL: nobody does. */
void steps_start(struct steps *steps, struct meter *meter);

/* The step that ends now: its time is what passed since the one before it. */
void steps_done(struct steps *steps, enum step step, const char *result);

/*
 * Each appends to out, which is empty, and returns what out then holds.
 * "record=0.4ms signing=made:57.1ms … total=118.0ms"
 */
const char *steps_print(const struct steps *steps, struct buf *out);
/* [{"step":"record","ms":0.4},{"step":"signing","result":"made","ms":57.1},…] */
const char *steps_json(const struct steps *steps, struct buf *out);

#endif
