#ifndef PROVIDER_RUN_ATTEMPT_H
#define PROVIDER_RUN_ATTEMPT_H

#include "base/error.h"
#include "provider/attempt.h"

/*
 * Does what a recorded event asks, stores the outcome and the time when it is due again, and logs
 * it. Steps that were done before are not repeated.
 */
enum err run_attempt(struct attempt *a, struct error *e) must_check;

/* Leaves a recorded event to certprov deliver, as no slot is free. Always an error. */
enum err put_off_attempt(struct attempt *a, struct error *e) must_check;

#endif
