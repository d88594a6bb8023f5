#ifndef PROVIDER_IDENTIFY_H
#define PROVIDER_IDENTIFY_H

#include "base/error.h"
#include "provider/subject_of_event.h"
#include "store/store.h"
#include "uem/event.h"

struct provider;

/*
 * Works out whom an event's certificates are for, as subject_of_event(). Where the event has no
 * address, a known user keeps the one in the store; so does a user whose address is from a later
 * event, and an address that differs in case alone. With [uem] the name is what UEM has, and so is
 * the address with source = uem, or where the event has none; with source = ldap both are what the
 * directory has; claims: the event asks for an address now, and ERR_FORBIDDEN if it claims another.
 */
enum err identify_subject(struct provider *p, const struct event *event, bool claims,
	struct subject *out, struct error *e) must_check;

/*
 * By [identity] address-conflict: ERR_UNPROCESSABLE where another user has an active certificate
 * for the subject's address and another enrolled device, or a warning. Both are written down.
 */
enum err check_address_is_free(struct provider *p, const struct store_claimant *claimant,
	const struct subject *subject, struct error *e) must_check;

#endif
