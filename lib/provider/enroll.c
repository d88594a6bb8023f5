#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/patience.h"
#include "provider/backoff.h"
#include "provider/internal.h"

/* For all steps of an event but those that wait for others, which have deadlines of their own. */
#define IN_WORK_SECONDS 300
#define TURN_POLL_MS 50

/* Of an event that found no slot: due again then. */
#define PUT_OFF_SECONDS 30

int64_t lease_seconds(const struct config *config)
{
	return IN_WORK_SECONDS + config_longest(config);
}

/* All fields at their longest, each byte an escape. */
#define PAYLOAD_MAX (64 * 1024)

/* Of the body only what is known is kept: padding would stay for ever. */
static enum err record(struct work *w, struct error *e)
{
	const struct event *event = w->event;
	struct buf payload = BUF_INIT(PAYLOAD_MAX);
	bool gone = event->kind == EVENT_UNENROLLED;
	struct store_event row = {
		.received_at = w->received_at,
		.time = event->time,
		.request_id = log_request(),
		.kind = event_kind_names[gone ? EVENT_UNENROLLED : EVENT_ENROLLED],
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
		err = store_event_add(
			w->provider->store, &row, lease_seconds(w->provider->config), &w->id, e);
	buf_free(&payload);
	step_times_done(&w->steps, STEP_RECORD, err ? "failed" : NULL);
	return err;
}

/* --- one after the other */

/*
 * Another process may be working on this device. A live one has ended its upload when the time for
 * one is over; nobody waits longer for one that was killed, nor for a store that does not answer.
 * Returns true if it is our turn.
 */
static bool wait_for_turn(struct work *w)
{
	const struct timespec pause = {.tv_nsec = TURN_POLL_MS * 1000000L};
	int64_t deadline = clock_monotonic_ms() + w->provider->config->escrow.timeout * 1000;
	int64_t began = admission_wait_begins(w->provider->pass);
	bool ours = false, waited = false;
	struct error ignored;

	while (store_event_turn(w->provider->store, w->id, &ours, &ignored) == ERR_OK && !ours &&
		clock_monotonic_ms() < deadline) {
		waited = true;
		(void)patience_look();
		nanosleep(&pause, NULL);
	}
	admission_wait_ends(w->provider->pass, began);
	if (waited)
		step_times_done(&w->steps, STEP_TURN, ours ? NULL : "timeout");
	return ours;
}

/* --- an enrollment */

static void list_certificate(
	struct event_result *out, const char *usage, const struct credential *credential)
{
	struct event_result_certificate *c = &out->certificate[out->certificate_count++];

	c->usage = usage;
	snprintf(c->serial, sizeof(c->serial), "%s", credential->serial);
	c->not_after = credential->not_after;
}

static enum err list_certificates(
	const struct credential_set *set, struct event_result *out, struct error *e)
{
	out->certificate = calloc(USAGE_COUNT + set->archived_count, sizeof(*out->certificate));
	if (!out->certificate)
		return error_memory(e);
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (set->present[usage])
			list_certificate(out, usage_names[usage], &set->current[usage]);
	for (size_t i = 0; i < set->archived_count; i++)
		list_certificate(out, "archived", &set->archived[i]);
	return ERR_OK;
}

/* Identifies the user of an event; until that succeeds, nothing but the event itself is written. */
static enum err identify(struct work *w, struct subject *out, struct error *e)
{
	struct provider *p = w->provider;
	const struct store_claimant claimant = {w->event->user_uuid, w->event->device_uuid,
		p->config->identity.address_conflict == ADDRESS_CONFLICT_REFUSE};
	bool accepted = true;
	enum err err = subject_now(p, w->event, out, e);

	if (!err)
		err = check_address_is_free(p, &claimant, out, e);
	if (!err && w->event->kind == EVENT_ENROLLED)
		err = store_event_accept(
			p->store, w->id, p->config->events.shared_devices, &accepted, e);
	w->overtaken = !accepted;
	step_times_done(&w->steps, STEP_IDENTITY, err ? "refused" : accepted ? NULL : "overtaken");
	return err;
}

/* The CA may have taken its time: no key goes to a device that is not this user's any more. */
static enum err check_still_enrolled(struct work *w, const struct store_pair *pair, struct error *e)
{
	char device_uuid[UUID_SIZE];
	struct error none;
	enum err err = store_device_find(w->provider->store, pair, device_uuid, &none);

	w->overtaken = err == ERR_NOT_FOUND;
	if (!err || w->overtaken)
		return ERR_OK;
	*e = none;
	return err;
}

static enum err enroll(
	struct work *w, struct event_result *out, struct uploads *uploads, struct error *e)
{
	struct provider *p = w->provider;
	struct credential_set set = {0};
	const struct store_pair pair = store_pair_of(w->event->device_uuid, w->event->user_uuid);
	struct subject subject;
	enum err err = identify(w, &subject, e);

	if (err || w->overtaken)
		return err;
	err = credential_set_obtain(p, w->event, &subject, &w->steps, &set, e);
	if (!err)
		err = list_certificates(&set, out, e);
	if (!err)
		err = check_still_enrolled(w, &pair, e);
	if (!err && !w->overtaken)
		err = upload_set(p, &pair, &set, w->tries, &w->steps, uploads, e);
	credential_set_fini(&set);
	return err;
}

/* The device gets nothing from now on, however long the rest takes. */
static enum err stop_delivery(struct work *w, struct error *e)
{
	bool accepted = false;

	return store_event_accept(w->provider->store, w->id, false, &accepted, e);
}

static enum err unenroll(struct work *w, struct error *e)
{
	enum revocation_reason reason =
		w->compromised ? REVOKED_KEY_COMPROMISE : REVOKED_CESSATION_OF_OPERATION;
	enum err err = stop_delivery(w, e);

	if (err)
		return err;
	/* Else a certificate that is just being made would be left over. */
	if (!wait_for_turn(w))
		return error_set(
			e, ERR_UNAVAILABLE, "an enrollment of the same device is not finished yet");
	if (w->provider->config->events.on_unenroll == UNENROLL_KEEP)
		return ERR_OK;
	err = revoke_unenrolled(w->provider, w->id, reason, e);
	step_times_done(&w->steps, STEP_REVOKE, err ? "failed" : NULL);
	return err;
}

/* --- how it ended */

/* A person has to do something, and may do it in our files: then it is tried at once. */
static bool waits_for_person(enum err err)
{
	return err && (err == ERR_BARRED || err == ERR_CONFIG || !error_meaning(err)->retry);
}

#define OVERTAKEN "the device was unenrolled, or enrolled by another user, after this event"

/* Writes down how an attempt ended. A failure of that is the failure of the whole. */
static enum err finish(struct work *w, enum event_state done, const struct uploads *uploads,
	enum err err, struct error *e)
{
	const struct store_end end = {
		.state = !err			     ? done
			 : error_meaning(err)->retry ? EVENT_STATE_PENDING
						     : EVENT_STATE_FAILED,
		.cause = err		? e->text
			 : w->overtaken ? OVERTAKEN
					: "",
		.next_at = clock_now() + backoff_seconds(w->tries, err ? e->retry_after : 0),
		.inputs = waits_for_person(err) ? w->provider->fingerprint : "",
		.upload = uploads->row,
		.upload_count = uploads->count,
	};
	struct error unwritten;

	if (store_event_finish(w->provider->store, w->id, &end, &unwritten) == ERR_OK) {
		step_times_done(&w->steps, STEP_FINISH, NULL);
		return err;
	}
	error_context(&unwritten, "the outcome could not be recorded");
	if (err)
		log_error("%s", unwritten.text);
	else
		*e = unwritten;
	return err ? err : unwritten.code;
}

#define QUOTED_MAX 2048

/* As JSON has it: a quote in it does not end it, and what follows is no field of the line. */
static const char *quoted(const char *text, struct buf *out)
{
	buf_json_string(out, text);
	return out->failed ? "?" : out->data;
}

#define STEPS_TEXT_MAX 1024
#define STEPS_JSON_MAX 2048

/* The outcome and each step's time. The cause of a failure is the caller's to log. */
static void log_outcome(const struct work *w, enum err err)
{
	struct buf steps = BUF_INIT(STEPS_TEXT_MAX), json = BUF_INIT(STEPS_JSON_MAX);
	struct buf type = BUF_INIT(QUOTED_MAX);
	const char *sent = w->event->field[EVENT_TYPE], *outcome = error_meaning(err)->label;
	char id[24];
	const struct log_field fields[] = {
		{"event", id, id},
		{"type", sent, NULL},
		{"device", w->event->device_uuid, NULL},
		{"user", w->event->user_uuid, NULL},
		{"outcome", outcome, NULL},
		{"steps", step_times_print(&w->steps, &steps), step_times_json(&w->steps, &json)},
	};

	snprintf(id, sizeof(id), "%lld", (long long)w->id);
	log_fields(err ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, fields, ARRAY_LEN(fields),
		"event=%s type=%s device=%s user=%s outcome=%s %s", id, quoted(sent, &type),
		w->event->device_uuid, w->event->user_uuid, outcome, fields[5].value);
	buf_free(&type);
	buf_free(&json);
	buf_free(&steps);
}

enum err work_attempt(struct work *w, struct event_result *out, struct error *e)
{
	bool enrolled = w->event->kind != EVENT_UNENROLLED, delivered;
	struct uploads uploads = {.count = 0};
	enum err err;

	memcpy(out->device_uuid, w->event->device_uuid, sizeof(out->device_uuid));
	memcpy(out->user_uuid, w->event->user_uuid, sizeof(out->user_uuid));
	err = enrolled ? enroll(w, out, &uploads, e) : unenroll(w, e);
	delivered = enrolled && !w->overtaken;
	out->kind = delivered ? RESULT_DELIVERED : RESULT_RECORDED;
	err = finish(w, delivered ? EVENT_STATE_DELIVERED : EVENT_STATE_RECORDED, &uploads, err, e);
	uploads_fini(&uploads);
	counters_attempt(w->steps.counters, w->id, &w->steps);
	log_outcome(w, err);
	return err;
}

/* It is recorded; all slots are held by workers that wait. The next run of deliver takes it. */
static enum err put_off(struct work *w, struct error *e)
{
	const struct uploads none = {.count = 0};
	enum err err = error_set(e, ERR_UNAVAILABLE,
		"recorded, and not tried yet: the other workers wait for a CA or a gateway that "
		"is slow; certprov deliver finishes it");

	e->retry_after = PUT_OFF_SECONDS;
	err = finish(w, EVENT_STATE_PENDING, &none, err, e);
	log_outcome(w, err);
	return err;
}

static enum err record_and_attempt(struct work *w, struct event_result *out, struct error *e)
{
	enum err err;

	step_times_start(&w->steps, w->provider->counters);
	err = record(w, e);
	if (!err && w->event->kind == EVENT_UNENROLLED)
		err = stop_delivery(w, e);
	if (err) {
		log_outcome(w, err);
		return err;
	}
	if (!admission_enter(w->provider->pass))
		return put_off(w, e);
	/* Two uploads of the same at once are needless, no more. */
	if (w->event->kind != EVENT_UNENROLLED)
		(void)wait_for_turn(w);
	err = work_attempt(w, out, e);
	admission_leave(w->provider->pass);
	return err;
}

static enum err ignore(const struct event *event, struct event_result *out, struct error *e)
{
	const char *sent = event->field[EVENT_TYPE];
	struct buf type = BUF_INIT(QUOTED_MAX);

	out->kind = RESULT_IGNORED;
	if (*sent)
		out->event_type = strdup(sent);
	else if (asprintf(&out->event_type, "%lld", (long long)event->event_id) < 0)
		out->event_type = NULL;
	if (!out->event_type)
		return error_memory(e);
	log_info("event type=%s %s: ignored", quoted(out->event_type, &type),
		event->kind == EVENT_OTHER ? "asks nothing of us"
					   : "is of nobody who has enrolled");
	buf_free(&type);
	return ERR_OK;
}

/*
 * A change of address is of interest where its user has enrolled the device, or, if it names none,
 * any: then the latest stands for all. Without a user nobody knows whose address it is. An
 * unenrollment is of interest where the device has been enrolled, or is about to be.
 */
static enum err concerns_us(
	struct provider *provider, struct event *event, bool *out, struct error *e)
{
	const struct store_pair pair = store_pair_of(event->device_uuid, event->user_uuid);
	struct error none;
	enum err err;

	*out = event->kind != EVENT_OTHER;
	if (event->kind == EVENT_UNENROLLED)
		return store_device_known(provider->store, event->device_uuid, out, e);
	if (event->kind != EVENT_ADDRESS_CHANGED)
		return ERR_OK;
	err = store_device_find(provider->store, &pair, event->device_uuid, &none);
	*out = !err;
	if (!err || err == ERR_NOT_FOUND)
		return ERR_OK;
	*e = none;
	return err;
}

static enum err handle(
	struct work *w, const char *body, size_t len, struct event_result *out, struct error *e)
{
	struct event_result result = {0};
	struct event *event = NULL;
	bool ours = false;
	enum err err = event_parse(body, len, &event, e);

	out->recorded = false;
	if (err)
		return err;
	w->event = event;
	note_event(event, w->provider->counters);
	w->received_at = clock_now();
	if (!w->by_hand)
		event_settle_time(event, w->received_at);
	err = concerns_us(w->provider, event, &ours, e);
	if (!err && !ours)
		err = ignore(event, &result, e);
	else if (!err)
		err = record_and_attempt(w, &result, e);
	event_free(event);
	result.recorded = out->recorded = w->id != 0;
	if (err)
		event_result_fini(&result);
	else
		*out = result;
	return err;
}

enum err provider_handle(struct provider *provider, const char *body, size_t len,
	struct event_result *out, struct error *e)
{
	struct work work = {.provider = provider};

	return handle(&work, body, len, out, e);
}

/* --- by hand */

/* As if UEM had said so, and with the same traces. */
enum err device_unenroll(
	struct provider *provider, const char *device_uuid, bool compromised, struct error *e)
{
	struct work work = {.provider = provider, .by_hand = true, .compromised = compromised};
	struct event_result result = {0};
	char body[128];
	int len = snprintf(body, sizeof(body),
		"{\"EventType\":\"Unenrolled by certprov\",\"DeviceUUID\":\"%s\"}", device_uuid);
	enum err err = handle(&work, body, (size_t)len, &result, e);

	if (!err && result.kind == RESULT_IGNORED)
		err = error_set(e, ERR_NOT_FOUND,
			"no device %s has enrolled; see: certprov list devices", device_uuid);
	event_result_fini(&result);
	return err;
}

enum err provider_unenroll(const struct config *config, const char *device_uuid, struct error *e)
{
	struct provider *p = NULL;
	enum err err = provider_open_ca(config, &p, e);

	if (!err)
		err = device_unenroll(p, device_uuid, false, e);
	provider_close(p);
	return err;
}
