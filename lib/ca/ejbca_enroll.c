/*
 * Asks EJBCA for a certificate: the end entity of an order, a new request, or the end of one that a
 * person approved.
 */

#include "ca/ejbca_enroll.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/secret.h"
#include "ca/remote_json.h"

#define ENTITY_DIGITS 32

struct entity {
	char name[sizeof("certprov-encryption-") + ENTITY_DIGITS];
	char password[DIGEST_HEX_SIZE];
};

/* The end entity's password is derived from the private key, so nobody else can compute it. */
static enum err make_password(
	const struct ca_order *order, char out[DIGEST_HEX_SIZE], struct error *e)
{
	static const char purpose[] = "certprov: password of an EJBCA end entity";
	struct buf secret = BUF_INIT(EJBCA_BODY_MAX);
	struct blob key = {NULL, 0};
	enum err err = key_export(order->key, &key, e);

	if (err)
		return err;
	buf_append(&secret, purpose, sizeof(purpose));
	buf_append(&secret, key.data, key.len);
	err = buf_check(&secret, e);
	if (!err)
		err = digest_hex(secret.data, secret.len, out, e);
	blob_free(&key);
	buf_free(&secret);
	return err;
}

static enum err make_entity(const struct ca_order *order, struct entity *out, struct error *e)
{
	char digest[DIGEST_HEX_SIZE];
	enum err err = digest_hex(order->request->data, order->request->len, digest, e);

	if (err)
		return err;
	snprintf(out->name, sizeof(out->name), "certprov-%s-%.*s", usage_names[order->usage],
		ENTITY_DIGITS, digest);
	return make_password(order, out->password, e);
}

static enum err enroll(struct ejbca *ejbca, const struct ca_order *order,
	const struct entity *entity, struct http_answer *out, struct error *e)
{
	const struct config_ca *ca = ejbca->remote.ca;
	struct buf path = BUF_INIT(EJBCA_PATH_MAX), body = BUF_INIT(EJBCA_BODY_MAX);
	struct buf pem = BUF_INIT(EJBCA_BODY_MAX);
	enum err err;

	remote_request_pem(order, &pem);
	buf_puts(&path, "/v1/certificate/pkcs10enroll");
	buf_putc(&body, '{');
	remote_json_put(&body, "certificate_authority_name", ca->name);
	remote_json_put(&body, "certificate_profile_name", ca->certificate_profile);
	remote_json_put(&body, "end_entity_profile_name", ca->end_entity_profile);
	remote_json_put(&body, "username", entity->name);
	remote_json_put(&body, "password", entity->password);
	err = buf_check(&pem, e);
	if (!err) {
		remote_json_put(&body, "certificate_request", pem.data);
		buf_puts(&body, "\"include_chain\": true}");
		err = ejbca_ask(ejbca,
			&(const struct ejbca_request){"POST", &path, &body, order->deadline}, out,
			e);
	}
	buf_free(&path);
	buf_free(&body);
	buf_free(&pem);
	return err;
}

/* Fetches the certificate of a request that a person approved, by its number at EJBCA. */
static enum err finalize(struct ejbca *ejbca, const struct ca_order *order,
	const struct entity *entity, struct http_answer *out, struct error *e)
{
	struct buf path = BUF_INIT(EJBCA_PATH_MAX), body = BUF_INIT(EJBCA_BODY_MAX);
	enum err err;

	buf_puts(&path, "/v1/certificate/");
	buf_percent(&path, order->handle);
	buf_puts(&path, "/finalize");
	buf_putc(&body, '{');
	remote_json_put(&body, "password", entity->password);
	buf_puts(&body, "\"response_format\": \"DER\"}");
	err = ejbca_ask(ejbca, &(const struct ejbca_request){"POST", &path, &body, order->deadline},
		out, e);
	buf_free(&path);
	buf_free(&body);
	return err;
}

/*
 * The answer to an earlier finalize was lost, and EJBCA does not repeat it: the certificate is
 * requested once more, for the same entity. Only the words of the error tell.
 */
static bool was_finalized(const struct http_answer *answer)
{
	static const char words[] = "already been finalized";

	return answer->status == 400 &&
	       memmem(answer->body.data, answer->body.len, words, strlen(words));
}

enum err ejbca_enroll(
	struct ejbca *ejbca, const struct ca_order *order, struct http_answer *out, struct error *e)
{
	struct entity entity = {.name = ""};
	enum err err = make_entity(order, &entity, e);

	if (!err)
		err = *order->handle ? finalize(ejbca, order, &entity, out, e)
				     : enroll(ejbca, order, &entity, out, e);
	if (!err && *order->handle && was_finalized(out)) {
		http_answer_free(out);
		err = enroll(ejbca, order, &entity, out, e);
	}
	secret_wipe(&entity, sizeof(entity));
	return err;
}
