#ifndef STORE_ENROLLMENT_H
#define STORE_ENROLLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Writing what an event says about a device and its user. */

struct store;

/*
 * Writes what an event says, now that its identity is confirmed. Unenrollment: from here on the
 * device gets nothing more, unless it was enrolled again since. Enrollment: the user, the user's
 * name, and the device as enrolled. Unless devices are shared, the device is no other user's any
 * more. *accepted is false, and nothing is written, where the device was unenrolled or taken over
 * by another user after this event.
 */
enum err store_event_accept(
	struct store *store, int64_t id, bool shared, bool *accepted, struct error *e) must_check;

/* --- for the files of lib/store: inside a write transaction */

/* Marks the device of an unenrollment so, unless it was enrolled again since. */
enum err enrollment_end(struct store *store, int64_t event_id, struct error *e) must_check;

#endif
