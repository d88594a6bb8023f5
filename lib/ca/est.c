/*
 * Enrollment over Secure Transport: RFC 7030 with its errata, and RFC 8951. We are a registration
 * authority, so we always use /simpleenroll: /simplereenroll is for a client that renews its own
 * TLS certificate (4.2.2). EST has no revocation.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/ca_kind.h"
#include "ca/known_cas.h"
#include "ca/remote.h"

#define BASE "/.well-known/est" /* 3.2.2 */
#define CAS_MS (6 * 3600 * 1000LL)

/* The characters of a segment of a URL's path (RFC 3986, 3.3). */
#define SEGMENT                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-._~!$&'()*+,;=:@%"

enum operation { CACERTS, SIMPLEENROLL, OPERATION_COUNT };

static const char *const operations[OPERATION_COUNT] = {
	[CACERTS] = "cacerts",
	[SIMPLEENROLL] = "simpleenroll",
};

struct est {
	struct remote remote; /* first: see remote_identity() */
	char *path[OPERATION_COUNT];
	struct known_cas cas; /* what /cacerts says */
};

/* --- requests and answers */

static enum err ask(struct est *est, enum operation operation, const struct buf *body,
	int64_t deadline, struct http_answer *out, struct error *e)
{
	/* RFC 8951, 3.1 drops it, but older servers insist. */
	static const char *const headers[] = {"Content-Transfer-Encoding: base64", NULL};
	const struct http_request request = {
		.method = body ? "POST" : "GET",
		.url = est->path[operation],
		.content_type = body ? "application/pkcs10" : NULL,
		.headers = body ? headers : NULL,
		.body = body ? body->data : NULL,
		.body_len = body ? body->len : 0,
		.deadline = deadline,
	};

	return remote_send(&est->remote, &request, out, e);
}

static enum err not_done(const struct est *est, enum operation operation,
	const struct http_answer *answer, struct error *e)
{
	if (answer->status == 501)
		return error_set(e, ERR_BARRED,
			"CA %s offers no /%s (status 501): correct its url or label",
			est->remote.ca->url, operations[operation]);
	if (answer->status < 300)
		return remote_garbled(&est->remote, operations[operation],
			"a status that has no meaning there", e);
	return remote_refusal(&est->remote, answer, NULL, e);
}

/*
 * base64 of a certs-only PKCS#7 message, of type application/pkcs7-mime (4.2.3; RFC 8951, 3); but
 * servers send DER, PEM, no padding and other types, too.
 */
static enum err read_certificates(const struct est *est, enum operation operation,
	const struct http_answer *answer, struct certificates *out, struct error *e)
{
	struct certificates got = {.count = 0};

	if (answer->status != 200)
		return not_done(est, operation, answer, e);
	if (certificates_add(&got, answer->body.data, answer->body.len, e)) {
		certificates_free(&got);
		error_context(e, "type \"%s\"", answer->content_type);
		return remote_garbled(&est->remote, operations[operation], e->text, e);
	}
	*out = got;
	return ERR_OK;
}

static enum err fetch_cas(void *self, int64_t deadline, struct certificates *out, struct error *e)
{
	struct http_answer answer = {0};
	enum err err = ask(self, CACERTS, NULL, deadline, &answer, e);

	if (err)
		return err;
	err = read_certificates(self, CACERTS, &answer, out, e);
	http_answer_free(&answer);
	return err;
}

/* --- operations */

static enum err enroll(
	struct est *est, const struct ca_order *order, struct certificates *out, struct error *e)
{
	struct buf body = BUF_INIT(REMOTE_ANSWER_MAX);
	struct http_answer answer = {0};
	enum err err;

	remote_base64(order->request, &body);
	err = buf_check(&body, e);
	if (!err)
		err = ask(est, SIMPLEENROLL, &body, order->deadline, &answer, e);
	buf_free(&body);
	if (err)
		return err;
	if (answer.status == 202) { /* 4.2.3: post the same request later */
		err = error_set(e, ERR_PENDING, "CA %s has not decided yet", est->remote.ca->url);
		e->retry_after = answer.retry_after;
	} else {
		err = read_certificates(est, SIMPLEENROLL, &answer, out, e);
	}
	http_answer_free(&answer);
	return err;
}

static enum err est_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct certificates issued = {.count = 0};
	struct est *est = self;
	enum err err = known_cas_need(&est->cas, order->deadline, e);

	if (!err)
		err = enroll(est, order, &issued, e);
	if (!err)
		err = known_cas_complete(&est->cas, order, &issued, &out->chain, e);
	certificates_free(&issued);
	return err;
}

static enum err est_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	struct est *est = self;

	return known_cas_chain(&est->cas, deadline, out, e);
}

/*
 * EST has no request that needs our credentials and changes nothing: /cacerts is for anybody, and
 * so may be /csrattrs (4.5). So /simpleenroll gets an empty one, from which nothing can be issued:
 * the server authenticates us before it reads the request (3.2.3), so any complaint about the
 * request means that it accepts our credentials.
 */
static enum err est_probe(void *self, int64_t deadline, struct error *e)
{
	static const int about_us[] = {401, 403, 404, 405, 501, 502, 503, 504};
	const struct buf nothing = BUF_INIT(0);
	struct http_answer answer = {0};
	struct est *est = self;
	enum err err = known_cas_ask(&est->cas, deadline, e);

	if (!err)
		err = ask(est, SIMPLEENROLL, &nothing, deadline, &answer, e);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(about_us); i++)
		if (answer.status == about_us[i])
			err = not_done(est, SIMPLEENROLL, &answer, e);
	http_answer_free(&answer);
	return err;
}

/* --- open and close */

static enum err check_keys(const struct config *config, const struct config_ca *ca, struct error *e)
{
	if (!ca->username != !ca->password_file)
		return config_error(config, ca->section,
			ca->username ? "password-file" : "username", e,
			"username and password-file go together");
	if (!ca->username && !ca->identity)
		return config_error(config, ca->section, "username", e,
			"type = est needs username and password-file, or identity, or all three");
	if (ca->label && (!*ca->label || ca->label[strspn(ca->label, SEGMENT "/")]))
		return config_error(config, ca->section, "label", e,
			"has characters that a URL's path cannot have");
	return ERR_OK;
}

static enum err make_paths(struct est *est, const char *label, struct error *e)
{
	for (int i = 0; i < OPERATION_COUNT; i++)
		if (asprintf(&est->path[i], BASE "%s%s/%s", label ? "/" : "", label ? label : "",
			    operations[i]) < 0) {
			est->path[i] = NULL;
			return error_memory(e);
		}
	return ERR_OK;
}

static void est_close(void *self)
{
	struct est *est = self;

	remote_close(&est->remote);
	known_cas_free(&est->cas);
	for (int i = 0; i < OPERATION_COUNT; i++)
		free(est->path[i]);
	free(est);
}

static enum err est_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	enum http_auth auth = ca->username ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE;
	struct est *est = NULL;
	enum err err = check_keys(config, ca, e);

	if (err)
		return err;
	est = calloc(1, sizeof(*est));
	if (!est)
		return error_memory(e);
	est->cas = (struct known_cas){.remote = &est->remote,
		.fetch = fetch_cas,
		.self = est,
		.max_age = CAS_MS,
		.binding = true};
	err = make_paths(est, ca->label, e);
	if (!err)
		err = remote_open(config, ca, auth, &est->remote, e);
	est->remote.says_in_text = true; /* RFC 7030, 4.2.3 */
	if (err)
		est_close(est);
	else
		*self = est;
	return err;
}

const struct ca_kind ca_est = {
	.wants_request = true,
	.open = est_open,
	.issue = est_issue,
	.chain = est_chain,
	.probe = est_probe,
	.identity = remote_identity,
	.close = est_close,
};
