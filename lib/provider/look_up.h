#ifndef PROVIDER_LOOK_UP_H
#define PROVIDER_LOOK_UP_H

#include "base/error.h"
#include "directory/directory.h"
#include "uem/event.h"

struct provider;

/* The directory of [identity] source = ldap, and who we are there. */
struct look_up;

/* Nothing is sent. *out is left as it is with another source. ERR_CONFIG. */
enum err look_up_open(
	const struct config *config, struct look_up **out, struct error *e) must_check;
void look_up_close(struct look_up *look_up);

/* Logs in and searches for nobody. Errors as directory_find(), but ERR_UNPROCESSABLE. */
enum err look_up_probe(
	const struct config *config, const struct look_up *look_up, struct error *e) must_check;

/*
 * The event's user as the directory knows them.
 *
 * ERR_UNPROCESSABLE: it has no such user, or several; or the event lacks a value for the filter.
 * ERR_UNAVAILABLE, ERR_BARRED: the directory could not say; the event stays pending.
 */
enum err look_up_user(struct provider *provider, const struct event *event,
	struct directory_user *out, struct error *e) must_check;

#endif
