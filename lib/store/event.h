#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/states.h"

/* Events. */

struct store;

struct store_event {
	int64_t id; /* set by the store */
	int64_t received_at;
	const char *request_id;
	/*
	 * UEM's time, never after received_at: older events do not undo this one. 0: take that
	 * of the device's latest event.
	 */
	int64_t time;
	const char *kind; /* "enrolled", "unenrolled", "address changed" */
	const char *event_type;
	const char *device_uuid;
	const char *user_uuid; /* "" where the event has none */
	const char *user_name;
	const char *device_name;
	const char *platform;
	const char *payload; /* JSON with the known fields, to deliver it later */
	size_t payload_len;
};

/*
 * Records an event as pending: from here on it cannot be lost. Nothing else is written, as its
 * identity is not confirmed yet. It is leased to the caller for lease seconds; if the process dies
 * before it finishes the event, the event becomes due.
 */
enum err store_event_add(struct store *store, const struct store_event *event, int64_t lease,
	int64_t *id, struct error *e) must_check;

/* ERR_ALTERED if the event was altered or put in by somebody without the master key. */
enum err store_event_check(struct store *store, int64_t id, struct error *e) must_check;

struct store_upload;

/* The outcome of an attempt at an event. */
struct store_end {
	enum event_state state;
	const char *cause; /* of what is pending, failed or overtaken; NULL is "" */
	int64_t next_at;   /* pending: due again then */
	/*
	 * The inputs of the try, see store_due; NULL or "": pending work does not depend on them.
	 */
	const char *inputs;
	const struct store_upload *upload; /* the uploads it made, written down with it */
	size_t upload_count;
};

/*
 * Ends an attempt at an event; tries + 1. Delivered: earlier pending or failed enrollments of the
 * same device and user are delivered with it, and by a change of address the earlier changes. An
 * unenrolled device is marked so by EVENT_STATE_RECORDED, unless it was enrolled again since; its
 * earlier enrollments then ask for nothing any more. An enrollment that is recorded was overtaken,
 * as its cause says. A delivered or recorded event is not opened again. Ends the lease.
 * ERR_NOT_FOUND.
 */
enum err store_event_finish(
	struct store *store, int64_t id, const struct store_end *end, struct error *e) must_check;

#endif
