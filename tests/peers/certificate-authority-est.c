/*
 * The simulated certificate authority: EST, RFC 7030 with the errata and the
 * clarifications of RFC 8951.
 */

#include <string.h>
#include <strings.h>

#include "tests/peers/certificate-authority.h"

enum other_form { OTHER_DER = 1, OTHER_PEM, OTHER_BARE, OTHER_TWICE };

static void put_message(struct exchange *x, const struct buf *pkcs7)
{
	const struct blob der = {(unsigned char *)pkcs7->data, pkcs7->len};
	struct buf once = BUF_INIT(65536);

	switch (mode_form(x)) {
	case OTHER_DER:
		buf_append(&x->reply, pkcs7->data, pkcs7->len);
		break;
	case OTHER_PEM:
		form_pem(&x->reply, "PKCS7", &der);
		break;
	case OTHER_BARE: /* a line, no padding */
		form_base64(&x->reply, pkcs7->data, pkcs7->len, 0);
		buf_truncate(&x->reply, strcspn(x->reply.data, "="));
		break;
	case OTHER_TWICE:
		form_base64(&once, pkcs7->data, pkcs7->len, 64);
		form_base64(&x->reply, once.data, once.len, 64);
		break;
	default:
		form_base64(&x->reply, pkcs7->data, pkcs7->len, 64);
	}
	buf_free(&once);
}

/* RFC 7030, 4.1.3 and 4.2.3: base64 of a certs-only message. */
static void answer_certificates(
	struct exchange *x, const struct blob *der, size_t count, const char *type)
{
	struct buf pkcs7 = BUF_INIT(65536);

	form_pkcs7(&pkcs7, der, count);
	reply_status(x, 200, mode_form(x) ? "application/x-pkcs7-mime" : type);
	reply_header(x, "Content-Transfer-Encoding", "base64");
	put_message(x, &pkcs7);
	buf_free(&pkcs7);
}

/* 4.1: nobody has to authenticate for it. */
static enum err cacerts(struct exchange *x)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	enum err err = authority_chain(x, chain, &x->error);

	if (!err)
		answer_certificates(x, chain, AUTHORITY_CHAIN, "application/pkcs7-mime");
	authority_chain_free(chain);
	return err;
}

static void answer_decision(struct exchange *x, const struct decision *decision)
{
	switch (decision->verdict) {
	case VERDICT_ISSUED:
		answer_certificates(x, &decision->certificate, 1,
			"application/pkcs7-mime; smime-type=certs-only");
		return;
	case VERDICT_PENDING:
		reply_text(x, 202, "text/plain", "%s\n", decision->text);
		break;
	case VERDICT_REFUSED:
		reply_text(x, 400, "text/plain", "%s\n", decision->text);
		return;
	case VERDICT_LATER:
		reply_text(x, 503, "text/plain", "%s\n", decision->text);
		break;
	}
	reply_header(x, "Retry-After", "%d", decision->retry_after);
}

/* 4.2.1; RFC 8951, 3.1: servers ignore the transfer encoding. This one takes no false one. */
static bool is_right_form(struct exchange *x, struct buf *request)
{
	const char *encoding = request_header(x, "HTTP_CONTENT_TRANSFER_ENCODING");

	if (strcasecmp(x->type, "application/pkcs10") != 0)
		reply_text(x, 415, "text/plain", "Content-Type: not application/pkcs10\n");
	else if (*encoding && strcasecmp(encoding, "base64") != 0)
		reply_text(x, 400, "text/plain", "Content-Transfer-Encoding: not base64\n");
	else if (!x->body.len || !form_unbase64(x->body.data, x->body.len, 64, request))
		reply_text(x, 400, "text/plain", "the body is not base64 in lines of 64\n");
	else
		return true;
	return false;
}

static enum err simpleenroll(struct exchange *x)
{
	struct decision decision = {.verdict = VERDICT_REFUSED};
	struct buf request = BUF_INIT(65536);
	enum err err = ERR_OK;

	if (!*x->identity) {
		reply_unauthenticated(x, "Basic realm=\"estrealm\", charset=\"UTF-8\"");
	} else if (is_right_form(x, &request)) {
		const struct blob csr = {(unsigned char *)request.data, request.len};

		err = authority_request(x, &csr, &decision, &x->error);
		if (!err)
			answer_decision(x, &decision);
	}
	blob_free(&decision.certificate);
	buf_free(&request);
	return err;
}

static const struct operation {
	const char *name;
	const char *method;
	enum err (*serve)(struct exchange *x);
} operations[] = {
	{"cacerts", "GET", cacerts},
	{"simpleenroll", "POST", simpleenroll},
};

/* 3.2.2: an optional label stands before the operation, and is none of their names. */
static const struct operation *find_operation(const struct exchange *x)
{
	const char *name = x->path + strlen(front_est.prefix);
	const char *slash = strchr(name, '/');

	if (slash && slash == name)
		return NULL;
	if (slash)
		name = slash + 1;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(name, operations[i].name) == 0)
			return &operations[i];
	return NULL;
}

static enum err serve(struct exchange *x)
{
	const struct operation *operation = find_operation(x);

	if (!operation) {
		reply_text(x, 404, "text/plain", "there is no such operation\n");
		return ERR_OK;
	}
	if (strcmp(x->method, operation->method) != 0) {
		reply_text(x, 405, "text/plain", "only %s is allowed here\n", operation->method);
		reply_header(x, "Allow", "%s", operation->method);
		return ERR_OK;
	}
	return operation->serve(x);
}

const struct front front_est = {"/.well-known/est/", serve};
