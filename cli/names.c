/* Turns names of users, devices and certificates on the command line into the store's own. */

#include "cli/names.h"

#include <string.h>

#include "store/find.h"

enum err names_find(const struct config *config, struct names *names, struct error *e)
{
	bool user = !names->user || text_uuid(names->user, names->user_uuid);
	bool device = !names->device || text_uuid(names->device, names->device_uuid);
	struct store *store = NULL;
	enum err err;

	if (user && device)
		return ERR_OK;
	err = store_open(config, &store, e);
	if (!err && !user)
		err = store_find_user(store, names->user, names->user_uuid, e);
	if (!err && !device)
		err = store_find_device(store, names->device, names->device_uuid, e);
	store_close(store);
	return err;
}

/* The store's form has whole octets, and no zero octet first. */
bool names_serial(const char *text, char out[STORE_SERIAL_SIZE])
{
	unsigned char octets[(STORE_SERIAL_SIZE - 1) / 2];
	char digits[STORE_SERIAL_SIZE + 1] = "0";
	size_t len = 0, first = 0;

	for (; *text; text++) {
		if (*text == ':' || (len == 0 && *text == '0'))
			continue;
		if (len == STORE_SERIAL_SIZE - 1)
			return false;
		digits[1 + len++] = *text;
	}
	first = len % 2 == 0; /* an odd number of digits keeps the zero before them */
	len = strlen(digits + first) / 2;
	if (len == 0 || !text_unhex(digits + first, octets, len))
		return false;
	text_hex(octets, len, out);
	return true;
}
