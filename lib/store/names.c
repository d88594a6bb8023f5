#include "store/credential.h"
#include "store/event.h"
#include "store/upload.h"

/* The words for the states, of use without a store, too. */

const char *const event_state_names[EVENT_STATE_COUNT] = {
	[EVENT_STATE_PENDING] = "pending",
	[EVENT_STATE_DELIVERED] = "delivered",
	[EVENT_STATE_RECORDED] = "recorded",
	[EVENT_STATE_FAILED] = "failed",
};

const char *const credential_state_names[CREDENTIAL_STATE_COUNT] = {
	[CREDENTIAL_ACTIVE] = "active",
	[CREDENTIAL_ARCHIVED] = "archived",
	[CREDENTIAL_REVOKED] = "revoked",
};

const char *const upload_state_names[UPLOAD_STATE_COUNT] = {
	[UPLOAD_PENDING] = "pending",
	[UPLOAD_DELIVERED] = "delivered",
	[UPLOAD_FAILED] = "failed",
};
