#ifndef PROVIDER_UNENROLL_H
#define PROVIDER_UNENROLL_H

#include <stdbool.h>

#include "base/error.h"
#include "uem/event.h"

struct attempt;
struct provider;

/* An unenrollment by an event, see event_act.h. */

/* It concerns us where the device has been enrolled, or is about to be. */
enum err unenroll_concerns_us(
	struct provider *p, struct event *event, bool *out, struct error *e) must_check;

/* The device gets nothing from now on, however long the rest takes. */
enum err unenroll_stop_delivery(struct attempt *a, struct error *e) must_check;

enum err unenroll_attempt(struct attempt *a, struct error *e) must_check;

#endif
