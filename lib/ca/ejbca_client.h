#ifndef CA_EJBCA_CLIENT_H
#define CA_EJBCA_CLIENT_H

#include "ca/known_cas.h"
#include "ca/remote.h"

/* Private to the kind ejbca: what is asked of EJBCA's REST API, v1. */

struct ejbca {
	struct remote remote; /* first: see remote_identity() */
	const char *base;     /* stands before /v1; "": url has it */
	struct known_cas cas; /* of ca-name and above */
};

#define EJBCA_PATH_MAX 4096
#define EJBCA_BODY_MAX (64 * 1024)

struct ejbca_request {
	const char *method;
	const struct buf *path; /* "/v1/…" */
	const struct buf *body; /* JSON; NULL: none */
	int64_t deadline;
};

/* Any status is success; errors as remote_send(). */
enum err ejbca_ask(struct ejbca *ejbca, const struct ejbca_request *request,
	struct http_answer *out, struct error *e) must_check;

/* See remote_refusal(); with EJBCA's error_message. */
enum err ejbca_refusal(
	const struct ejbca *ejbca, const struct http_answer *answer, struct error *e);

/* The subject of the CA named ca-name, in EJBCA's own form. ERR_BARRED if it does not show it. */
enum err ejbca_subject(
	struct ejbca *ejbca, int64_t deadline, struct buf *out, struct error *e) must_check;

/* The certificates of that CA and of those above it; self is a struct ejbca. */
enum err ejbca_fetch_cas(
	void *self, int64_t deadline, struct certificates *out, struct error *e) must_check;

#endif
