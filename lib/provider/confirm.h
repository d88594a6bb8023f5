#ifndef PROVIDER_CONFIRM_H
#define PROVIDER_CONFIRM_H

#include <stdbool.h>

#include "base/error.h"
#include "uem/event.h"
#include "uem/user.h"

/*
 * An event is a claim, and UEM knows whether it is true: which device is whose, and whether it is
 * enrolled. Without [uem], or with confirm = no, events are believed.
 */
struct provider;
struct confirmation;
struct uem_devices;

/* How the text of ERR_FORBIDDEN begins. */
#define NOT_CONFIRMED "not confirmed by UEM"

/* What the process has of UEM: its API, and users that it asked about of late. NULL: no [uem]. */
enum err confirmation_open(
	const struct config *config, struct confirmation **out, struct error *e) must_check;
void confirmation_close(struct confirmation *confirmation);

/* Returns true if UEM must confirm events: [uem] is there, with confirm. */
bool confirm_is_wanted(const struct provider *provider);

/*
 * Before anything but the event itself is written. An enrollment and a change of address: UEM has
 * the device as enrolled and as that user's, who enrolls no devices for others. An unenrollment:
 * UEM does not have the device as enrolled.
 *
 * ERR_FORBIDDEN: UEM says otherwise. ERR_UNAVAILABLE, ERR_BARRED: UEM could not say; the event
 * stays pending.
 */
enum err confirm_event(
	struct provider *provider, const struct event *event, struct error *e) must_check;

/*
 * The user as UEM knows them, borrowed until the next call; NULL without [uem]. fresh: UEM is asked
 * again. Errors as confirm_event().
 */
enum err confirm_user(struct provider *provider, const char *user_uuid, bool fresh,
	const struct uem_user **out, struct error *e) must_check;

/*
 * Before bulk work sends a user's keys to a device: as for an enrollment, unless UEM has confirmed
 * it within [uem] confirm-age. ERR_FORBIDDEN: the device is not that user's any more.
 */
struct store_pair;
enum err confirm_device(
	struct provider *provider, const struct store_pair *pair, struct error *e) must_check;

/*
 * Whether UEM has the device as enrolled, whatever [uem] confirm says. ERR_FORBIDDEN: it has.
 */
enum err confirm_unenrolled(
	struct provider *provider, const struct store_pair *pair, struct error *e) must_check;

/*
 * The next page of a list of UEM's devices. An account that may not list them may still be good for
 * events: unlike for those, that alone does not bar UEM.
 */
enum err confirm_list(
	struct provider *provider, struct uem_devices *devices, struct error *e) must_check;

#endif
