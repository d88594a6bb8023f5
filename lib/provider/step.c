/* The names of an event's steps: in the log, on /metrics and on the status page. */

#include "provider/step.h"

const char *const step_names[STEP_COUNT] = {
	[STEP_RECORD] = "record",
	[STEP_TURN] = "turn",
	[STEP_IDENTITY] = "identity",
	[STEP_SIGNING] = "signing",
	[STEP_ENCRYPTION] = "encryption",
	[STEP_OTHERS] = "others",
	[STEP_PACK] = "pack",
	[STEP_UPLOAD] = "upload",
	[STEP_REVOKE] = "revoke",
	[STEP_FINISH] = "finish",
};
