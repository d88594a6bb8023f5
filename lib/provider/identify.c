/*
 * Identifies whom an event's certificates are for: subject_of_event.c works it out from the event,
 * and the store knows the user's earlier address and which addresses other users have.
 */

#include "provider/identify.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "provider/confirm.h"
#include "provider/look_up.h"
#include "provider/provider_parts.h"
#include "uem/user.h"

/*
 * The same mailbox keeps the spelling that it was first given. An event that is older than the one
 * that the user's address is from does not bring an earlier address back; an event without an
 * address does not make the address newer.
 */
static enum err keep_known(struct provider *p, const struct event *event, const char *mail,
	int64_t since, struct subject *subject, struct error *e)
{
	bool same = text_equal_nocase(subject->address.text, mail), known = subject->known;
	enum err err;

	if (!same && subject->time >= since)
		return ERR_OK;
	if (!same)
		log_info("the event is older than the one that gave user %s the address %s: that "
			 "address stays",
			event->user_uuid, mail);
	err = subject_with_address(p->config, event, mail, subject, e);
	if (!err && (!same || known))
		subject->time = since;
	return err;
}

/* Without case, as mailboxes are compared. */
static bool is_other(const char *sent, const struct uem_user *user)
{
	return *sent && !text_equal_nocase(sent, user->field[UEM_EMAIL_ADDRESS]);
}

/* A damaged address is not replaced but refused. */
static bool lacks_address(const struct event *event, const struct uem_user *user)
{
	return !*event->field[EVENT_ENROLLMENT_EMAIL_ADDRESS] &&
	       event->damage[EVENT_ENROLLMENT_EMAIL_ADDRESS] == EVENT_WHOLE &&
	       *user->field[UEM_EMAIL_ADDRESS];
}

static void replace(struct event *event, enum event_field field, char *text)
{
	event->field[field] = text;
	event->damage[field] = EVENT_WHOLE;
}

/*
 * An event as UEM confirms it: the user's name is UEM's, even an empty one, so that nobody gets a
 * certificate by sending another one. So is the address, by [identity] source or where the event
 * has none: an address that is made of a name may be another user's. An address that UEM does not
 * have for the user is refused; UEM may have told of it some minutes ago, and is asked again.
 */
static enum err as_uem_says(struct provider *p, struct event *event, bool claims, struct error *e)
{
	const char *sent = event->field[EVENT_ENROLLMENT_EMAIL_ADDRESS];
	bool ours = p->config->identity.source == IDENTITY_UEM;
	const struct uem_user *user = NULL;
	enum err err = confirm_user(p, event->user_uuid, false, &user, e);

	if (!err && user && is_other(sent, user))
		err = confirm_user(p, event->user_uuid, true, &user, e);
	if (err || !user)
		return err;
	if (p->config->uem.confirm && claims && !ours && is_other(sent, user))
		return error_field(e, ERR_FORBIDDEN,
			event_field_name(EVENT_ENROLLMENT_EMAIL_ADDRESS),
			NOT_CONFIRMED ": the address of user %s is %s, not %s", event->user_uuid,
			user->field[UEM_EMAIL_ADDRESS], sent);
	if (ours || lacks_address(event, user)) {
		event->time = clock_now();
		replace(event, EVENT_ENROLLMENT_EMAIL_ADDRESS, user->field[UEM_EMAIL_ADDRESS]);
	}
	replace(event, EVENT_ENROLLMENT_USER_NAME, user->field[UEM_USER_NAME]);
	event->uem = user;
	return ERR_OK;
}

/* An event with the address and the name that the directory has: out keeps them. */
static enum err as_directory_says(
	struct provider *p, struct event *event, struct directory_user *out, struct error *e)
{
	enum err err = p->look_up ? look_up_user(p, event, out, e) : ERR_OK;

	if (err || !p->look_up)
		return err;
	event->time = clock_now();
	event->name = out->name;
	replace(event, EVENT_ENROLLMENT_EMAIL_ADDRESS, out->mail);
	return ERR_OK;
}

enum err identify_subject(struct provider *p, const struct event *event, bool claims,
	struct subject *out, struct error *e)
{
	struct event confirmed = *event; /* borrows all texts */
	struct directory_user user;	 /* has those of the directory */
	struct subject subject;
	struct error none;
	char *mail = NULL;
	int64_t since = 0;
	enum err err = store_user_address(p->store, event->user_uuid, &mail, &since, &none);

	if (err && err != ERR_NOT_FOUND) {
		*e = none;
		return err;
	}
	err = as_uem_says(p, &confirmed, claims, e);
	if (!err)
		err = as_directory_says(p, &confirmed, &user, e);
	if (!err)
		err = subject_of_event(p->config, &confirmed, mail, &subject, e);
	if (!err && mail)
		err = keep_known(p, &confirmed, mail, since, &subject, e);
	free(mail);
	if (!err)
		*out = subject;
	return err;
}

/* --- one address, one user */

/* For the audit trail, /metrics and the status page: the event may be refused, or go on. */
static enum err write_down(struct provider *p, const struct store_claimant *claimant,
	const char *mail, const char *other, struct error *e)
{
	struct buf detail = BUF_INIT(1024);
	struct store_audit entry = {
		.action = AUDIT_CONFLICT,
		.device_uuid = claimant->device_uuid,
		.user_uuid = claimant->user_uuid,
	};
	enum err err;

	buf_printf(&detail, "%s is the address of user %s", mail, other);
	err = buf_check(&detail, e);
	entry.detail = detail.data;
	if (!err)
		err = store_audit_add(p->store, &entry, e);
	buf_free(&detail);
	return err;
}

enum err check_address_is_free(struct provider *p, const struct store_claimant *claimant,
	const struct subject *subject, struct error *e)
{
	const char *mail = subject->address.text;
	bool refuse = p->config->identity.address_conflict == ADDRESS_CONFLICT_REFUSE;
	char *other = NULL;
	enum err err = store_address_conflict(p->store, claimant, mail, &other, e);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	log_warning("user %s: " STORE_ADDRESS_CONFLICT, claimant->user_uuid, mail, other);
	err = write_down(p, claimant, mail, other, e);
	if (!err && refuse)
		err = error_field(e, ERR_UNPROCESSABLE,
			event_field_name(EVENT_ENROLLMENT_EMAIL_ADDRESS), STORE_ADDRESS_CONFLICT,
			mail, other);
	free(other);
	return err;
}
