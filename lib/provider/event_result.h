#ifndef PROVIDER_EVENT_RESULT_H
#define PROVIDER_EVENT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "pki/certificate.h"

/* The result of an event, for the answer to it. */

enum event_result_kind {
	RESULT_DELIVERED, /* the gateways have accepted the credentials */
	RESULT_RECORDED,  /* an unenrollment is done, or has overtaken this event */
	RESULT_IGNORED,	  /* asks nothing of us */
};

struct event_result_certificate {
	const char *usage; /* "signing", "encryption", "archived" */
	char serial[SERIAL_HEX_SIZE];
	int64_t not_after;
};

struct event_result {
	bool recorded; /* the store has the event: the one member that is set on failure, too */
	enum event_result_kind kind;
	char *event_type; /* as the event has it, or its EventId */
	char device_uuid[UUID_SIZE];
	char user_uuid[UUID_SIZE];
	size_t certificate_count;
	struct event_result_certificate *certificate;
};

void event_result_fini(struct event_result *result);

/*
 * The body of the answer: {"status":"delivered","device_uuid":…,"user_uuid":…,
 * "certificates":[{"usage":…,"serial":…,"not_after":…}]}, and likewise for the others.
 */
void event_result_json(const struct event_result *result, struct buf *out);

#endif
