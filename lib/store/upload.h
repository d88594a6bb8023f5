#ifndef STORE_UPLOAD_H
#define STORE_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/states.h"

/* Uploads: a row for each device, user and gateway. */

struct store;

struct store_upload {
	const char *device_uuid;
	const char *user_uuid;
	const char *gateway;  /* URL */
	const char *contents; /* serials, "signing:ab…,encryption:cd…": what was in it */
	int64_t newest;	      /* the highest id of a credential that was in it */
	size_t left_out;      /* how many earlier credentials it had no room for */
	enum upload_state state;
	const char *cause;  /* "" when delivered */
	int64_t next_at;    /* pending: due again then */
	const char *inputs; /* failed: what it was tried with, see store_due; NULL is "" */
};

/*
 * Writes down how an attempt ended: tries + 1, and the time. Where the device was due for a newer
 * credential meanwhile, a delivered one leaves it pending.
 */
enum err store_upload_record(
	struct store *store, const struct store_upload *upload, struct error *e) must_check;

/* When an upload to that gateway that is in that state now was tried last; 0: there is none. */
enum err store_upload_last(struct store *store, const char *gateway, enum upload_state state,
	int64_t *at, struct error *e) must_check;

/* --- for the files of lib/store: inside a write transaction */

struct credential;

/* Writes down an upload's outcome, in the audit trail, too. */
enum err upload_write(
	struct store *store, const struct store_upload *upload, struct error *e) must_check;

/* Devices that get a new credential and have had an upload are due for another. */
enum err upload_want(
	struct store *store, const struct credential *credential, struct error *e) must_check;

#endif
