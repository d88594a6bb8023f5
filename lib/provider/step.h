#ifndef PROVIDER_STEP_H
#define PROVIDER_STEP_H

/* The steps of an event. */
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

#endif
