/*
 * The simulated certificate authority: CFSSL's HTTP API, version 1, of one CA and one profile that
 * wants a token. Stricter than CFSSL: a request has what it needs and nothing else.
 */

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "pki/certificate.h"
#include "tests/peers/certificate-authority.h"

#define API "/api/v1/cfssl/"
#define LABEL "mail"
#define PROFILE "S/MIME \"users\""

static const unsigned char key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* As CFSSL: JSON, of type text/plain. */
static void reply_error(struct exchange *x, int status, const char *words)
{
	reply_text(x, status, "text/plain; charset=utf-8", "%s", "");
	buf_puts(&x->reply,
		"{\"success\":false,\"result\":null,\"errors\":[{\"code\":400,\"message\":");
	buf_json_string(&x->reply, words);
	buf_puts(&x->reply, "}],\"messages\":[]}\n");
	snprintf(x->note, sizeof(x->note), "%s", words);
}

static void reply_certificate(struct exchange *x, const struct blob *der)
{
	reply_status(x, 200, "application/json");
	buf_puts(&x->reply, "{\"success\":true,\"result\":{\"certificate\":");
	form_json_pem(&x->reply, der);
	buf_puts(&x->reply, "},\"errors\":[],\"messages\":[]}\n");
}

static bool has_profile(const cJSON *object)
{
	return strcmp(form_member(object, "label"), LABEL) == 0 &&
	       strcmp(form_member(object, "profile"), PROFILE) == 0;
}

static enum err info(struct exchange *x)
{
	static const char *const members[] = {"label", "profile", NULL};
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	cJSON *object = NULL;
	enum err err = ERR_OK;

	if (!form_object(x, members, &object) || !has_profile(object)) {
		reply_error(x, 400, "info: not {label, profile}");
	} else {
		err = authority_chain(x, chain, &x->error);
		if (!err)
			reply_certificate(x, form_issuing(chain));
	}
	authority_chain_free(chain);
	cJSON_Delete(object);
	return err;
}

/* --- authsign */

static bool is_authentic(const cJSON *object, const struct buf *request)
{
	const char *text = form_member(object, "token");
	struct buf token = BUF_INIT(64);
	unsigned char right[32];
	bool is = text_unbase64(text, strlen(text), &token) && token.len == sizeof(right) &&
		  gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, sizeof(key), request->data, request->len,
			  right) == 0 &&
		  memcmp(token.data, right, sizeof(right)) == 0;

	buf_free(&token);
	return is;
}

static const char *fault_of(const cJSON *inner, struct buf *der, char text[256])
{
	const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(inner, "hosts");
	const char *pem = form_member(inner, "certificate_request");
	const char *host = cJSON_GetStringValue(cJSON_GetArrayItem(hosts, 0));
	struct asked asked = {.mail = ""};
	struct blob csr;

	if (cJSON_GetArraySize(inner) != 4 || !has_profile(inner))
		return "not {certificate_request, label, profile, hosts}";
	if (!*pem)
		return "missing parameter 'certificate_request'";
	if (!form_unpem(pem, strlen(pem), "CERTIFICATE REQUEST", der))
		return "CSR Decode failed";
	csr = (struct blob){(unsigned char *)der->data, der->len};
	if (!authority_read(&csr, &asked, text))
		return text;
	if (cJSON_GetArraySize(hosts) != 1 || !host || strcmp(host, asked.mail) != 0)
		return "hosts: not the request's address";
	return NULL;
}

static enum err decide(struct exchange *x, const struct buf *der)
{
	const struct blob csr = {(unsigned char *)der->data, der->len};
	struct decision decision = {.verdict = VERDICT_REFUSED};
	enum err err = authority_request(x, &csr, &decision, &x->error);

	if (err)
		return err;
	switch (decision.verdict) {
	case VERDICT_ISSUED:
		reply_certificate(x, &decision.certificate);
		break;
	case VERDICT_REFUSED:
		reply_error(x, 400, decision.text);
		break;
	case VERDICT_PENDING: /* there is no such thing: it is busy */
	case VERDICT_LATER:
		reply_error(x, 503, decision.text);
		reply_header(x, "Retry-After", "%d", decision.retry_after);
		break;
	}
	blob_free(&decision.certificate);
	return ERR_OK;
}

static enum err sign(struct exchange *x, const struct buf *request)
{
	struct buf der = BUF_INIT(65536);
	cJSON *inner = NULL;
	char text[256] = "";
	struct error ignored;
	const char *fault = "Unable to parse authenticated sign request";
	enum err err = ERR_OK;

	if (json_object(request->data, request->len, &inner, &ignored) == ERR_OK)
		fault = fault_of(inner, &der, text);
	if (fault)
		reply_error(x, 400, fault);
	else
		err = decide(x, &der);
	cJSON_Delete(inner);
	buf_free(&der);
	return err;
}

static enum err authsign(struct exchange *x)
{
	static const char *const members[] = {"token", "request", NULL};
	struct buf request = BUF_INIT(65536);
	cJSON *object = NULL;
	const char *text;
	enum err err = ERR_OK;

	if (!form_object(x, members, &object)) {
		reply_error(x, 400, "authsign: not {token, request}");
		return ERR_OK;
	}
	text = form_member(object, "request");
	if (!text_unbase64(text, strlen(text), &request) || !is_authentic(object, &request)) {
		reply_error(x, 400, "invalid token");
	} else {
		snprintf(x->identity, sizeof(x->identity), "token:standard");
		err = sign(x, &request);
	}
	buf_free(&request);
	cJSON_Delete(object);
	return err;
}

/* --- revoke */

static bool is_reason(const char *reason)
{
	static const char *const reasons[] = {"unspecified", "keyCompromise", "cACompromise",
		"affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn",
		"aACompromise"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i], reason) == 0)
			return true;
	return false;
}

/* RFC 5280, 4.2.1.2: of the issuing CA. */
static enum err is_issuer(struct exchange *x, const char *key_id, bool *out)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	struct certificate_info info;
	enum err err = authority_chain(x, chain, &x->error);

	if (!err)
		err = certificate_info(form_issuing(chain), &info, &x->error);
	if (!err)
		*out = *key_id && strcmp(info.key_id, key_id) == 0;
	authority_chain_free(chain);
	return err;
}

static enum err revoke_it(struct exchange *x, const cJSON *object)
{
	const char *reason = form_member(object, "reason");
	enum revoked revoked = REVOKED_UNKNOWN;
	char serial[SERIAL_HEX_MAX];
	bool ours = false;
	enum err err = is_issuer(x, form_member(object, "authority_key_id"), &ours);

	if (err)
		return err;
	if (!is_reason(reason) || !form_hex_serial(form_member(object, "serial"), serial)) {
		reply_error(x, 400, "Invalid reason code or serial");
		return ERR_OK;
	}
	if (ours)
		err = authority_revoke(x, serial, reason, &revoked, &x->error);
	if (!err && revoked == REVOKED_UNKNOWN)
		reply_error(x, 400, "failed to revoke the certificate: certificate not found");
	else if (!err)
		reply_text(x, 200, "application/json",
			"{\"success\":true,\"result\":{},\"errors\":[],\"messages\":[]}\n");
	return err;
}

static enum err revoke(struct exchange *x)
{
	static const char *const members[] = {"serial", "authority_key_id", "reason", NULL};
	cJSON *object = NULL;
	enum err err = ERR_OK;

	if (form_object(x, members, &object))
		err = revoke_it(x, object);
	else
		reply_error(x, 400, "revoke: not {serial, authority_key_id, reason}");
	cJSON_Delete(object);
	return err;
}

static enum err serve(struct exchange *x)
{
	static const struct {
		const char *path;
		enum err (*serve)(struct exchange *x);
	} operations[] = {{API "info", info}, {API "authsign", authsign}, {API "revoke", revoke}};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(x->path, operations[i].path) == 0 && strcmp(x->method, "POST") == 0)
			return operations[i].serve(x);
	reply_text(x, 404, "text/plain", "404 page not found\n");
	return ERR_OK;
}

const struct front front_cfssl = {API, serve};
