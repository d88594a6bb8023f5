#ifndef PROVIDER_LOOK_UP_H
#define PROVIDER_LOOK_UP_H

#include "base/error.h"
#include "directory/directory.h"
#include "uem/event.h"

struct provider;

/* The directory of [identity] source = ldap; NULL: another source. ERR_CONFIG. */
enum err look_up_open(
	const struct config *config, struct directory **out, struct error *e) must_check;

/* The filter of [ldap] for the user of an event, each value in it taken literally. */
enum err look_up_filter(const struct config *config, const struct event *event, struct buf *out,
	struct error *e) must_check;

/*
 * The event's user as the directory knows them.
 *
 * ERR_UNPROCESSABLE: it has no such user, or several; or the event lacks a value for the filter.
 * ERR_UNAVAILABLE, ERR_BARRED: the directory could not say; the event stays pending.
 */
enum err look_up_user(struct provider *provider, const struct event *event,
	struct directory_user *out, struct error *e) must_check;

#endif
