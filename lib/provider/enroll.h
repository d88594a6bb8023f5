#ifndef PROVIDER_ENROLL_H
#define PROVIDER_ENROLL_H

#include "base/error.h"

struct attempt;

/* The steps of an enrollment after it was recorded: identity, credentials, upload. */
enum err enroll_attempt(struct attempt *attempt, struct error *e) must_check;

/* The same for a device that its user has enrolled before: neither's row is written. */
enum err enroll_known_device(struct attempt *attempt, struct error *e) must_check;

#endif
