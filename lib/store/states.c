/* The words for the states of what is in the store, and for the actions of the audit trail. */
#include "store/states.h"

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

const char *const audit_action_names[AUDIT_ACTION_COUNT] = {
	[AUDIT_RECEIVED] = "received",
	[AUDIT_REQUESTED] = "requested",
	[AUDIT_DROPPED] = "dropped",
	[AUDIT_ISSUED] = "issued",
	[AUDIT_RETURNED] = "returned",
	[AUDIT_RENEWED] = "renewed",
	[AUDIT_UPLOADED] = "uploaded",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_UNENROLLED] = "unenrolled",
	[AUDIT_CONFLICT] = "address conflict",
	[AUDIT_REVOKED] = "revoked",
	[AUDIT_RECOVERY_REQUESTED] = "recovery-requested",
	[AUDIT_RECOVERY_FAILED] = "recovery-failed",
	[AUDIT_RECOVERED] = "recovered",
	[AUDIT_REKEYED] = "rekeyed",
};
