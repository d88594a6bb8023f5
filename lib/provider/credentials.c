#include <stdlib.h>
#include <string.h>

#include "provider/internal.h"

/* How often another process may make the same credential before us until we give up. */
#define RACE_MAX 4

static struct credential_owner owner_of(
	const struct provider *p, const struct event *event, enum usage usage)
{
	bool of_device = usage == USAGE_SIGNING &&
			 p->config->certificates.signing_scope == SIGNING_SCOPE_DEVICE;

	return (struct credential_owner){
		.usage = usage,
		.user_uuid = event->user_uuid,
		.device_uuid = of_device ? event->device_uuid : "",
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

/* A new key pair and the CA's certificate for it. */
static enum err make(struct provider *p, const struct credential_owner *owner,
	const struct person *person, struct credential *out, struct error *e)
{
	struct credential made = {0};
	struct chain chain = {0};
	struct key *key = NULL;
	struct ca_order order = {
		.usage = owner->usage,
		.subject = &person->subject,
		.address = &person->address,
		.now = clock_now(),
	};
	enum err err = new_key(p, p->config->certificates.key[owner->usage], &key, e);

	order.key = key;
	if (!err)
		err = ca_issue(p->ca, &order, &chain, e);
	if (!err)
		err = describe(owner, person, &chain, &made, e);
	if (!err)
		err = key_export(key, &made.key, e);
	if (err)
		credential_fini(&made);
	else
		*out = made;
	chain_free(&chain);
	key_free(key);
	return err;
}

/* The owner's active credential, if it still serves. *replaces: the one that does not. */
static enum err find_usable(struct provider *p, const struct credential_owner *owner,
	const struct person *person, int64_t *replaces, struct credential *out, struct error *e)
{
	struct credential found = {0};
	enum err err = store_credential_current(p->store, owner, &found, e);

	*replaces = 0;
	if (err)
		return err;
	if (found.not_after > clock_now() && strcmp(found.mail, person->address.text) == 0) {
		*out = found;
		return ERR_OK;
	}
	*replaces = found.id;
	credential_fini(&found);
	return error_set(e, ERR_NOT_FOUND,
		"the active credential has expired or is for "
		"another address");
}

static enum err obtain(struct provider *p, const struct credential_owner *owner,
	const struct person *person, struct credential *out, const char **how, struct error *e)
{
	for (int i = 0; i < RACE_MAX; i++) {
		struct credential made = {0};
		int64_t replaces = 0;
		bool won = false;
		enum err err = find_usable(p, owner, person, &replaces, out, e);

		*how = "kept";
		if (err != ERR_NOT_FOUND)
			return err;
		err = make(p, owner, person, &made, e);
		if (!err)
			err = store_credential_add(p->store, &made, replaces, &won, e);
		if (!err && won) {
			*out = made;
			*how = replaces ? "replaced" : "made";
			return ERR_OK;
		}
		credential_fini(&made);
		if (err)
			return err;
	}
	return error_set(e, ERR_UNAVAILABLE,
		"the user's %s credential changes faster than it can be read",
		usage_names[owner->usage]);
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

enum err credential_set_obtain(struct provider *p, const struct event *event,
	const struct person *person, struct steps *steps, struct credential_set *out,
	struct error *e)
{
	struct credential_set set = {0};
	enum err err = ERR_OK;

	for (int usage = 0; !err && usage < USAGE_COUNT; usage++) {
		struct credential_owner owner = owner_of(p, event, (enum usage)usage);
		const char *how = NULL;

		if (!p->config->certificates.usages[usage])
			continue;
		err = obtain(p, &owner, person, &set.current[usage], &how, e);
		if (err)
			error_context(e, "%s certificate", usage_names[usage]);
		set.present[usage] = !err;
		steps_done(steps, usage_names[usage], err ? "failed" : how);
	}
	if (!err)
		err = store_credential_archived(p->store, event->user_uuid, event->device_uuid,
			p->config->certificates.archive_max, &set.archived, &set.archived_count, e);
	if (err)
		credential_set_fini(&set);
	else
		*out = set;
	return err;
}
