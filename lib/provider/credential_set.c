/* All credentials of an upload: obtained for an event, or collected from the store as they are. */

#include "provider/credential_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "provider/obtain_credential.h"
#include "provider/provider_parts.h"

/* One event handles so many of a user's other devices; the next event handles the rest. */
#define OTHERS_MAX 64

static const enum step step_of[USAGE_COUNT] = {
	[USAGE_SIGNING] = STEP_SIGNING,
	[USAGE_ENCRYPTION] = STEP_ENCRYPTION,
};

void credential_set_fini(struct credential_set *set)
{
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		credential_fini(&set->current[usage]);
	for (size_t i = 0; i < set->archived_count; i++)
		credential_fini(&set->archived[i]);
	free(set->archived);
	*set = (struct credential_set){0};
}

/* A CA has to decide. The other credentials are asked for first, so that it can decide on all. */
static enum err put_off(struct error *pending, const struct error *e)
{
	int wait = pending->retry_after;

	if (!pending->code)
		*pending = *e;
	else if (e->retry_after && (!wait || e->retry_after < wait))
		pending->retry_after = e->retry_after;
	return ERR_OK;
}

/* The result of a step that is not done. */
static const char *undone(enum err err)
{
	return err == ERR_PENDING ? "pending" : "failed";
}

static enum err obtain_other(struct provider *p, const char *device_uuid, const char *user_uuid,
	const struct subject *subject, struct error *e)
{
	const struct credential_owner owner =
		credential_owner_of(p, device_uuid, user_uuid, USAGE_SIGNING);
	struct credential other = {.id = 0};
	const char *how = NULL;
	enum err err = obtain_credential(p, &owner, subject, &other, &how, e);

	credential_fini(&other);
	return err ? error_context(e, "signing certificate of device %s", device_uuid) : ERR_OK;
}

/* A slow CA that is asked for many devices must not take longer than a web server waits. */
static enum err check_pace(const struct ca *ca, int64_t deadline, struct error *e)
{
	if (!ca_wants_request(ca) || clock_monotonic_ms() < deadline)
		return ERR_OK;
	return error_set(e, ERR_UNAVAILABLE,
		"the CA is too slow for all of the user's devices at once; the rest follows");
}

/*
 * Makes signing certificates for the user's present address for the other devices, too, so that
 * certprov deliver need only upload them.
 */
static enum err obtain_others(struct provider *p, const char *user_uuid,
	const struct subject *subject, struct step_times *steps, struct error *e)
{
	bool own = p->config->certificates.usages[USAGE_SIGNING] &&
		   p->config->certificates.signing_scope == SIGNING_SCOPE_DEVICE;
	const char *mail = subject->address.text;
	char at[UUID_SIZE] = "";
	struct error end, pending = {.code = ERR_OK};
	enum err err = ERR_OK, more = ERR_OK;
	struct ca *ca = p->ca[USAGE_SIGNING];
	int64_t deadline = ca_deadline(ca);
	int count = 0;

	while (own && !err && !more && count < OTHERS_MAX) {
		more = store_device_outdated(p->store, user_uuid, mail, at, &end);
		if (!more)
			err = count ? check_pace(ca, deadline, e) : ERR_OK;
		if (!more && !err)
			err = obtain_other(p, at, user_uuid, subject, e);
		if (err == ERR_PENDING)
			err = put_off(&pending, e);
		count += !more;
	}
	if (more && more != ERR_NOT_FOUND) {
		*e = end;
		err = more;
	}
	if (!err && pending.code) {
		*e = pending;
		err = pending.code;
	}
	if (err || count > 0)
		step_times_done(steps, STEP_OTHERS, err ? undone(err) : "replaced");
	return err;
}

static enum err add_archived(struct provider *p, const char *device_uuid, const char *user_uuid,
	struct credential_set *set, struct error *e)
{
	const struct store_earlier earlier = {
		.user_uuid = user_uuid,
		.device_uuid = device_uuid,
		.encrypts = p->config->certificates.usages[USAGE_ENCRYPTION],
		.max = p->config->certificates.archive_max,
	};

	return store_credential_archived(
		p->store, &earlier, &set->archived, &set->archived_count, &set->left_out, e);
}

static enum err obtain_current(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, struct step_times *steps, struct credential_set *set,
	struct error *e)
{
	struct credential *current = &set->current[owner->usage];
	const char *how = NULL;
	enum err err = obtain_credential(p, owner, subject, current, &how, e);

	step_times_done(steps, step_of[owner->usage], err ? undone(err) : how);
	if (err)
		return error_context(e, "%s certificate", usage_names[owner->usage]);
	set->present[owner->usage] = true;
	if (current->id > set->newest)
		set->newest = current->id;
	return ERR_OK;
}

enum err credential_set_obtain(struct provider *p, const struct event *event,
	const struct subject *subject, struct step_times *steps, struct credential_set *out,
	struct error *e)
{
	struct credential_set set = {0};
	struct error pending = {.code = ERR_OK};
	enum err err = store_credential_newest(
		p->store, event->user_uuid, event->device_uuid, &set.newest, e);

	for (int usage = 0; !err && usage < USAGE_COUNT; usage++) {
		struct credential_owner owner = credential_owner_of(
			p, event->device_uuid, event->user_uuid, (enum usage)usage);

		if (!p->config->certificates.usages[usage])
			continue;
		err = obtain_current(p, &owner, subject, steps, &set, e);
		if (err == ERR_PENDING)
			err = put_off(&pending, e);
	}
	if (!err)
		err = obtain_others(p, event->user_uuid, subject, steps, e);
	if (err == ERR_PENDING)
		err = put_off(&pending, e);
	if (!err && pending.code) {
		*e = pending;
		err = pending.code;
	}
	if (!err)
		err = add_archived(p, event->device_uuid, event->user_uuid, &set, e);
	if (err)
		credential_set_fini(&set);
	else
		*out = set;
	return err;
}

/* --- from the store, as they are */

/* The device has it, so it must not lose the key: it comes before the earlier ones. */
static enum err archive_expired(
	struct credential_set *set, struct credential *expired, struct error *e)
{
	struct credential *more =
		reallocarray(set->archived, set->archived_count + 1, sizeof(*set->archived));

	if (!more)
		return error_memory(e);
	memmove(more + 1, more, set->archived_count * sizeof(*more));
	more[0] = *expired;
	*expired = (struct credential){.id = 0};
	set->archived = more;
	set->archived_count++;
	return ERR_OK;
}

static enum err take_stored(struct provider *p, const struct credential_owner *owner,
	struct credential_set *set, struct error *e)
{
	struct credential found = {0};
	enum err err = store_credential_current(p->store, owner, &found, e);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (found.not_after > clock_now()) {
		set->current[owner->usage] = found;
		set->present[owner->usage] = true;
		return ERR_OK;
	}
	err = archive_expired(set, &found, e);
	credential_fini(&found);
	return err;
}

enum err credential_set_stored(struct provider *p, const struct store_pair *pair,
	struct credential_set *out, struct error *e)
{
	struct credential_set set = {0};
	bool any = false;
	enum err err = store_credential_newest(
		p->store, pair->user_uuid, pair->device_uuid, &set.newest, e);

	if (!err)
		err = add_archived(p, pair->device_uuid, pair->user_uuid, &set, e);
	for (int usage = 0; !err && usage < USAGE_COUNT; usage++) {
		struct credential_owner owner = credential_owner_of(
			p, pair->device_uuid, pair->user_uuid, (enum usage)usage);

		if (!p->config->certificates.usages[usage])
			continue;
		err = take_stored(p, &owner, &set, e);
		any = any || set.present[usage];
	}
	if (!err && !any)
		err = error_set(e, ERR_NOT_FOUND,
			"there is no current certificate for it; its enrollment was never finished "
			"(certprov deliver --now), or all have expired or were revoked");
	if (err)
		credential_set_fini(&set);
	else
		*out = set;
	return err;
}
