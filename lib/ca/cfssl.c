/*
 * CFSSL's HTTP API, version 1 (doc/api in github.com/cloudflare/cfssl): sign, authsign, info, and
 * revoke where the server has a database. It takes the public key and the subject from the request,
 * the address from "hosts"; usages, policies and validity are its profile's. It signs the same
 * request as often as it is asked.
 */

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/ca_kind.h"
#include "ca/cfssl_api.h"
#include "ca/known_cas.h"

#define KEY_MAX 64 /* octets: one block of HMAC-SHA-256 */

struct cfssl {
	struct cfssl_api api;
	struct known_cas cas; /* what info says */
};

static enum err fetch_cas(void *self, int64_t deadline, struct certificates *out, struct error *e)
{
	struct cfssl *cfssl = self;

	return cfssl_info(&cfssl->api, deadline, out, e);
}

/* --- certificates */

static enum err enroll(struct cfssl *cfssl, const struct ca_order *order, struct certificates *out,
	struct error *e)
{
	struct buf pem = BUF_INIT(CFSSL_BODY_MAX);
	struct http_answer answer = {0};
	/* CFSSL would take such an address for the name of a server. */
	enum err err = remote_check_address(&cfssl->api.remote, order, e);

	if (err)
		return err;
	remote_request_pem(order, &pem);
	err = buf_check(&pem, e);
	if (!err)
		err = cfssl_sign(
			&cfssl->api, pem.data, order->address->text, order->deadline, &answer, e);
	buf_free(&pem);
	if (err)
		return err;
	err = cfssl_certificates(&cfssl->api, &answer, out, e);
	http_answer_free(&answer);
	return err;
}

static enum err cfssl_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct certificates issued = {.count = 0};
	struct cfssl *cfssl = self;
	enum err err = known_cas_need(&cfssl->cas, order->deadline, e);

	if (!err)
		err = enroll(cfssl, order, &issued, e);
	if (!err)
		err = known_cas_complete(&cfssl->cas, order, &issued, &out->chain, e);
	certificates_free(&issued);
	return err;
}

static enum err cfssl_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	struct cfssl *cfssl = self;

	return known_cas_chain(&cfssl->cas, deadline, out, e);
}

/* A CA that accepts us complains of the missing request; one that does not rejects us first. */
static enum err cfssl_probe(void *self, int64_t deadline, struct error *e)
{
	struct cfssl *cfssl = self;
	struct http_answer answer = {0};
	char *says;
	enum err err = known_cas_ask(&cfssl->cas, deadline, e);

	if (!err)
		err = cfssl_sign(&cfssl->api, "", "", deadline, &answer, e);
	if (err)
		return err;
	says = cfssl_complaint(&answer);
	if (answer.status != 400 || !says || !strstr(says, "certificate_request"))
		err = remote_refusal(&cfssl->api.remote, &answer, says, e);
	free(says);
	http_answer_free(&answer);
	return err;
}

/* --- revocation */

static enum err revocation_json(const struct ca_revocation *revocation, const char *key_id,
	struct buf *out, struct error *e)
{
	char serial[TEXT_DECIMAL_SIZE];
	enum err err = remote_serial(revocation, serial, e);

	if (err)
		return err;
	buf_printf(out, "{\"serial\":\"%s\",\"authority_key_id\":\"%s\",\"reason\":\"%s\"}", serial,
		key_id, revocation_reason_names[revocation->reason]);
	return ERR_OK;
}

static enum err read_revoked(
	const struct cfssl *cfssl, const struct http_answer *answer, bool *unknown, struct error *e)
{
	cJSON *whole = NULL;
	char *says = cfssl_complaint(answer);
	enum err err;

	*unknown = answer->status == 400 && says && strstr(says, "certificate not found");
	free(says);
	if (answer->status == 404)
		return error_set(e, ERR_REFUSED,
			"CA %s cannot revoke: it was started without a database (-db-config)",
			cfssl->api.remote.ca->url);
	err = cfssl_answer(&cfssl->api, answer, &whole, e);
	cJSON_Delete(whole);
	return err;
}

/* Revoking a certificate again changes nothing. */
static enum err revoke_as(struct cfssl *cfssl, const struct ca_revocation *revocation,
	const char *key_id, bool *unknown, struct error *e)
{
	struct buf body = BUF_INIT(CFSSL_BODY_MAX);
	struct http_answer answer = {0};
	enum err err = revocation_json(revocation, key_id, &body, e);

	if (!err)
		err = cfssl_post(
			&cfssl->api, CFSSL_PATH "revoke", &body, revocation->deadline, &answer, e);
	buf_free(&body);
	if (err)
		return err;
	err = read_revoked(cfssl, &answer, unknown, e);
	http_answer_free(&answer);
	return err;
}

/*
 * CFSSL knows a serial number together with the identifier of the key that signed it. Version 1.2,
 * when a newer Go has built it, writes certificates down without that.
 */
static enum err cfssl_revoke(void *self, const struct ca_revocation *revocation, struct error *e)
{
	struct cfssl *cfssl = self;
	struct certificate_info issuer = {.key_id = ""};
	bool unknown = false;
	enum err err = known_cas_issuer(&cfssl->cas, revocation, &issuer, e);

	if (!err)
		err = revoke_as(cfssl, revocation, issuer.key_id, &unknown, e);
	if (err && unknown)
		err = revoke_as(cfssl, revocation, "", &unknown, e);
	return err;
}

/* --- the configuration */

static enum err load_key(
	const struct config *config, const struct config_ca *ca, struct blob *out, struct error *e)
{
	struct blob hex = {NULL, 0}, key = {NULL, 0};
	unsigned char octets[KEY_MAX];
	enum err err = file_read_password(ca->auth_key_file, &hex, e);

	if (err)
		return err;
	key.len = hex.len / 2;
	if (key.len > sizeof(octets) || hex.len % 2 ||
		!text_unhex((const char *)hex.data, octets, key.len))
		err = config_error(config, ca->section, "auth-key-file", e,
			"%s must hold 2 to %d hexadecimal digits, as in auth_keys of CFSSL's "
			"configuration",
			ca->auth_key_file, 2 * KEY_MAX);
	else
		err = blob_copy(octets, key.len, out, e);
	secret_wipe(octets, sizeof(octets));
	blob_free(&hex);
	return err;
}

static void cfssl_close(void *self)
{
	struct cfssl *cfssl = self;

	if (!cfssl)
		return;
	remote_close(&cfssl->api.remote);
	known_cas_free(&cfssl->cas);
	blob_free(&cfssl->api.key);
	free(cfssl);
}

static enum err cfssl_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	struct cfssl *cfssl = calloc(1, sizeof(*cfssl));
	enum err err = cfssl ? ERR_OK : error_memory(e);

	if (!err)
		err = remote_open(config, ca, HTTP_AUTH_NONE, &cfssl->api.remote, e);
	if (!err && ca->auth_key_file)
		err = load_key(config, ca, &cfssl->api.key, e);
	if (err) {
		cfssl_close(cfssl);
		return err;
	}
	cfssl->cas =
		(struct known_cas){.remote = &cfssl->api.remote, .fetch = fetch_cas, .self = cfssl};
	cfssl->api.profile = ca->profile ? ca->profile : "";
	cfssl->api.label = ca->label ? ca->label : "";
	*self = cfssl;
	return ERR_OK;
}

const struct ca_kind ca_cfssl = {
	.wants_request = true,
	.open = cfssl_open,
	.issue = cfssl_issue,
	.chain = cfssl_chain,
	.probe = cfssl_probe,
	.revoke = cfssl_revoke,
	.identity = remote_identity,
	.close = cfssl_close,
};
