#ifndef CA_REMOTE_H
#define CA_REMOTE_H

#include "base/text.h"
#include "ca/ca.h"
#include "net/http.h"

/* Common to the external CAs: HTTPS, and the meaning of answers. */

struct remote {
	const struct config *config;
	const struct config_ca *ca;
	struct http_client *http;
	/* In remote_refusal(). A kind sets them after remote_open(). */
	bool says_in_text;   /* the reason is plain text, in no form of the API's */
	bool forbids_by_403; /* 403 is a judgement of the request */
};

#define REMOTE_ANSWER_MAX (256 * 1024) /* bytes: a few certificates are far less */

/* From [ca] identity, ca-file and, with an auth other than HTTP_AUTH_NONE, username. ERR_CONFIG. */
enum err remote_open(const struct config *config, const struct config_ca *ca, enum http_auth auth,
	struct remote *out, struct error *e) must_check;
void remote_close(struct remote *remote);

/*
 * Sends a request whose url is only the part after [ca] url: "/v1/…". Any status is success;
 * errors as http_send(), but ERR_BARRED where it rejects our certificate or our login, and
 * ERR_GARBLED where an answer to a POST began with 200 or 201 and did not come whole.
 * answer_max 0: REMOTE_ANSWER_MAX.
 */
enum err remote_send(struct remote *remote, const struct http_request *request,
	struct http_answer *out, struct error *e) must_check;

/*
 * For a status that means neither issued nor pending. 408, 425, 429 and 5xx: ERR_UNAVAILABLE, with
 * retry_after. 400, 409 and 422 in the CA's own form, and 403 if it says so: ERR_REFUSED, a
 * judgement of this request. All others are ERR_BARRED. says: the reason in the form of its API,
 * which is shortened for the log; NULL or "": the answer has none, and the log gets some of its
 * body.
 */
enum err remote_refusal(const struct remote *remote, const struct http_answer *answer,
	const char *says, struct error *e);

/*
 * ERR_GARBLED: a good answer that says what its API does not have; a proxy may have made it. what:
 * the request, or NULL. why may be e's own text.
 */
enum err remote_garbled(
	const struct remote *remote, const char *what, const char *why, struct error *e);

/*
 * For questions that issue nothing: ERR_GARBLED becomes ERR_UNAVAILABLE, because another try costs
 * no certificate.
 */
enum err remote_nothing_issued(enum err err, struct error *e) must_check;

/*
 * The chain for the order's key from all certificates that the CA sent and those of issuer-file:
 * see chain_build().
 */
enum err remote_chain(const struct ca_order *order, const struct certificates *from,
	struct chain *out, struct error *e) must_check;

/* base64 in lines of 64 characters, each ending with "\n" (RFC 2045 allows 76). */
void remote_base64(const struct blob *der, struct buf *out);

/*
 * ERR_REFUSED for an address that is not an rfc822Name (RFC 9598): for a CA that would take it for
 * something else, or fail.
 */
enum err remote_check_address(
	const struct remote *remote, const struct ca_order *order, struct error *e) must_check;

/* Returns usual, or "" if url has a path of its own already. */
const char *remote_folder(const char *url, const char *usual);

/* The serial number of a certificate to revoke, in decimal. ERR_REFUSED. */
enum err remote_serial(const struct ca_revocation *revocation, char out[TEXT_DECIMAL_SIZE],
	struct error *e) must_check;

/* identity in struct ca_kind, for a kind whose self begins with its struct remote. */
const struct identity *remote_identity(const void *self);

/* The request in PEM (RFC 7468, "CERTIFICATE REQUEST"). */
void remote_request_pem(const struct ca_order *order, struct buf *out);

#endif
