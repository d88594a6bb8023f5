#ifndef FCGI_ANSWER_H
#define FCGI_ANSWER_H

#include <stdint.h>

#include "config/config.h"
#include "fcgi/request.h"
#include "fcgi/service.h"

/*
 * Answers one request, and logs one line about it. The deadline for receiving the request must be
 * running; on return, the deadline for sending the answer is.
 */
void answer_request(struct service *service, const struct transport *transport);

/*
 * The time of clock_monotonic_ms() at which a request that is taken now hangs, if it is not
 * finished by then: for watchdog_enter().
 */
int64_t answer_latest_end(const struct config *config);

/* Answers a request that cannot be served at all, with the reason why. */
void answer_refuse(const struct transport *transport, const struct error *reason);

#endif
