#ifndef PROVIDER_SUBJECT_OF_EVENT_H
#define PROVIDER_SUBJECT_OF_EVENT_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "pki/address.h"
#include "pki/name.h"
#include "uem/event.h"

/* Whom an event's certificates are for: their name and address. */
struct subject {
	struct address address;
	struct name name;
	int64_t time; /* when UEM said so */
	bool known;   /* the address is the known one, as the event has none */
};

/* Checks the templates of [identity]: ERR_CONFIG with FILE:LINE. */
enum err subject_check_config(const struct config *config, struct error *e) must_check;

/* Returns true if [identity] allowed-domains has it, in lower case. */
bool subject_domain_allowed(const struct config *config, const char *domain);

/*
 * Works out the subject of an event: the address that the first template of mail gives; else the
 * known one, unless that is NULL; else that of a later template. Its domain must be allowed. Then
 * the name and the certificate's subject. The event's values are taken literally or refused:
 * ERR_UNPROCESSABLE.
 */
enum err subject_of_event(const struct config *config, const struct event *event, const char *known,
	struct subject *out, struct error *e) must_check;

/* The same with an address that is known from elsewhere. */
enum err subject_with_address(const struct config *config, const struct event *event,
	const char *mail, struct subject *out, struct error *e) must_check;

#endif
