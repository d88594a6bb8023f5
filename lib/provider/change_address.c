/* A change of a user's mail address. It enrolls nothing; enroll.c delivers its credentials. */

#include "provider/change_address.h"

#include "provider/provider_parts.h"

enum err change_address_concerns_us(
	struct provider *p, struct event *event, bool *out, struct error *e)
{
	const struct store_pair pair = store_pair_of(event->device_uuid, event->user_uuid);
	struct error none;
	enum err err = store_device_find(p->store, &pair, event->device_uuid, &none);

	*out = !err;
	if (!err || err == ERR_NOT_FOUND)
		return ERR_OK;
	*e = none;
	return err;
}
