#ifndef PROVIDER_CREDENTIAL_SET_H
#define PROVIDER_CREDENTIAL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "provider/step_times.h"
#include "provider/subject_of_event.h"
#include "store/store.h"
#include "uem/event.h"

struct provider;

/* All credentials that one device of a user gets: an upload, unpacked. */
struct credential_set {
	struct credential current[USAGE_COUNT];
	bool present[USAGE_COUNT];
	struct credential *archived; /* newest first */
	size_t archived_count;
	size_t left_out; /* earlier ones beyond [certificates] archive-max */
	int64_t newest;	 /* what came later may not be in it */
};

void credential_set_fini(struct credential_set *set);

/*
 * Takes the current credentials of the event's device and user, and makes those that
 * are missing, have expired or are for another address; so, too, what the user's other enrolled
 * devices sign with, if that is for another address. Every process that asks for the same gets
 * the same: the store decides.
 */
enum err credential_set_obtain(struct provider *p, const struct event *event,
	const struct subject *subject, struct step_times *steps, struct credential_set *out,
	struct error *e) must_check;

/*
 * Collects the store's credentials of a device and its user: nothing is made, and a current
 * credential that has expired goes as archived. ERR_NOT_FOUND if none is current.
 */
enum err credential_set_stored(struct provider *p, const struct store_pair *pair,
	struct credential_set *out, struct error *e) must_check;

#endif
