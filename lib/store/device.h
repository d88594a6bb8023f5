#ifndef STORE_DEVICE_H
#define STORE_DEVICE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* Devices and their users. */

struct store;

/* A device and its user. In a filter, "" is any. */
struct store_pair {
	char device_uuid[UUID_SIZE];
	char user_uuid[UUID_SIZE];
};

struct store_pair store_pair_of(const char *device_uuid, const char *user_uuid);

/* Finds an enrolled device of a user: pair->device_uuid, or the latest for "". ERR_NOT_FOUND. */
enum err store_device_find(struct store *store, const struct store_pair *pair,
	char device_uuid[UUID_SIZE], struct error *e) must_check;

/* *known: the device has been enrolled, or an enrollment of it is pending or failed. */
enum err store_device_known(
	struct store *store, const char *device_uuid, bool *known, struct error *e) must_check;

/*
 * Steps *at to the user's next enrolled device whose own signing certificate is for another mail
 * address, in the order of their UUIDs; the first if it is "". ERR_NOT_FOUND: none is left.
 */
enum err store_device_outdated(struct store *store, const char *user_uuid, const char *mail,
	char at[UUID_SIZE], struct error *e) must_check;

#endif
