#ifndef STORE_STATES_H
#define STORE_STATES_H

/* The words for the states of what is in the store, of use without a store, too. */

enum event_state {
	EVENT_STATE_PENDING,   /* recorded; not all is done yet */
	EVENT_STATE_DELIVERED, /* the gateways have the credentials */
	EVENT_STATE_RECORDED,  /* it asked for no credentials */
	EVENT_STATE_FAILED,    /* refused for good: needs attention */
	EVENT_STATE_COUNT,
};

extern const char *const event_state_names[EVENT_STATE_COUNT];

enum credential_state {
	CREDENTIAL_ACTIVE,
	CREDENTIAL_ARCHIVED, /* replaced or expired */
	CREDENTIAL_REVOKED,
	CREDENTIAL_STATE_COUNT,
};

extern const char *const credential_state_names[CREDENTIAL_STATE_COUNT];

enum upload_state {
	UPLOAD_PENDING,
	UPLOAD_DELIVERED,
	UPLOAD_FAILED,
	UPLOAD_STATE_COUNT,
};

extern const char *const upload_state_names[UPLOAD_STATE_COUNT];

enum audit_action {
	AUDIT_RECEIVED,	  /* an event was recorded */
	AUDIT_REQUESTED,  /* a certificate, of a CA that decides later */
	AUDIT_DROPPED,	  /* such a request: refused, or of no use any more */
	AUDIT_ISSUED,	  /* a first certificate, or one for another address or in place of an
			     expired one */
	AUDIT_RETURNED,	  /* an earlier certificate is current again, as its address came back */
	AUDIT_RENEWED,	  /* a certificate that ends, or has ended */
	AUDIT_UPLOADED,	  /* a gateway has accepted an upload */
	AUDIT_REFUSED,	  /* for good: an event by us or the CA, an upload by a gateway */
	AUDIT_UNENROLLED, /* a device */
	AUDIT_CONFLICT,	  /* an enrollment asks for another user's address */
	AUDIT_REVOKED,	  /* a certificate */
	AUDIT_RECOVERY_REQUESTED, /* a user's encryption keys are about to be handed out */
	AUDIT_RECOVERY_FAILED,	  /* … and were not */
	AUDIT_RECOVERED,	  /* … and were */
	AUDIT_REKEYED,		  /* all private keys were sealed anew */
	AUDIT_ACTION_COUNT,
};

extern const char *const audit_action_names[AUDIT_ACTION_COUNT]; /* "received", … */

#endif
