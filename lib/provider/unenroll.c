/* An unenrollment, by an event or by hand: delivery stops, and certificates may be revoked. */

#include "provider/unenroll.h"

#include <stdio.h>

#include "provider/attempt.h"
#include "provider/handle_event.h"
#include "provider/provider_parts.h"
#include "provider/revoke.h"

enum err unenroll_concerns_us(struct provider *p, struct event *event, bool *out, struct error *e)
{
	return store_device_known(p->store, event->device_uuid, out, e);
}

enum err unenroll_stop_delivery(struct attempt *a, struct error *e)
{
	bool accepted = false;

	return store_event_accept(a->provider->store, a->id, false, &accepted, e);
}

enum err unenroll_attempt(struct attempt *a, struct error *e)
{
	enum revocation_reason reason =
		a->compromised ? REVOKED_KEY_COMPROMISE : REVOKED_CESSATION_OF_OPERATION;
	enum err err = unenroll_stop_delivery(a, e);

	if (err)
		return err;
	/* Otherwise a certificate that is being made now would not be revoked. */
	if (!attempt_wait_for_turn(a))
		return error_set(
			e, ERR_UNAVAILABLE, "an enrollment of the same device is not finished yet");
	if (a->provider->config->events.on_unenroll == UNENROLL_KEEP)
		return ERR_OK;
	err = revoke_unenrolled(a->provider, a->id, reason, e);
	step_times_done(&a->steps, STEP_REVOKE, err ? "failed" : NULL);
	return err;
}

/* --- by hand */

/* Handled like an event of UEM, with the same traces. */
enum err unenroll_device(
	struct provider *p, const char *device_uuid, bool compromised, struct error *e)
{
	struct attempt attempt = {.provider = p, .by_hand = true, .compromised = compromised};
	char body[128];
	int len = snprintf(body, sizeof(body),
		"{\"EventType\":\"Unenrolled by certprov\",\"DeviceUUID\":\"%s\"}", device_uuid);
	enum err err = handle_event(&attempt, body, (size_t)len, e);

	if (!err && attempt.result.kind == RESULT_IGNORED)
		err = error_set(e, ERR_NOT_FOUND,
			"no device %s has enrolled; see: certprov list devices", device_uuid);
	event_result_fini(&attempt.result);
	return err;
}

enum err provider_unenroll(const struct config *config, const char *device_uuid, struct error *e)
{
	struct provider *p = NULL;
	enum err err = provider_open_ca(config, &p, e);

	if (!err)
		err = unenroll_device(p, device_uuid, false, e);
	provider_close(p);
	return err;
}
