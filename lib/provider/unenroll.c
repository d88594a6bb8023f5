/* What an unenrollment asks: delivery stops, and certificates may be revoked. */

#include "provider/unenroll.h"

#include "provider/attempt.h"
#include "provider/confirm.h"
#include "provider/provider_parts.h"
#include "provider/revoke.h"

enum err unenroll_concerns_us(struct provider *p, struct event *event, bool *out, struct error *e)
{
	return store_device_known(p->store, event->device_uuid, out, e);
}

static enum err stop_delivery(struct attempt *a, struct error *e)
{
	bool accepted = false;

	return store_event_accept(a->provider->store, a->id, false, &accepted, e);
}

/* Where UEM must confirm it, the attempt asks first: that may take as long as it likes. */
enum err unenroll_stop_delivery(struct attempt *a, struct error *e)
{
	return a->by_hand || !confirm_is_wanted(a->provider) ? stop_delivery(a, e) : ERR_OK;
}

enum err unenroll_attempt(struct attempt *a, struct error *e)
{
	enum revocation_reason reason =
		a->compromised ? REVOKED_KEY_COMPROMISE : REVOKED_CESSATION_OF_OPERATION;
	enum err err = a->by_hand ? ERR_OK : confirm_event(a->provider, a->event, e);

	if (!err)
		err = stop_delivery(a, e);
	if (err)
		return err;
	/* Wait, as a certificate that is being made now would not be revoked. */
	if (!attempt_wait_for_turn(a))
		return error_set(
			e, ERR_UNAVAILABLE, "an enrollment of the same device is not finished yet");
	if (a->provider->config->events.on_unenroll == UNENROLL_KEEP)
		return ERR_OK;
	err = revoke_unenrolled(a->provider, a->id, reason, e);
	step_times_done(&a->steps, STEP_REVOKE, err ? "failed" : NULL);
	return err;
}
