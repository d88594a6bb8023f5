/*
 * Obtains one credential for its owner: the current one if it can be used, else an earlier one for
 * the same address, else a new one (issue_credential.c).
 */

#include "provider/obtain_credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "provider/issue_credential.h"
#include "provider/provider_parts.h"

/*
 * We give up after another process has made the same credential before us so many times.
 */
#define RACE_MAX 4

/* The time that a CA's clock may be ahead of ours. */
#define CA_SKEW_SECONDS 300

#define WHY_MAX 1024

struct credential_owner credential_owner_of(
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

/* A credential that was made while our clock was ahead is not valid yet. */
static bool is_in_force(const struct credential *c)
{
	int64_t now = clock_now();

	return c->not_before <= now + CA_SKEW_SECONDS && now < c->not_after;
}

/* "another address than alice@example.com, replaces 4a…"; reason: if the address is the same. */
static enum err explain(const struct credential *old, const struct subject *subject,
	const char *reason, struct buf *why, struct error *e)
{
	if (!text_equal_nocase(old->mail, subject->address.text))
		buf_printf(why, "another address than %s, ", old->mail);
	else
		buf_printf(why, "%s, ", reason);
	buf_printf(why, "replaces %s", old->serial);
	return buf_check(why, e);
}

/* The owner's active credential if it can be used; else *replaces is the one that cannot. */
static enum err find_usable(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, int64_t *replaces, struct buf *why, struct credential *out,
	struct error *e)
{
	struct credential found = {0};
	enum err err = store_credential_current(p->store, owner, &found, e);

	*replaces = 0;
	if (err)
		return err;
	if (is_in_force(&found) && text_equal_nocase(found.mail, subject->address.text)) {
		*out = found;
		return ERR_OK;
	}
	*replaces = found.id;
	err = explain(&found, subject, "the earlier one is not valid now", why, e);
	credential_fini(&found);
	return err ? err : error_set(e, ERR_NOT_FOUND, "%s", why->data);
}

/* If the user had this address before, its credential is used again, unless it ends soon. */
static enum err take_up_earlier(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, const struct store_place *place, bool *done, struct error *e)
{
	struct store_place returned = *place;
	const struct store_return wanted = {
		.mail = subject->address.text,
		.not_after = clock_now() + p->config->certificates.renew_within,
		.place = &returned,
	};

	returned.action = AUDIT_RETURNED;
	return store_credential_reactivate(p->store, owner, &wanted, done, e);
}

/* Replaces the one that cannot be used, if any. *won is false if another process was quicker. */
static enum err replace(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, const struct store_place *place, bool *won,
	struct credential *out, const char **how, struct error *e)
{
	bool again = false;
	enum err err = take_up_earlier(p, owner, subject, place, &again, e);

	*how = again ? "returned" : place->replaces ? "replaced" : "made";
	if (err)
		return err;
	if (!again)
		return issue_credential(p, owner, subject, place, won, out, e);
	err = store_credential_current(p->store, owner, out, e);
	*won = !err;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err obtain_credential(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, struct credential *out, const char **how, struct error *e)
{
	const struct store_claimant claimant = {owner->user_uuid, owner->device_uuid, true};
	bool refuse = p->config->identity.address_conflict == ADDRESS_CONFLICT_REFUSE;

	for (int i = 0; i < RACE_MAX; i++) {
		struct buf why = BUF_INIT(WHY_MAX);
		struct store_place place = {
			.action = AUDIT_ISSUED,
			.address_time = subject->time,
			.claimant = refuse ? &claimant : NULL,
		};
		bool won = true;
		enum err err = find_usable(p, owner, subject, &place.replaces, &why, out, e);

		*how = "kept";
		place.why = why.data;
		if (err == ERR_NOT_FOUND) {
			won = false;
			err = replace(p, owner, subject, &place, &won, out, how, e);
		}
		buf_free(&why);
		if (err || won)
			return err;
	}
	return error_set(e, ERR_UNAVAILABLE,
		"the user's %s credential changes faster than it can be read",
		usage_names[owner->usage]);
}

enum err renew_credential(struct provider *p, const struct credential *old,
	const struct subject *subject, struct error *e)
{
	const struct credential_owner owner = {old->usage, old->user_uuid, old->device_uuid};
	struct store_place place = {
		.replaces = old->id, .action = AUDIT_RENEWED, .address_time = subject->time};
	struct buf why = BUF_INIT(WHY_MAX);
	struct credential made = {0};
	bool won = false;
	enum err err = explain(old, subject, "renewal", &why, e);

	place.why = why.data;
	if (!err)
		err = issue_credential(p, &owner, subject, &place, &won, &made, e);
	if (err)
		error_context(
			e, "renewal of %s certificate %s", usage_names[old->usage], old->serial);
	credential_fini(&made);
	buf_free(&why);
	return err;
}
