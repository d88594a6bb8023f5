/*
 * An enrollment, from its recorded event on: whose certificates, the credentials, the upload.
 * handle_event.c has what comes before, and the answer.
 */

#include "provider/enroll.h"

#include <stdio.h>
#include <stdlib.h>

#include "provider/attempt.h"
#include "provider/confirm.h"
#include "provider/credential_set.h"
#include "provider/identify.h"
#include "provider/provider_parts.h"
#include "provider/upload.h"

/* Step 4, identity: until it succeeds, nothing but the event itself is written. */
static enum err identify(struct attempt *a, bool known_device, struct subject *out, struct error *e)
{
	struct provider *p = a->provider;
	const struct store_claimant claimant = {a->event->user_uuid, a->event->device_uuid,
		p->config->identity.address_conflict == ADDRESS_CONFLICT_REFUSE};
	bool accepted = true;
	enum err err = confirm_event(p, a->event, e);

	if (!err)
		err = identify_subject(p, a->event, true, out, e);
	if (!err)
		err = check_address_is_free(p, &claimant, out, e);
	if (!err && !known_device)
		err = store_event_accept(
			p->store, a->id, p->config->events.shared_devices, &accepted, e);
	a->overtaken = !accepted;
	step_times_done(&a->steps, STEP_IDENTITY, err ? "refused" : accepted ? NULL : "overtaken");
	return err;
}

static void list_certificate(
	struct event_result *out, const char *usage, const struct credential *credential)
{
	struct event_result_certificate *c = &out->certificate[out->certificate_count++];

	c->usage = usage;
	snprintf(c->serial, sizeof(c->serial), "%s", credential->serial);
	c->not_after = credential->not_after;
}

/* For the answer. */
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

/* The CA may have taken its time: no key goes to a device that is not this user's any more. */
static enum err check_still_enrolled(
	struct attempt *a, const struct store_pair *pair, struct error *e)
{
	char device_uuid[UUID_SIZE];
	struct error none;
	enum err err = store_device_find(a->provider->store, pair, device_uuid, &none);

	a->overtaken = err == ERR_NOT_FOUND;
	if (!err || a->overtaken)
		return ERR_OK;
	*e = none;
	return err;
}

/* Step 6, upload. */
static enum err upload(struct attempt *a, const struct credential_set *set, struct error *e)
{
	const struct store_pair pair = store_pair_of(a->event->device_uuid, a->event->user_uuid);
	enum err err = check_still_enrolled(a, &pair, e);

	if (err || a->overtaken)
		return err;
	return upload_set(a->provider, &pair, set, a->tries, &a->steps, &a->uploads, e);
}

static enum err deliver(struct attempt *a, bool known_device, struct error *e)
{
	struct credential_set set = {0};
	struct subject subject;
	enum err err = identify(a, known_device, &subject, e);

	if (err || a->overtaken)
		return err;
	err = credential_set_obtain(a->provider, a->event, &subject, &a->steps, &set, e);
	if (!err)
		err = list_certificates(&set, &a->result, e);
	if (!err)
		err = upload(a, &set, e);
	credential_set_fini(&set);
	return err;
}

enum err enroll_attempt(struct attempt *attempt, struct error *e)
{
	return deliver(attempt, false, e);
}

enum err enroll_known_device(struct attempt *attempt, struct error *e)
{
	return deliver(attempt, true, e);
}
