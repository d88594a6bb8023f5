#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"

/* Whom a command is about, as the person at the keyboard names them. NULL: not given. */
struct cli_names {
	const char *user;   /* UUID, user name or mail address */
	const char *device; /* UUID or friendly name */
};

#define CLI_USER_FORM "a UUID, user name or mail address"
#define CLI_DEVICE_FORM "a UUID or friendly name"

/*
 * Their UUIDs; "" for what was not given. Asks the store only where a name is no UUID.
 * ERR_NOT_FOUND, and ERR_USAGE with the candidates, as store_find_user().
 */
enum err cli_names_find(const struct config *config, const struct cli_names *names,
	char user_uuid[UUID_SIZE], char device_uuid[UUID_SIZE], struct error *e) must_check;

#endif
