/* A change of a user's mail address. It enrolls nothing; enroll.c delivers its credentials. */

#include "provider/change_address.h"

#include "provider/attempt.h"
#include "provider/enroll.h"
#include "provider/provider_parts.h"

/* Finds that device of the user, or with "" the latest one. *out: it is enrolled. */
static enum err find_device(struct provider *p, const char *user_uuid, char device_uuid[UUID_SIZE],
	bool *out, struct error *e)
{
	const struct store_pair pair = store_pair_of(device_uuid, user_uuid);
	struct error none;
	enum err err = store_device_find(p->store, &pair, device_uuid, &none);

	*out = !err;
	if (!err || err == ERR_NOT_FOUND)
		return ERR_OK;
	*e = none;
	return err;
}

enum err change_address_concerns_us(
	struct provider *p, struct event *event, bool *out, struct error *e)
{
	return find_device(p, event->user_uuid, event->device_uuid, out, e);
}

enum err change_address_attempt(struct attempt *a, struct error *e)
{
	const struct event *received = a->event;
	struct event event = *received;
	bool found = false;
	enum err err = find_device(a->provider, event.user_uuid, event.device_uuid, &found, e);

	if (!err && !found) {
		*event.device_uuid = '\0';
		err = find_device(a->provider, event.user_uuid, event.device_uuid, &found, e);
	}
	a->overtaken = !found;
	if (err || !found)
		return err;
	a->event = &event;
	err = enroll_known_device(a, e);
	a->event = received;
	return err;
}
