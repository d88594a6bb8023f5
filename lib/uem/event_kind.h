#ifndef UEM_EVENT_KIND_H
#define UEM_EVENT_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "uem/event.h"

#define EVENT_TYPE_MAX 256 /* bytes */

/* What is true of every event of a kind. What it asks of us is in provider/event_act.c. */
struct event_kind_row {
	const char *name;	   /* "enrolled"; in the store and in lists, too */
	bool has_device, has_user; /* must name a device, a user */
};

extern const struct event_kind_row event_kinds[EVENT_KIND_COUNT];

/*
 * Classifies an EventId (0: absent) and an EventType ("": absent) of at most EVENT_TYPE_MAX bytes.
 * A known id decides. Any other type is classified by its parts: a type that deletes, wipes or
 * unenrolls a device, or breaks its management, is an unenrollment, unless the name says that it
 * did not happen or was done to something else; a user's email address makes a change of address.
 * *unmatched: the type has such a word, and asks nothing all the same. ERR_MALFORMED if id and type
 * are of different events.
 */
enum err event_kind_find(int64_t id, const char *type, enum event_kind *out, bool *unmatched,
	struct error *e) must_check;

#endif
