/*
 * An event notification, from its body to its answer. The steps of an enrollment are:
 *   1. trust, before one byte of the body is read: the web server and fcgi/;
 *   2. event, and
 *   3. record: here;
 *   4. identity,
 *   5. credentials, and
 *   6. upload: enroll.c;
 *   7. answer: what provider_handle() returns.
 */

#include "provider/handle_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "provider/attempt.h"
#include "provider/event_act.h"
#include "provider/event_log.h"
#include "provider/provider_parts.h"
#include "provider/run_attempt.h"
#include "uem/event_kind.h"
#include "uem/event_print.h"

/* All fields at their longest, each byte an escape. */
#define PAYLOAD_MAX (64 * 1024)

/* Step 3: from here on the event cannot be lost. Only known fields are kept, no padding. */
static enum err record(struct attempt *a, struct error *e)
{
	const struct event *event = a->event;
	struct provider *p = a->provider;
	struct buf payload = BUF_INIT(PAYLOAD_MAX);
	struct store_event row = {
		.received_at = a->received_at,
		.time = event->time,
		.request_id = log_request(),
		.kind = event_kinds[event->kind].name,
		.event_type = event->field[EVENT_TYPE],
		.device_uuid = event->device_uuid,
		.user_uuid = event->user_uuid,
		.user_name = event->field[EVENT_ENROLLMENT_USER_NAME],
		.device_name = event->field[EVENT_DEVICE_FRIENDLY_NAME],
		.platform = event->field[EVENT_PLATFORM],
	};
	enum err err;

	event_print(event, &payload);
	row.payload = payload.data;
	row.payload_len = payload.len;
	err = buf_check(&payload, e);
	if (!err)
		err = store_event_add(p->store, &row, lease_seconds(p->config), &a->id, e);
	buf_free(&payload);
	step_times_done(&a->steps, STEP_RECORD, err ? "failed" : NULL);
	return err;
}

static enum err record_and_attempt(struct attempt *a, const struct event_act *act, struct error *e)
{
	struct admission_pass *pass = a->provider->pass;
	enum err err;

	step_times_start(&a->steps, a->provider->counters);
	err = record(a, e);
	if (!err && act->at_once)
		err = act->at_once(a, e);
	if (err) {
		event_log_result(a->event, a->id, &a->steps, err);
		return err;
	}
	if (!admission_enter(pass))
		return put_off_attempt(a, e);
	/* Without a turn both processes upload the same, which does no harm. */
	if (act->delivers)
		(void)attempt_wait_for_turn(a);
	err = run_attempt(a, e);
	admission_leave(pass);
	return err;
}

static enum err ignore(const struct event *event, struct event_result *out, struct error *e)
{
	const char *type = event->field[EVENT_TYPE];

	out->kind = RESULT_IGNORED;
	if (*type)
		out->event_type = strdup(type);
	else if (asprintf(&out->event_type, "%lld", (long long)event->event_id) < 0)
		out->event_type = NULL;
	if (!out->event_type)
		return error_memory(e);
	event_log_ignored(event, out->event_type);
	return ERR_OK;
}

static enum err act_on(struct attempt *a, struct event *event, struct error *e)
{
	const struct event_act *act = event_act(event->kind);
	bool ours = act != NULL;
	enum err err = ERR_OK;

	if (act && act->concerns_us)
		err = act->concerns_us(a->provider, event, &ours, e);
	if (err)
		return err;
	return ours ? record_and_attempt(a, act, e) : ignore(event, &a->result, e);
}

enum err handle_event(struct attempt *a, const char *body, size_t len, struct error *e)
{
	struct event *event = NULL;
	enum err err = event_parse(body, len, &event, e);

	if (err)
		return err;
	a->event = event;
	a->received_at = clock_now();
	event_log_received(event);
	if (event->unmatched)
		counters_unmatched(a->provider->counters);
	if (!a->by_hand)
		event_settle_time(event, a->received_at);
	err = act_on(a, event, e);
	a->event = NULL;
	event_free(event);
	return err;
}

enum err provider_handle(struct provider *provider, const char *body, size_t len,
	struct event_result *out, struct error *e)
{
	struct attempt attempt = {.provider = provider};
	enum err err = handle_event(&attempt, body, len, e);

	attempt.result.recorded = out->recorded = attempt.id != 0;
	if (err)
		event_result_fini(&attempt.result);
	else
		*out = attempt.result;
	return err;
}
