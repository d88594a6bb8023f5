/* An unenrollment that UEM did not send. It is recorded and handled like an event. */

#include "provider/unenroll_by_hand.h"

#include <stdio.h>

#include "provider/attempt.h"
#include "provider/handle_event.h"
#include "provider/provider.h"
#include "provider/provider_parts.h"

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
