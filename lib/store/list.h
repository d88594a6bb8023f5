#ifndef STORE_LIST_H
#define STORE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/vocabulary.h"
#include "store/credential.h"
#include "store/event.h"
#include "store/upload.h"

/* Lists and counts of what is in the store, for people to read. */

struct store;

enum store_table {
	STORE_DEVICES,
	STORE_USERS,
	STORE_CERTIFICATES,
	STORE_UPLOADS,
	STORE_EVENTS,
	STORE_AUDIT,
	STORE_TABLE_COUNT,
};

extern const char *const store_table_names[STORE_TABLE_COUNT]; /* "devices", … */

struct store_filter {	    /* "" and 0: any */
	const char *user;   /* user UUID, user name or mail address */
	const char *device; /* device UUID, or its friendly name */
	const char *state;
	int64_t expires_before; /* certificates only */
	/* Certificates only: UUID or name of user or device, mail address, or serial number. */
	const char *any;
	bool enrolled; /* uploads only: of enrolled devices, as store_count() counts unfinished ones
			*/
	bool alone;    /* uploads only: whose device has no pending or failed event */
	int64_t limit; /* at most so many rows */
};

/* A column's value, as text; times are RFC 3339, numbers decimal, NULL where there is none. */
struct store_column {
	const char *name; /* "device_uuid", … */
	const char *value;
	bool number;
};

typedef enum err store_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e);

/*
 * Calls row for each row that the filter lets through, newest first. An error of row ends the list;
 * row must not use the store. ERR_USAGE for a state that the table cannot have.
 */
enum err store_list(struct store *store, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e) must_check;

struct store_counts {
	int64_t devices, devices_unenrolled, users;
	int64_t certificates[USAGE_COUNT][CREDENTIAL_STATE_COUNT];
	/* Active certificates by time left; those of 7 days are also among those of 30. */
	int64_t expired, expiring_7d, expiring_30d, expiring_60d;
	int64_t soonest_expiry; /* not_after of the active one that ends first, even if expired */
	int64_t uploads[UPLOAD_STATE_COUNT]; /* pending and failed: of enrolled devices only */
	int64_t events[EVENT_STATE_COUNT];
	int64_t oldest_pending;	  /* received_at of the oldest pending event; 0: none */
	int64_t requests;	  /* to external CAs, without a final answer */
	int64_t requests_pending; /* of enrolled devices, and the CA has not decided yet */
	int64_t oldest_request;	  /* when a CA first said so of the oldest of these; 0: none */
	int64_t left_out;	  /* devices whose last upload left out earlier credentials */
};

/* Counts active certificates whose not_after is at or after from, and before before. */
enum err store_count_ending(struct store *store, int64_t from, int64_t before, int64_t *count,
	struct error *e) must_check;

enum err store_count(
	struct store *store, int64_t now, struct store_counts *out, struct error *e) must_check;

#endif
