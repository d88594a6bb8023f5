#ifndef UEM_EVENT_H
#define UEM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* The action that an event asks for; uem/event_kind.h has a row for each. */
enum event_kind {
	EVENT_ENROLLED,	       /* 148 MDM Enrollment Complete, 170 Enrollment Complete */
	EVENT_UNENROLLED,      /* 39 Break MDM Confirmed, 229 Device Enterprise Wipe Requested,
				  25 Device wipe, Delete, and whatever event_kind_find() takes for
				  one */
	EVENT_ADDRESS_CHANGED, /* User Email Address Changed, of an enrolled user */
	EVENT_OTHER,	       /* acknowledged and ignored */
	EVENT_KIND_COUNT,
};

/* The text fields of an event notification that we know and templates may name. */
enum event_field {
	EVENT_TYPE,
	EVENT_DEVICE_FRIENDLY_NAME,
	EVENT_ENROLLMENT_EMAIL_ADDRESS,
	EVENT_ENROLLMENT_USER_NAME,
	EVENT_TIME,
	EVENT_ENROLLMENT_STATUS,
	EVENT_PHONE_NUMBER,
	EVENT_UDID,
	EVENT_SERIAL_NUMBER,
	EVENT_DEVICE_IMEI,
	EVENT_ASSET_NUMBER,
	EVENT_PLATFORM,
	EVENT_OPERATING_SYSTEM,
	EVENT_OWNERSHIP,
	EVENT_ORGANIZATION_GROUP_NAME,
	EVENT_FIELD_COUNT,
};

/* The state of a field after parsing. */
enum event_damage {
	EVENT_WHOLE,
	EVENT_CUT,  /* it was too long, and is shorter now */
	EVENT_LOST, /* it has U+FFFD in it, or is empty, since something could not be read */
};

struct uem_user;

/* A notification of Workspace ONE UEM, from its JSON or XML format, both flat. */
struct event {
	enum event_kind kind;
	int64_t event_id;		/* 0: absent */
	int64_t device_id, user_id;	/* UEM's numbers; 0: absent or no number */
	char device_uuid[UUID_SIZE];	/* lower case; "": absent or all-zero */
	char user_uuid[UUID_SIZE];	/* likewise */
	int64_t time;			/* seconds UTC; 0: absent or not understood, see below */
	char *field[EVENT_FIELD_COUNT]; /* UTF-8, trimmed, never NULL; "": absent */
	unsigned char damage[EVENT_FIELD_COUNT]; /* enum event_damage */
	char *repaired; /* for the log: what was damaged, and in which fields; "": nothing */
	const struct uem_user
		*uem;	  /* what UEM says of the user; borrowed; NULL: it was not asked */
	const char *name; /* the user's, by a directory; borrowed; NULL: none */
	bool unmatched;	  /* EVENT_OTHER, but the type has a word of a kind that we know */
};

/*
 * Parses body[0..len-1], which must be JSON, or XML if it begins with "<" (uem/event_xml.h), but
 * for damage inside strings or elements. The same rules hold for both. Unknown fields are skipped;
 * a known field may be absent, null or "", its element absent or empty. A text field that is
 * damaged, too long or of the wrong type is repaired, cut or left empty, and *out says so: the code
 * that uses it refuses it.
 *
 * An event without EventId and EventType, an id or a UUID that is none, a key that occurs twice:
 * ERR_MALFORMED, with the field; the text names the device where the body does. A time in an odd
 * form is no error. An enrollment must name its device and its user, an unenrollment its device; a
 * change of address may name either, both or none. In an event that is ignored (EVENT_OTHER) a
 * faulty UUID is left empty instead. The result is freed with event_free().
 */
enum err event_parse(const char *body, size_t len, struct event **out, struct error *e) must_check;
void event_free(struct event *event);

/* An event without a time, or with one in the future, has that of its arrival. */
void event_settle_time(struct event *event, int64_t received_at);

/*
 * The JSON key of a field ("EnrollmentUserName"), and the field for a key
 * among len bytes, or -1. DeviceUUID and EnrollmentUserUUID are no text fields.
 */
const char *event_field_name(enum event_field field);
size_t event_field_max(enum event_field field); /* bytes; what is longer is cut */
int event_field_find(const char *key, size_t len);

#endif
