#ifndef FCGI_ANSWER_H
#define FCGI_ANSWER_H

#include "fcgi/request.h"
#include "fcgi/service.h"

/*
 * Answers one request, and logs one line about it. The deadline for receiving must be
 * running; on return the one for sending is.
 */
void answer_request(struct service *service, const struct transport *transport);

/* Answers a request that cannot be served at all, with the reason why. */
void answer_refuse(const struct transport *transport, const struct error *reason);

#endif
