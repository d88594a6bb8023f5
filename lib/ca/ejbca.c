/*
 * EJBCA by its REST API, v1, for certificates and CAs (Community and Enterprise, 7 and later). It
 * knows us by our TLS certificate, which has a role there.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca_kind.h"
#include "ca/ejbca_enroll.h"
#include "ca/remote_json.h"

#define BASE "/ejbca/ejbca-rest-api"

/* --- issue */

/*
 * {"request_id": …, "link": "https://…/v1/…/finalize", "info_message": …}; before version 8 only
 * the link has the number, which may be negative.
 */
static void read_handle(const cJSON *object, char out[CA_HANDLE_SIZE])
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(object, "request_id");
	const char *link = json_text(object, "link");
	const char *end = link ? strstr(link, "/finalize") : NULL;
	const char *from = end;

	*out = '\0';
	while (from && from > link && strchr("-0123456789", from[-1]))
		from--;
	if (cJSON_IsNumber(id) && id->valueint != 0)
		snprintf(out, CA_HANDLE_SIZE, "%d", id->valueint);
	else if (end && end - from < CA_HANDLE_SIZE)
		snprintf(out, CA_HANDLE_SIZE, "%.*s", (int)(end - from), from);
}

static enum err pending(const struct ejbca *ejbca, const struct http_answer *answer,
	struct ca_answer *out, struct error *e)
{
	cJSON *object = NULL;
	enum err err = remote_json_read(&ejbca->remote, answer, &object, e);

	if (err)
		return err;
	read_handle(object, out->handle);
	cJSON_Delete(object);
	error_set(e, ERR_PENDING, "an administrator of CA %s has to approve %s%s",
		ejbca->remote.ca->url, *out->handle ? "request " : "the request", out->handle);
	e->retry_after = answer->retry_after;
	return e->code;
}

/*
 * {"certificate": base64 of DER, "certificate_chain": [the same, …], …}: the answer to finalize
 * has no chain. Some versions encode twice, or send PEM.
 */
static enum err read_issued(const struct ejbca *ejbca, const struct http_answer *answer,
	struct certificates *out, struct error *e)
{
	cJSON *object = NULL;
	enum err err = remote_json_read(&ejbca->remote, answer, &object, e);

	if (err)
		return err;
	err = remote_json_certificate(
		&ejbca->remote, NULL, json_text(object, "certificate"), out, e);
	if (!err)
		err = remote_json_certificates(&ejbca->remote, NULL,
			cJSON_GetObjectItemCaseSensitive(object, "certificate_chain"), out, e);
	cJSON_Delete(object);
	return err;
}

static enum err ejbca_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct ejbca *ejbca = self;
	struct certificates issued = {.count = 0};
	struct http_answer answer = {0};
	/*
	 * finalize gives no chain and works once: if the issuer then cannot be learnt, a person
	 * has to approve another request.
	 */
	enum err err = *order->handle ? known_cas_need(&ejbca->cas, order->deadline, e) : ERR_OK;

	if (!err)
		err = ejbca_enroll(ejbca, order, &answer, e);
	if (!err && answer.status == 202)
		err = pending(ejbca, &answer, out, e);
	else if (!err && answer.status != 200 && answer.status != 201)
		err = ejbca_refusal(ejbca, &answer, e);
	else if (!err)
		err = read_issued(ejbca, &answer, &issued, e);
	if (!err)
		err = known_cas_complete(&ejbca->cas, order, &issued, &out->chain, e);
	certificates_free(&issued);
	http_answer_free(&answer);
	return err;
}

/* --- the chain, and whether it is there */

static enum err ejbca_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	struct ejbca *ejbca = self;

	return known_cas_chain(&ejbca->cas, deadline, out, e);
}

static enum err ejbca_probe(void *self, int64_t deadline, struct error *e)
{
	struct buf subject = BUF_INIT(EJBCA_PATH_MAX);
	enum err err = ejbca_subject(self, deadline, &subject, e);

	buf_free(&subject);
	return err;
}

/* --- revoke */

static const char *const reasons[REVOCATION_REASON_COUNT] = {
	[REVOKED_UNSPECIFIED] = "UNSPECIFIED",
	[REVOKED_KEY_COMPROMISE] = "KEY_COMPROMISE",
	[REVOKED_CA_COMPROMISE] = "CA_COMPROMISE",
	[REVOKED_AFFILIATION_CHANGED] = "AFFILIATION_CHANGED",
	[REVOKED_SUPERSEDED] = "SUPERSEDED",
	[REVOKED_CESSATION_OF_OPERATION] = "CESSATION_OF_OPERATION",
	[REVOKED_PRIVILEGE_WITHDRAWN] = "PRIVILEGES_WITHDRAWN",
	[REVOKED_AA_COMPROMISE] = "AA_COMPROMISE",
};

/*
 * 200: {"revoked": true, …}; 202: a person has to approve it; 404: there is no such certificate;
 * 409: it was revoked before.
 */
static enum err read_revoked(
	const struct ejbca *ejbca, const struct http_answer *answer, struct error *e)
{
	cJSON *object = NULL;
	enum err err;

	if (answer->status == 409)
		return ERR_OK;
	if (remote_json_unknown(answer, "error_message"))
		return error_set(e, ERR_REFUSED, "CA %s has not issued that certificate",
			ejbca->remote.ca->url);
	if (answer->status == 202)
		return error_set(e, ERR_PENDING,
			"an administrator of CA %s has to approve the revocation",
			ejbca->remote.ca->url);
	if (answer->status != 200)
		return ejbca_refusal(ejbca, answer, e);
	err = remote_json_read(&ejbca->remote, answer, &object, e);
	if (!err && !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "revoked")))
		err = remote_garbled(&ejbca->remote, NULL, "it does not say that it is revoked", e);
	cJSON_Delete(object);
	return err;
}

static enum err ejbca_revoke(void *self, const struct ca_revocation *revocation, struct error *e)
{
	struct ejbca *ejbca = self;
	struct buf path = BUF_INIT(EJBCA_PATH_MAX);
	struct http_answer answer = {0};
	enum err err;

	buf_puts(&path, "/v1/certificate/");
	buf_percent(&path, revocation->issuer);
	buf_putc(&path, '/');
	buf_percent(&path, revocation->serial);
	buf_printf(&path, "/revoke?reason=%s", reasons[revocation->reason]);
	err = ejbca_ask(ejbca,
		&(const struct ejbca_request){"PUT", &path, NULL, revocation->deadline}, &answer,
		e);
	if (!err)
		err = read_revoked(ejbca, &answer, e);
	http_answer_free(&answer);
	buf_free(&path);
	return err;
}

/* --- open and close */

static void ejbca_close(void *self)
{
	struct ejbca *ejbca = self;

	remote_close(&ejbca->remote);
	known_cas_free(&ejbca->cas);
	free(ejbca);
}

static enum err ejbca_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	struct ejbca *ejbca = NULL;
	enum err err;

	if (!ca->identity)
		return config_error(config, ca->section, "identity", e,
			"missing; type = ejbca needs it: EJBCA knows us by our TLS certificate");
	ejbca = calloc(1, sizeof(*ejbca));
	if (!ejbca)
		return error_memory(e);
	ejbca->base = remote_folder(ca->url, BASE);
	ejbca->cas = (struct known_cas){
		.remote = &ejbca->remote, .fetch = ejbca_fetch_cas, .self = ejbca};
	err = remote_open(config, ca, HTTP_AUTH_NONE, &ejbca->remote, e);
	if (err)
		ejbca_close(ejbca);
	else
		*self = ejbca;
	return err;
}

const struct ca_kind ca_ejbca = {
	.wants_request = true,
	.open = ejbca_open,
	.issue = ejbca_issue,
	.chain = ejbca_chain,
	.probe = ejbca_probe,
	.revoke = ejbca_revoke,
	.identity = remote_identity,
	.close = ejbca_close,
};
