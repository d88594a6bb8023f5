/*
 * The simulated certificate authority: step-ca's API 1.0, with one JWK provisioner. Stricter than
 * step-ca: a request and its token have what they need and nothing else, and what it has not
 * issued cannot be revoked. In the state folder are
 *
 *   step.jwk             the provisioner's key
 *   step-tokens/JTI      each token that was used
 */

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "ca/jwk.h"
#include "ca/jwt.h"
#include "tests/peers/certificate-authority.h"
#include "tests/peers/peer-state.h"

#define API "/1.0/"
#define PROVISIONER "mail \"RA\""
#define KID "mail key"
#define JTI_DIGITS 32
#define LIFETIME 300 /* seconds */
#define CLOCK_LEEWAY 60

static void reply_error(struct exchange *x, int status, const char *words)
{
	reply_text(x, status, "application/json", "{\"status\":%d,\"message\":", status);
	buf_json_string(&x->reply, words);
	buf_puts(&x->reply, "}\n");
	snprintf(x->note, sizeof(x->note), "%s", words);
}

/* --- tokens */

struct token {
	struct buf part[3]; /* header, claims, signature */
	cJSON *header, *claims;
};

static void token_fini(struct token *token)
{
	for (int i = 0; i < 3; i++)
		buf_free(&token->part[i]);
	cJSON_Delete(token->header);
	cJSON_Delete(token->claims);
}

static bool token_read(const char *text, struct token *out)
{
	struct error ignored;

	for (int i = 0; i < 3; i++) {
		size_t len = strcspn(text, ".");

		buf_init(&out->part[i], 65536);
		if (!len || !jwt_unbase64url(text, len, &out->part[i]))
			return false;
		text += len;
		if (*text++ != (i < 2 ? '.' : '\0'))
			return false;
	}
	return json_object(out->part[0].data, out->part[0].len, &out->header, &ignored) == ERR_OK &&
	       json_object(out->part[1].data, out->part[1].len, &out->claims, &ignored) == ERR_OK;
}

/* Of the text up to its last dot, by the public half of the key. */
static bool verifies(struct exchange *x, const char *text, const struct buf *raw)
{
	const gnutls_datum_t input = {
		(unsigned char *)(uintptr_t)text, (unsigned)(strrchr(text, '.') - text)};
	const gnutls_datum_t r = {(unsigned char *)raw->data, 32};
	const gnutls_datum_t s = {(unsigned char *)raw->data + 32, 32};
	gnutls_datum_t der = {NULL, 0};
	gnutls_pubkey_t public = NULL;
	struct jwk jwk = {NULL, NULL};
	struct blob json = {NULL, 0};
	char path[PATH_MAX];
	bool good;

	peer_path(x->state, "step.jwk", path);
	if (file_read_secret(path, &json, &x->error) || jwk_read(&json, &jwk, &x->error)) {
		blob_free(&json);
		return false;
	}
	good = raw->len == 64 && gnutls_encode_rs_value(&der, &r, &s) == 0 &&
	       gnutls_pubkey_init(&public) == 0 &&
	       gnutls_pubkey_import_privkey(public, jwk.key, 0, 0) == 0 &&
	       gnutls_pubkey_verify_data2(public, GNUTLS_SIGN_ECDSA_SHA256, 0, &input, &der) >= 0;
	gnutls_free(der.data);
	if (public)
		gnutls_pubkey_deinit(public);
	jwk_free(&jwk);
	blob_free(&json);
	return good;
}

static double number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static bool is_in_time(const cJSON *claims)
{
	double now = (double)time(NULL), issued = number_of(claims, "iat");
	double begin = number_of(claims, "nbf"), end = number_of(claims, "exp");

	return issued == begin && begin <= now + CLOCK_LEEWAY && end >= now - CLOCK_LEEWAY &&
	       end > begin && end - begin <= LIFETIME;
}

/* Once: the file is there, then. */
static bool is_fresh(struct exchange *x, const char *jti)
{
	char name[64], path[PATH_MAX];
	struct error e;

	if (strlen(jti) != JTI_DIGITS || jti[strspn(jti, "0123456789abcdef")])
		return false;
	snprintf(name, sizeof(name), "step-tokens/%s", jti);
	peer_path(x->state, name, path);
	return file_create(path, 0600, "", 0, &e) == ERR_OK;
}

static bool is_audience(struct exchange *x, const char *said, const char *operation)
{
	char wanted[1024];

	snprintf(wanted, sizeof(wanted), "https://%s" API "%s", request_header(x, "HTTP_HOST"),
		operation);
	return strcmp(said, wanted) == 0;
}

static const char *claims_fault(struct exchange *x, const cJSON *claims, const char *operation,
	const char *subject, const char *mail)
{
	const cJSON *sans = cJSON_GetObjectItemCaseSensitive(claims, "sans");
	const char *san = cJSON_GetStringValue(cJSON_GetArrayItem(sans, 0));

	if (cJSON_GetArraySize(claims) != (mail ? 8 : 7))
		return "token: other claims than it should have";
	if (strcmp(form_member(claims, "iss"), PROVISIONER) != 0)
		return "token: iss is not the provisioner";
	if (strcmp(form_member(claims, "sub"), subject) != 0)
		return "token: sub is not what the request is about";
	if (!is_audience(x, form_member(claims, "aud"), operation))
		return "token: aud is another";
	if (mail && (cJSON_GetArraySize(sans) != 1 || !san || strcmp(san, mail) != 0))
		return "token: sans is not the request's address";
	if (!is_in_time(claims))
		return "token: not valid now, or for too long";
	return is_fresh(x, form_member(claims, "jti")) ? NULL : "token already used";
}

/* NULL: it lets in. mail: NULL where no certificate is asked for. */
static const char *token_fault(struct exchange *x, const char *text, const char *operation,
	const char *subject, const char *mail)
{
	struct token token = {.header = NULL};
	const char *fault = "token: not a JWS in its compact form";

	if (token_read(text, &token)) {
		if (cJSON_GetArraySize(token.header) != 3 ||
			strcmp(form_member(token.header, "alg"), "ES256") != 0 ||
			strcmp(form_member(token.header, "typ"), "JWT") != 0 ||
			strcmp(form_member(token.header, "kid"), KID) != 0)
			fault = "token: its header is not {alg, typ, kid}";
		else if (!verifies(x, text, &token.part[2]))
			fault = "token: its signature is wrong";
		else
			fault = claims_fault(x, token.claims, operation, subject, mail);
	}
	token_fini(&token);
	if (!fault)
		snprintf(x->identity, sizeof(x->identity), "token:" KID);
	return fault;
}

/* --- sign */

static enum err answer_issued(struct exchange *x, const struct decision *decision)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	enum err err = authority_chain(x, chain, &x->error);

	if (err)
		return err;
	reply_status(x, 201, "application/json");
	buf_puts(&x->reply, "{\"crt\":");
	form_json_pem(&x->reply, &decision->certificate);
	buf_puts(&x->reply, ",\"ca\":");
	form_json_pem(&x->reply, &chain[0]);
	buf_puts(&x->reply, ",\"certChain\":[");
	form_json_pem(&x->reply, &decision->certificate);
	for (size_t i = 0; i < AUTHORITY_CHAIN; i++) {
		buf_putc(&x->reply, ',');
		form_json_pem(&x->reply, &chain[i]);
	}
	buf_puts(&x->reply, "]}\n");
	authority_chain_free(chain);
	return ERR_OK;
}

static enum err decide(struct exchange *x, const struct blob *csr)
{
	struct decision decision = {.verdict = VERDICT_REFUSED};
	enum err err = authority_request(x, csr, &decision, &x->error);

	if (!err && decision.verdict == VERDICT_ISSUED) {
		err = answer_issued(x, &decision);
	} else if (!err && decision.verdict == VERDICT_REFUSED) {
		reply_error(x, 403, decision.text);
	} else if (!err) { /* nothing is ever pending: it is busy */
		reply_error(x, 503, decision.text);
		reply_header(x, "Retry-After", "%d", decision.retry_after);
	}
	blob_free(&decision.certificate);
	return err;
}

/* The common name, which here stands first, or else the address. */
static void subject_of(const struct asked *asked, char out[512])
{
	if (strncmp(asked->subject, "CN=", 3) == 0)
		snprintf(out, 512, "%.*s", (int)strcspn(asked->subject + 3, ","),
			asked->subject + 3);
	else
		snprintf(out, 512, "%s", asked->mail);
}

static enum err sign(struct exchange *x)
{
	static const char *const members[] = {"csr", "ott", NULL};
	char text[256] = "csr: not a certificate request in PEM", subject[512];
	struct asked asked = {.mail = ""};
	struct buf der = BUF_INIT(65536);
	const char *pem, *fault = text;
	cJSON *object = NULL;
	struct blob csr = {NULL, 0};
	enum err err = ERR_OK;

	if (!form_object(x, members, &object)) {
		reply_error(x, 400, "sign: not {csr, ott}");
		return ERR_OK;
	}
	pem = form_member(object, "csr");
	if (form_unpem(pem, strlen(pem), "CERTIFICATE REQUEST", &der)) {
		csr = (struct blob){(unsigned char *)der.data, der.len};
		if (authority_read(&csr, &asked, text)) {
			subject_of(&asked, subject);
			fault = token_fault(
				x, form_member(object, "ott"), "sign", subject, asked.mail);
		}
	}
	if (fault)
		reply_error(x, fault == text ? 400 : 401, fault);
	else
		err = decide(x, &csr);
	buf_free(&der);
	cJSON_Delete(object);
	return err;
}

/* --- revoke */

/* RFC 5280, 5.3.1 */
static bool is_reason(const cJSON *object)
{
	static const char *const reasons[] = {"unspecified", "keyCompromise", "cACompromise",
		"affiliationChanged", "superseded", "cessationOfOperation", "", "", "",
		"privilegeWithdrawn", "aACompromise"};
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(object, "reasonCode");
	const char *reason = form_member(object, "reason");

	return cJSON_IsNumber(code) && code->valueint >= 0 &&
	       (size_t)code->valueint < sizeof(reasons) / sizeof(reasons[0]) && *reason &&
	       strcmp(reasons[code->valueint], reason) == 0;
}

static enum err revoke_it(struct exchange *x, const cJSON *object)
{
	const char *decimal = form_member(object, "serial");
	enum revoked revoked = REVOKED_UNKNOWN;
	char serial[SERIAL_HEX_MAX];
	const char *fault = NULL;
	enum err err = ERR_OK;

	if (!form_hex_serial(decimal, serial) || !is_reason(object) ||
		!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "passive"))) {
		reply_error(x, 400, "revoke: serial, reason or passive");
		return ERR_OK;
	}
	fault = token_fault(x, form_member(object, "ott"), "revoke", decimal, NULL);
	if (fault) {
		reply_error(x, 401, fault);
		return ERR_OK;
	}
	err = authority_revoke(x, serial, form_member(object, "reason"), &revoked, &x->error);
	if (!err && revoked == REVOKED_UNKNOWN)
		reply_error(x, 404, "there is no such certificate");
	else if (!err && revoked == REVOKED_BEFORE)
		reply_error(x, 400, "certificate with serial number is already revoked");
	else if (!err)
		reply_text(x, 200, "application/json", "{\"status\":\"ok\"}\n");
	return err;
}

static enum err revoke(struct exchange *x)
{
	static const char *const members[] = {
		"serial", "ott", "reasonCode", "reason", "passive", NULL};
	cJSON *object = NULL;
	enum err err = ERR_OK;

	if (form_object(x, members, &object))
		err = revoke_it(x, object);
	else
		reply_error(x, 400, "revoke: not {serial, ott, reasonCode, reason, passive}");
	cJSON_Delete(object);
	return err;
}

/* --- what anybody may ask */

static enum err health(struct exchange *x)
{
	reply_text(x, 200, "application/json", "{\"status\":\"ok\"}\n");
	return ERR_OK;
}

/* On two pages: ours is on the second. */
static enum err provisioners(struct exchange *x)
{
	if (strcmp(x->query, "limit=100&cursor=") == 0)
		reply_text(x, 200, "application/json",
			"{\"provisioners\":[{\"type\":\"ACME\",\"name\":\"acme\"},{\"type\":"
			"\"JWK\","
			"\"name\":\"other\",\"key\":{\"kid\":\"" KID "\"}}],"
			"\"nextCursor\":\"00a1\"}\n");
	else if (strcmp(x->query, "limit=100&cursor=00a1") == 0)
		reply_text(x, 200, "application/json",
			"{\"provisioners\":[{\"type\":\"JWK\",\"name\":\"mail \\\"RA\\\"\","
			"\"key\":{\"kid\":\"" KID "\"}}],\"nextCursor\":\"\"}\n");
	else
		reply_error(x, 400, "provisioners: another page");
	return ERR_OK;
}

static enum err list_one(struct exchange *x, bool root, int status)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	const struct blob *issuing;
	enum err err = authority_chain(x, chain, &x->error);

	if (err)
		return err;
	issuing = form_issuing(chain);
	reply_status(x, status, "application/json");
	buf_puts(&x->reply, "{\"crts\":[");
	form_json_pem(&x->reply, root == (issuing == &chain[0]) ? &chain[1] : &chain[0]);
	buf_puts(&x->reply, "]}\n");
	authority_chain_free(chain);
	return ERR_OK;
}

static enum err roots(struct exchange *x)
{
	return list_one(x, true, 201);
}

static enum err intermediates(struct exchange *x)
{
	return list_one(x, false, 200);
}

static enum err serve(struct exchange *x)
{
	static const struct {
		const char *method, *path;
		enum err (*serve)(struct exchange *x);
	} operations[] = {{"GET", API "health", health}, {"GET", API "provisioners", provisioners},
		{"GET", API "roots", roots}, {"GET", API "intermediates", intermediates},
		{"POST", API "sign", sign}, {"POST", API "revoke", revoke}};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(x->path, operations[i].path) == 0 &&
			strcmp(x->method, operations[i].method) == 0)
			return operations[i].serve(x);
	reply_text(x, 404, "text/plain", "404 page not found\n");
	return ERR_OK;
}

const struct front front_step = {API, serve};
