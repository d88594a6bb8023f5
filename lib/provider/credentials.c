#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pki/request.h"
#include "provider/internal.h"

/* How often another process may make the same credential before us until we give up. */
#define RACE_MAX 4

/* How far a CA's clock may be ahead of ours. */
#define CA_SKEW_SECONDS 300

#define WHY_MAX 1024

/* How many of a user's other devices one event sees to; who has more, at his next one. */
#define OTHERS_MAX 64

static const enum step step_of[USAGE_COUNT] = {
	[USAGE_SIGNING] = STEP_SIGNING,
	[USAGE_ENCRYPTION] = STEP_ENCRYPTION,
};

/* --- whose */

/*
 * Events may come late, or again: one that is older than the one that the user's address is from
 * does not bring an earlier address back.
 */
static enum err keep_newer_address(
	struct provider *p, const struct event *event, struct person *person, struct error *e)
{
	struct error none;
	char *mail = NULL;
	int64_t since = 0;
	enum err err = store_user_address(p->store, event->user_uuid, &mail, &since, &none);

	if (err && err != ERR_NOT_FOUND)
		*e = none;
	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (person->time && person->time < since && strcmp(person->address.text, mail) != 0) {
		log_info("an event of user %s is older than the one that his address is from: "
			 "that address stays",
			event->user_uuid);
		err = person_with_address(p->config, event, mail, person, e);
	}
	free(mail);
	return err;
}

enum err person_now(
	struct provider *p, const struct event *event, struct person *out, struct error *e)
{
	struct person person;
	enum err err = person_of_event(p->config, event, &person, e);

	if (!err)
		err = keep_newer_address(p, event, &person, e);
	if (!err)
		*out = person;
	return err;
}

static struct credential_owner owner_of(
	const struct provider *p, const char *device_uuid, const char *user_uuid, enum usage usage)
{
	bool of_device = usage == USAGE_SIGNING &&
			 p->config->certificates.signing_scope == SIGNING_SCOPE_DEVICE;

	return (struct credential_owner){
		.usage = usage,
		.user_uuid = user_uuid,
		.device_uuid = of_device ? device_uuid : "",
	};
}

/* What the certificate that the CA issued says, and whose it is, as the store keeps it. */
static enum err describe(const struct credential_owner *owner, const struct person *person,
	const struct chain *chain, struct credential *c, struct error *e)
{
	struct certificate_info info;
	enum err err = certificate_info(&chain->certificate[0], &info, e);

	if (err)
		return err;
	c->usage = owner->usage;
	c->state = CREDENTIAL_ACTIVE;
	memcpy(c->user_uuid, owner->user_uuid, strlen(owner->user_uuid) + 1);
	memcpy(c->device_uuid, owner->device_uuid, strlen(owner->device_uuid) + 1);
	c->mail = strdup(person->address.text);
	c->serial = strdup(info.serial);
	c->subject = strdup(info.subject);
	c->issuer = strdup(info.issuer);
	c->not_before = info.not_before;
	c->not_after = info.not_after;
	if (!c->mail || !c->serial || !c->subject || !c->issuer)
		return error_memory(e);
	return chain_join(chain, &c->chain, e);
}

/* A new key pair, made ahead if there is one. */
static enum err new_key(struct provider *p, enum key_type type, struct key **out, struct error *e)
{
	enum err err = p->pool ? key_pool_take(p->pool, type, out, e) : ERR_NOT_FOUND;

	return err ? key_generate(type, out, e) : ERR_OK;
}

static enum err issue(struct ca *ca, struct meter *meter, const struct ca_order *order,
	struct chain *out, struct error *e)
{
	struct ca_answer answer = {.handle = ""};
	enum err err = ca_issue(ca, order, &answer, e);

	meter_issued(meter, ca_config(ca)->type, err);
	if (!err)
		*out = answer.chain;
	return err;
}

/* A new key pair and the CA's certificate for it. */
static enum err make(struct provider *p, const struct credential_owner *owner,
	const struct person *person, struct credential *out, struct error *e)
{
	struct ca *ca = p->ca[owner->usage];
	struct blob request = {NULL, 0};
	struct credential made = {0};
	struct chain chain = {0};
	struct key *key = NULL;
	struct ca_order order = {
		.usage = owner->usage,
		.subject = &person->subject,
		.address = &person->address,
		.user_uuid = owner->user_uuid,
		.device_uuid = owner->device_uuid,
		.request = &request,
		.handle = "",
		.now = clock_now(),
		.deadline = ca_deadline(ca),
	};
	enum err err = new_key(p, p->config->certificates.key[owner->usage], &key, e);

	order.key = key;
	if (!err && ca_wants_request(ca))
		err = request_make(
			key, owner->usage, &person->subject, &person->address, &request, e);
	if (!err)
		err = issue(ca, p->meter, &order, &chain, e);
	if (!err)
		err = describe(owner, person, &chain, &made, e);
	if (!err)
		err = key_export(key, &made.key, e);
	if (err)
		credential_fini(&made);
	else
		*out = made;
	chain_free(&chain);
	blob_free(&request);
	key_free(key);
	return err;
}

/* One that was made while our clock was ahead would be of no use for as long. */
static bool is_in_force(const struct credential *c)
{
	int64_t now = clock_now();

	return c->not_before <= now + CA_SKEW_SECONDS && now < c->not_after;
}

/* "another address than alice@example.com, replaces 4a…"; reason: if the address is the same. */
static enum err explain(const struct credential *old, const struct person *person,
	const char *reason, struct buf *why, struct error *e)
{
	if (strcmp(old->mail, person->address.text) != 0)
		buf_printf(why, "another address than %s, ", old->mail);
	else
		buf_printf(why, "%s, ", reason);
	buf_printf(why, "replaces %s", old->serial);
	return buf_check(why, e);
}

/* The owner's active credential, if it still serves; else *replaces is the one that does not. */
static enum err find_usable(struct provider *p, const struct credential_owner *owner,
	const struct person *person, int64_t *replaces, struct buf *why, struct credential *out,
	struct error *e)
{
	struct credential found = {0};
	enum err err = store_credential_current(p->store, owner, &found, e);

	*replaces = 0;
	if (err)
		return err;
	if (is_in_force(&found) && strcmp(found.mail, person->address.text) == 0) {
		*out = found;
		return ERR_OK;
	}
	*replaces = found.id;
	err = explain(&found, person, "the earlier one is not valid now", why, e);
	credential_fini(&found);
	return err ? err : error_set(e, ERR_NOT_FOUND, "%s", why->data);
}

/* *won: false where somebody else has made one meanwhile; *out is then left alone. */
static enum err make_and_add(struct provider *p, const struct credential_owner *owner,
	const struct person *person, const struct store_place *place, bool *won,
	struct credential *out, struct error *e)
{
	struct credential made = {0};
	enum err err = make(p, owner, person, &made, e);

	if (!err)
		err = store_credential_add(p->store, &made, place, won, e);
	if (!err && *won)
		*out = made;
	else
		credential_fini(&made);
	return err;
}

static enum err obtain(struct provider *p, const struct credential_owner *owner,
	const struct person *person, struct credential *out, const char **how, struct error *e)
{
	for (int i = 0; i < RACE_MAX; i++) {
		struct buf why = BUF_INIT(WHY_MAX);
		struct store_place place = {.action = AUDIT_ISSUED, .address_time = person->time};
		bool won = false;
		enum err err = find_usable(p, owner, person, &place.replaces, &why, out, e);

		*how = "kept";
		place.why = why.data;
		if (err == ERR_NOT_FOUND) {
			err = make_and_add(p, owner, person, &place, &won, out, e);
			*how = place.replaces ? "replaced" : "made";
		} else {
			won = true;
		}
		buf_free(&why);
		if (err || won)
			return err;
	}
	return error_set(e, ERR_UNAVAILABLE,
		"the user's %s credential changes faster than it can be read",
		usage_names[owner->usage]);
}

enum err credential_renew(struct provider *p, const struct credential *old,
	const struct person *person, struct error *e)
{
	const struct credential_owner owner = {old->usage, old->user_uuid, old->device_uuid};
	struct store_place place = {
		.replaces = old->id, .action = AUDIT_RENEWED, .address_time = person->time};
	struct buf why = BUF_INIT(WHY_MAX);
	struct credential made = {0};
	bool won = false;
	enum err err = explain(old, person, "renewal", &why, e);

	place.why = why.data;
	if (!err)
		err = make_and_add(p, &owner, person, &place, &won, &made, e);
	if (err)
		error_context(
			e, "renewal of %s certificate %s", usage_names[old->usage], old->serial);
	credential_fini(&made);
	buf_free(&why);
	return err;
}

void credential_set_fini(struct credential_set *set)
{
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		credential_fini(&set->current[usage]);
	for (size_t i = 0; i < set->archived_count; i++)
		credential_fini(&set->archived[i]);
	free(set->archived);
	*set = (struct credential_set){0};
}

static enum err obtain_other(struct provider *p, const char *device_uuid, const char *user_uuid,
	const struct person *person, struct error *e)
{
	const struct credential_owner owner = owner_of(p, device_uuid, user_uuid, USAGE_SIGNING);
	struct credential other = {.id = 0};
	const char *how = NULL;
	enum err err = obtain(p, &owner, person, &other, &how, e);

	credential_fini(&other);
	return err ? error_context(e, "signing certificate of device %s", device_uuid) : ERR_OK;
}

/*
 * What the user's other devices sign with is for his present address, too: with the certificates
 * in the store, certprov deliver need only upload them.
 */
static enum err obtain_others(struct provider *p, const char *user_uuid,
	const struct person *person, struct steps *steps, struct error *e)
{
	bool own = p->config->certificates.usages[USAGE_SIGNING] &&
		   p->config->certificates.signing_scope == SIGNING_SCOPE_DEVICE;
	const char *mail = person->address.text;
	char at[UUID_SIZE] = "";
	struct error end;
	enum err err = ERR_OK, more = ERR_OK;
	int count = 0;

	while (own && !err && !more && count < OTHERS_MAX) {
		more = store_device_outdated(p->store, user_uuid, mail, at, &end);
		if (!more)
			err = obtain_other(p, at, user_uuid, person, e);
		count += !more;
	}
	if (more && more != ERR_NOT_FOUND) {
		*e = end;
		err = more;
	}
	if (err || count > 0)
		steps_done(steps, STEP_OTHERS, err ? "failed" : "replaced");
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

enum err credential_set_obtain(struct provider *p, const struct event *event,
	const struct person *person, struct steps *steps, struct credential_set *out,
	struct error *e)
{
	struct credential_set set = {0};
	enum err err = store_credential_newest(
		p->store, event->user_uuid, event->device_uuid, &set.newest, e);

	for (int usage = 0; !err && usage < USAGE_COUNT; usage++) {
		struct credential_owner owner =
			owner_of(p, event->device_uuid, event->user_uuid, (enum usage)usage);
		const char *how = NULL;

		if (!p->config->certificates.usages[usage])
			continue;
		err = obtain(p, &owner, person, &set.current[usage], &how, e);
		if (err)
			error_context(e, "%s certificate", usage_names[usage]);
		set.present[usage] = !err;
		if (set.current[usage].id > set.newest)
			set.newest = set.current[usage].id;
		steps_done(steps, step_of[usage], err ? "failed" : how);
	}
	if (!err)
		err = obtain_others(p, event->user_uuid, person, steps, e);
	if (!err)
		err = add_archived(p, event->device_uuid, event->user_uuid, &set, e);
	if (err)
		credential_set_fini(&set);
	else
		*out = set;
	return err;
}

/* --- again */

/* The device has it, so its key must not get lost: it goes along, before the earlier ones. */
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
		struct credential_owner owner =
			owner_of(p, pair->device_uuid, pair->user_uuid, (enum usage)usage);

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
