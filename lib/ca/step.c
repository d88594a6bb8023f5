/*
 * step-ca of Smallstep by its HTTPS API 1.0 (package api in github.com/smallstep/certificates). It
 * takes the public key from the request; a token names the provisioner, the name and the address.
 * Usages and validity are those of the provisioner, its template and its claims.
 */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/ca_kind.h"
#include "ca/known_cas.h"
#include "ca/remote_json.h"
#include "ca/step_api.h"
#include "pki/chain_build.h"

struct step {
	struct remote remote;
	struct step_signer signer;
	struct known_cas cas; /* the intermediates, from the latest answer */
};

/* --- its certificates */

/* absent: 404 is an empty list, from a version without this path. */
static enum err fetch_list(struct step *step, const char *path, bool absent, int64_t deadline,
	struct certificates *out, struct error *e)
{
	struct http_answer answer = {0};
	cJSON *whole = NULL;
	enum err err = step_ask(&step->remote, path, NULL, deadline, &answer, e);

	if (err)
		return err;
	if (!absent || answer.status != 404) {
		err = step_answer(&step->remote, &answer, &whole, e);
		if (!err)
			err = remote_json_certificates(&step->remote, path,
				cJSON_GetObjectItemCaseSensitive(whole, "crts"), out, e);
	}
	cJSON_Delete(whole);
	http_answer_free(&answer);
	return err;
}

/* Versions before 0.26 have no such list: then the chain of the latest certificate is kept. */
static enum err fetch_cas(void *self, int64_t deadline, struct certificates *out, struct error *e)
{
	return fetch_list(self, STEP_PATH "intermediates", true, deadline, out, e);
}

static enum err step_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	struct certificates roots = {.count = 0}, all;
	struct step *step = self;
	enum err err = known_cas_ask(&step->cas, deadline, e);

	if (!err)
		err = fetch_list(step, STEP_PATH "roots", false, deadline, &roots, e);
	if (!err && !roots.count)
		err = remote_garbled(&step->remote, STEP_PATH "roots", "it names none", e);
	if (!err) {
		all = step->cas.list; /* borrows */
		certificates_borrow(&all, &roots);
		err = chain_longest(&all, out, e);
	}
	certificates_free(&roots);
	return err;
}

/* --- certificates */

static enum err put_order(
	const struct step *step, const struct ca_order *order, struct buf *out, struct error *e)
{
	struct buf pem = BUF_INIT(STEP_BODY_MAX), token = BUF_INIT(STEP_BODY_MAX);
	/* step-ca compares the request's common name with the token's subject. */
	const char *name = name_common(order->subject), *mail = order->address->text;
	enum err err =
		step_token(&step->signer, "sign", name ? name : mail, mail, order->now, &token, e);

	remote_request_pem(order, &pem);
	if (!err)
		err = buf_check(&pem, e);
	if (!err) {
		buf_puts(out, "{\"csr\":");
		buf_json_string(out, pem.data);
		buf_printf(out, ",\"ott\":\"%s\"}", token.data);
	}
	buf_free(&token);
	buf_free(&pem);
	return err;
}

/* certChain has all; versions without it send the certificate and its issuer apart. */
static enum err read_issued(
	const struct step *step, const cJSON *whole, struct certificates *out, struct error *e)
{
	static const char path[] = STEP_PATH "sign";
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(whole, "certChain");
	const char *names[] = {"crt", "ca"};
	enum err err = ERR_OK;

	if (cJSON_GetArraySize(list) > 0)
		return remote_json_certificates(&step->remote, path, list, out, e);
	for (size_t i = 0; i < ARRAY_LEN(names) && !err; i++)
		err = remote_json_certificate(
			&step->remote, path, json_text(whole, names[i]), out, e);
	return err;
}

static enum err enroll(
	struct step *step, const struct ca_order *order, struct certificates *out, struct error *e)
{
	struct buf body = BUF_INIT(2 * STEP_BODY_MAX);
	struct http_answer answer = {0};
	cJSON *whole = NULL;
	enum err err = put_order(step, order, &body, e);

	if (!err)
		err = step_ask(&step->remote, STEP_PATH "sign", &body, order->deadline, &answer, e);
	buf_free(&body);
	if (err)
		return err;
	err = step_answer(&step->remote, &answer, &whole, e);
	if (!err)
		err = read_issued(step, whole, out, e);
	cJSON_Delete(whole);
	http_answer_free(&answer);
	return err;
}

static enum err step_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct certificates issued = {.count = 0};
	struct step *step = self;
	enum err err = remote_check_address(&step->remote, order, e);

	if (!err)
		err = enroll(step, order, &issued, e);
	if (!err)
		err = remote_chain(order, &issued, &out->chain, e);
	if (!err)
		known_cas_learn(&step->cas, &out->chain);
	certificates_free(&issued);
	return err;
}

/* --- the probe */

static enum err step_probe(void *self, int64_t deadline, struct error *e)
{
	struct http_answer answer = {0};
	struct step *step = self;
	cJSON *whole = NULL;
	const char *status;
	enum err err = step_ask(&step->remote, STEP_PATH "health", NULL, deadline, &answer, e);

	if (err)
		return err;
	err = step_answer(&step->remote, &answer, &whole, e);
	status = json_text(whole, "status");
	if (!err && (!status || strcmp(status, "ok") != 0))
		err = remote_garbled(&step->remote, STEP_PATH "health", "it is not \"ok\"", e);
	cJSON_Delete(whole);
	http_answer_free(&answer);
	return err ? err : step_find_provisioner(&step->remote, &step->signer, deadline, e);
}

/* --- revocation */

static enum err put_revocation(const struct step *step, const struct ca_revocation *revocation,
	struct buf *out, struct error *e)
{
	struct buf token = BUF_INIT(STEP_BODY_MAX);
	char serial[TEXT_DECIMAL_SIZE];
	enum err err = remote_serial(revocation, serial, e);

	if (err)
		return err;
	err = step_token(&step->signer, "revoke", serial, NULL, clock_now(), &token, e);
	if (!err)
		buf_printf(out,
			"{\"serial\":\"%s\",\"ott\":\"%s\",\"reasonCode\":%u,\"reason\":\"%s\","
			"\"passive\":true}",
			serial, token.data, revocation_reason_codes[revocation->reason],
			revocation_reason_names[revocation->reason]);
	buf_free(&token);
	return err;
}

static bool is_revoked_already(const struct http_answer *answer)
{
	char *says = remote_json_text(answer, STEP_REASON);
	bool is = answer->status == 400 && says && strstr(says, "already revoked");

	free(says);
	return is;
}

static enum err step_revoke(void *self, const struct ca_revocation *revocation, struct error *e)
{
	struct buf body = BUF_INIT(STEP_BODY_MAX);
	struct http_answer answer = {0};
	struct step *step = self;
	struct certificate_info issuer;
	cJSON *whole = NULL;
	/* step-ca accepts any serial number as its own. */
	enum err err = known_cas_issuer(&step->cas, revocation, &issuer, e);

	if (!err)
		err = put_revocation(step, revocation, &body, e);
	if (!err)
		err = step_ask(
			&step->remote, STEP_PATH "revoke", &body, revocation->deadline, &answer, e);
	buf_free(&body);
	if (err)
		return err;
	if (remote_json_unknown(&answer, STEP_REASON))
		err = error_set(e, ERR_REFUSED, "CA %s has not issued that certificate",
			step->remote.ca->url);
	else if (!is_revoked_already(&answer))
		err = step_answer(&step->remote, &answer, &whole, e);
	cJSON_Delete(whole);
	http_answer_free(&answer);
	return err;
}

/* --- open and close */

static void step_close(void *self)
{
	struct step *step = self;

	remote_close(&step->remote);
	step_signer_close(&step->signer);
	known_cas_free(&step->cas);
	free(step);
}

/*
 * Without the identity: in TLS step-ca accepts only its own certificates and closes the connection
 * for others, but an X5C provisioner is for certificates of another CA.
 */
static enum err open_remote(const struct config *config, const struct config_ca *ca,
	struct remote *out, struct error *e)
{
	struct config_ca nobody = *ca;
	enum err err;

	nobody.identity = NULL;
	nobody.identity_password_file = NULL;
	err = remote_open(config, &nobody, HTTP_AUTH_NONE, out, e);
	if (err)
		return err;
	out->ca = ca;
	/* Its policies and templates answer 403; a client that it does not accept gets 401. */
	out->forbids_by_403 = true;
	return ERR_OK;
}

static enum err step_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	struct step *step = calloc(1, sizeof(*step));
	enum err err;

	if (!step)
		return error_memory(e);
	step->cas = (struct known_cas){.remote = &step->remote, .fetch = fetch_cas, .self = step};
	err = step_signer_open(config, ca, &step->signer, e);
	if (!err)
		err = open_remote(config, ca, &step->remote, e);
	if (err)
		step_close(step);
	else
		*self = step;
	return err;
}

static const struct identity *step_identity(const void *self)
{
	const struct step *step = self;

	return step->signer.identity;
}

const struct ca_kind ca_step = {
	.wants_request = true,
	.open = step_open,
	.issue = step_issue,
	.chain = step_chain,
	.probe = step_probe,
	.revoke = step_revoke,
	.identity = step_identity,
	.close = step_close,
};
