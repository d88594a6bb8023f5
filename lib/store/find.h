#ifndef STORE_FIND_H
#define STORE_FIND_H

#include "base/error.h"
#include "base/text.h"

/* Finds users and devices by the names that people use. */

struct store;

/*
 * The UUID of the user that text names: a UUID, which is not looked up, a user name or a mail
 * address, in either case. ERR_NOT_FOUND: it is nobody's. ERR_USAGE: it is that of several, and e
 * lists them.
 */
enum err store_find_user(
	struct store *store, const char *text, char uuid[UUID_SIZE], struct error *e) must_check;

/* The same for a device, by its UUID or friendly name. */
enum err store_find_device(
	struct store *store, const char *text, char uuid[UUID_SIZE], struct error *e) must_check;

#endif
