/* Turns the names of users and devices on the command line into UUIDs. */

#include "cli/names.h"

#include "store/find.h"
#include "store/store.h"

/* True if nothing has to be looked up. */
static bool is_uuid(const char *text, char uuid[UUID_SIZE])
{
	return !text || text_uuid(text, uuid);
}

enum err cli_names_find(const struct config *config, const struct cli_names *names,
	char user_uuid[UUID_SIZE], char device_uuid[UUID_SIZE], struct error *e)
{
	bool user, device;
	struct store *store = NULL;
	enum err err;

	*user_uuid = *device_uuid = '\0';
	user = is_uuid(names->user, user_uuid);
	device = is_uuid(names->device, device_uuid);
	if (user && device)
		return ERR_OK;
	err = store_open(config, &store, e);
	if (!err && !user)
		err = store_find_user(store, names->user, user_uuid, e);
	if (!err && !device)
		err = store_find_device(store, names->device, device_uuid, e);
	store_close(store);
	return err;
}
