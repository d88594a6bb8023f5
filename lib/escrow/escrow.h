#ifndef ESCROW_ESCROW_H
#define ESCROW_ESCROW_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"

/*
 * The Credential Escrow Gateways of a configuration. An upload replaces the earlier one for that
 * user and device, so a repeat is harmless.
 */
struct escrow;

/* Opens our client identity and CA file: ERR_CONFIG. Connects to nobody yet. */
enum err escrow_open(const struct config *config, struct escrow **out, struct error *e) must_check;
void escrow_close(struct escrow *escrow);

size_t escrow_count(const struct escrow *escrow);
const char *escrow_url(const struct escrow *escrow, size_t gateway); /* borrowed */

/*
 * Checks that our identity can be used: one in a token must be there. Errors as identity_ready().
 */
enum err escrow_ready(struct escrow *escrow, struct error *e) must_check;

/*
 * Our client certificate, DER, borrowed: the gateway lists its thumbprint. data is NULL: it is in a
 * token that has not been there yet.
 */
const struct blob *escrow_identity(const struct escrow *escrow);

/*
 * POST <url>/v2/certificates to one gateway, over by the deadline
 * (clock_monotonic_ms()). ERR_OK only for a complete 2xx answer. ERR_UNAVAILABLE, with
 * retry_after: network, 408, 429, 5xx. ERR_CONFIG: we do not trust the gateway's
 * certificate. ERR_REFUSED: 401, 403, a TLS alert: our certificate is not registered there;
 * any other answer: it finds our request wrong. A gateway that answers 401 or 403 without having
 * asked for our certificate in a TLS 1.3 handshake gets the request once more, over TLS 1.2; if it
 * asks then, TLS 1.2 is used for it until escrow_close().
 */
enum err escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e) must_check;

struct escrow_answer {
	int status;   /* 404: there is something, but perhaps not a gateway */
	int64_t date; /* what its clock says, seconds UTC; 0: it does not say */
	bool late;    /* it asks for our certificate after the handshake: TLS 1.2 was used */
};

/* Asks whether it is there and accepts our certificate, for `certprov check`; uploads nothing. */
enum err escrow_probe(struct escrow *escrow, size_t gateway, int64_t deadline,
	struct escrow_answer *out, struct error *e) must_check;

#endif
