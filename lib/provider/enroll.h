#ifndef PROVIDER_ENROLL_H
#define PROVIDER_ENROLL_H

#include "base/error.h"

struct attempt;

/* The steps of an enrollment behind its record: identity, credentials, upload. */
enum err enroll_attempt(struct attempt *attempt, struct error *e) must_check;

/* The same of a device that its user has enrolled before: nothing is written of device or user. */
enum err enroll_known_device(struct attempt *attempt, struct error *e) must_check;

#endif
