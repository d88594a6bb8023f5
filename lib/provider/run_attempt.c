/*
 * One attempt at a recorded event, whatever its kind: its act, and how that ended, in the store and
 * in the log. What each kind asks is in event_act.c.
 */

#include "provider/run_attempt.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "provider/backoff.h"
#include "provider/event_act.h"
#include "provider/event_log.h"
#include "provider/provider_parts.h"

/* An event that found no slot is due again after this time. */
#define PUT_OFF_SECONDS 30

#define OVERTAKEN "the device was unenrolled, or enrolled by another user, after this event"

/* An administrator has to act. If our files change by that, the event is tried at once. */
static bool waits_for_administrator(enum err err)
{
	return err && (err == ERR_BARRED || err == ERR_CONFIG || !error_meaning(err)->retry);
}

/*
 * Writes down how an attempt ended. If writing fails after a good attempt, that error is returned;
 * after a failed one it is only logged.
 */
static enum err finish(struct attempt *a, enum event_state done, enum err err, struct error *e)
{
	const struct store_end end = {
		.state = !err			     ? done
			 : error_meaning(err)->retry ? EVENT_STATE_PENDING
						     : EVENT_STATE_FAILED,
		.cause = err		? e->text
			 : a->overtaken ? OVERTAKEN
					: "",
		.next_at = clock_now() + backoff_seconds(a->tries, err ? e->retry_after : 0),
		.inputs = waits_for_administrator(err) ? a->provider->fingerprint : "",
		.upload = a->uploads.row,
		.upload_count = a->uploads.count,
	};
	struct error unwritten;

	if (store_event_finish(a->provider->store, a->id, &end, &unwritten) == ERR_OK) {
		step_times_done(&a->steps, STEP_FINISH, NULL);
		return err;
	}
	error_context(&unwritten, "the outcome could not be recorded");
	if (err)
		log_error("%s", unwritten.text);
	else
		*e = unwritten;
	return err ? err : unwritten.code;
}

enum err run_attempt(struct attempt *a, struct error *e)
{
	const struct event_act *act = event_act(a->event->kind);
	struct event_result *result = &a->result;
	bool delivered;
	enum err err;

	memcpy(result->device_uuid, a->event->device_uuid, sizeof(result->device_uuid));
	memcpy(result->user_uuid, a->event->user_uuid, sizeof(result->user_uuid));
	err = act->attempt(a, e);
	delivered = act->delivers && !a->overtaken;
	result->kind = delivered ? RESULT_DELIVERED : RESULT_RECORDED;
	err = finish(a, delivered ? EVENT_STATE_DELIVERED : EVENT_STATE_RECORDED, err, e);
	uploads_fini(&a->uploads);
	step_times_count(&a->steps, a->steps.counters, a->id);
	event_log_result(a->event, a->id, &a->steps, err);
	return err;
}

enum err put_off_attempt(struct attempt *a, struct error *e)
{
	enum err err = error_set(e, ERR_UNAVAILABLE,
		"recorded, and not tried yet: the other workers wait for a CA or a gateway that "
		"is slow; certprov deliver finishes it");

	e->retry_after = PUT_OFF_SECONDS;
	err = finish(a, EVENT_STATE_PENDING, err, e);
	event_log_result(a->event, a->id, &a->steps, err);
	return err;
}
