#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "base/text.h"
#include "config/config.h"
#include "store/store.h"

/* Whom a command is about: as the person at the keyboard names them, and as the store does. */
struct names {
	const char *user;   /* UUID, user name or mail address; NULL: not given */
	const char *device; /* UUID or friendly name; NULL: not given */
	char user_uuid[UUID_SIZE], device_uuid[UUID_SIZE]; /* "": not given, or not looked up */
};

/*
 * Looks up the UUIDs. Asks the store only where a name is no UUID. ERR_NOT_FOUND, and ERR_USAGE
 * with the candidates, as store_find_user().
 */
enum err names_find(const struct config *config, struct names *names, struct error *e) must_check;

/*
 * A serial number in the store's form, from the forms that people copy from elsewhere: in
 * either case, with colons, with a zero before it. False, and out untouched, if it is none.
 */
bool names_serial(const char *text, char out[STORE_SERIAL_SIZE]);

#endif
