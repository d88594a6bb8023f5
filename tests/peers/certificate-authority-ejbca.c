/*
 * The simulated certificate authority: EJBCA's REST API, v1. Stricter than it is: a request has
 * what it needs and nothing else, and an end entity is named for its request. Whoever asks shows
 * a client certificate. In the state folder are
 *
 *   ejbca/NAME           the password of that end entity
 *   ejbca/key-DIGEST     whose key that is: nobody else gets a certificate for it
 *   ejbca/request-N      the end entity whose request waits, or has waited
 *   ejbca/finalized-N    it has its certificate
 *   ejbca-version        7: a link alone says where a request that waits is finalized
 */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/peers/certificate-authority.h"
#include "tests/peers/peer-state.h"

#define API "/ejbca/ejbca-rest-api/v1"
#define CA_NAME "Mail CA"
#define DIGITS 32
#define NAME_SIZE 128
#define PASSWORD_LEAST 32

static void reply_error(struct exchange *x, int status, const char *words)
{
	reply_text(x, status, "application/json", "%s", "");
	buf_printf(&x->reply, "{\"error_code\":%d,\"error_message\":", status);
	buf_json_string(&x->reply, words);
	buf_puts(&x->reply, "}\n");
	snprintf(x->note, sizeof(x->note), "%s", words);
}

/* --- files */

static bool has(const struct exchange *x, const char *what, const char *name)
{
	char path[PATH_MAX], file[NAME_SIZE];

	snprintf(file, sizeof(file), "ejbca/%s%s", what, name);
	peer_path(x->state, file, path);
	return access(path, F_OK) == 0;
}

/* "": there is none. */
static void get(
	const struct exchange *x, const char *what, const char *name, char line[PEER_LINE_MAX])
{
	char file[NAME_SIZE];

	snprintf(file, sizeof(file), "ejbca/%s%s", what, name);
	if (!peer_line(x->state, file, true, line))
		*line = '\0';
}

static enum err put(struct exchange *x, const char *what, const char *name, const char *line)
{
	char path[PATH_MAX], file[NAME_SIZE];

	snprintf(file, sizeof(file), "ejbca/%s%s", what, name);
	peer_path(x->state, file, path);
	return file_replace(path, 0600, line, strlen(line), &x->error);
}

/* --- enroll */

enum other_form { OTHER_TWICE = 1, OTHER_PEM, OTHER_PEM_BASE64 };

static void put_certificate(const struct exchange *x, struct buf *out, const struct blob *der)
{
	struct buf inner = BUF_INIT(65536);
	int64_t form = mode_form(x);

	if (form == OTHER_PEM) {
		form_json_pem(out, der);
		return;
	}
	if (form == OTHER_TWICE)
		buf_base64(&inner, der->data, der->len);
	else if (form == OTHER_PEM_BASE64)
		form_pem(&inner, "CERTIFICATE", der);
	else
		buf_append(&inner, der->data, der->len);
	buf_putc(out, '"');
	buf_base64(out, inner.data, inner.len);
	buf_putc(out, '"');
	buf_free(&inner);
}

static enum err answer_issued(
	struct exchange *x, const struct decision *decision, int status, bool with_chain)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	enum err err = authority_chain(x, chain, &x->error);

	if (err)
		return err;
	reply_status(x, status, "application/json");
	buf_puts(&x->reply, "{\"certificate\":");
	put_certificate(x, &x->reply, &decision->certificate);
	buf_printf(&x->reply, ",\"serial_number\":\"%s\",\"response_format\":\"DER\"",
		decision->serial);
	for (size_t i = 0; with_chain && i < AUTHORITY_CHAIN; i++) {
		buf_puts(&x->reply, i ? "," : ",\"certificate_chain\":[");
		put_certificate(x, &x->reply, &chain[i]);
	}
	buf_puts(&x->reply, with_chain ? "]}\n" : "}\n");
	authority_chain_free(chain);
	return ERR_OK;
}

static void answer_pending(struct exchange *x, const struct decision *decision)
{
	char line[PEER_LINE_MAX] = "8", id[64];

	peer_line(x->state, "ejbca-version", true, line);
	snprintf(id, sizeof(id), "\"request_id\":%lld,", (long long)decision->number);
	reply_text(x, 202, "application/json",
		"{\"status_code\":202,\"info_message\":\"%s\",%s\"link\":\"https://%s" API
		"/certificate/%lld/finalize\"}\n",
		decision->text, strcmp(line, "7") == 0 ? "" : id, request_header(x, "HTTP_HOST"),
		(long long)decision->number);
}

static enum err answer_decision(
	struct exchange *x, const struct decision *decision, int status, bool with_chain)
{
	switch (decision->verdict) {
	case VERDICT_ISSUED:
		return answer_issued(x, decision, status, with_chain);
	case VERDICT_PENDING:
		answer_pending(x, decision);
		break;
	case VERDICT_REFUSED:
		reply_error(x, 400, decision->text);
		break;
	case VERDICT_LATER:
		reply_error(x, 503, decision->text);
		break;
	}
	return ERR_OK;
}

/* The names that lib-ca.sh configures, and what an order makes by itself. */
static const char *fault_of(const cJSON *object, const struct asked *asked, const char *digest)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "certprov-%s-%.*s", usage_names[asked->usage], DIGITS, digest);
	if (strcmp(form_member(object, "certificate_authority_name"), CA_NAME) != 0)
		return "certificate_authority_name: no such CA";
	if (strcmp(form_member(object, "certificate_profile_name"), "S/MIME") != 0)
		return "certificate_profile_name: no such profile";
	if (strcmp(form_member(object, "end_entity_profile_name"), "Mail \"Users\"") != 0)
		return "end_entity_profile_name: no such profile";
	if (strcmp(form_member(object, "username"), name) != 0)
		return "username: not the request's own";
	if (strlen(form_member(object, "password")) < PASSWORD_LEAST)
		return "password: too short";
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "include_chain")))
		return "include_chain: not true";
	return NULL;
}

/* An end entity keeps its password, and its key. */
static const char *fault_of_entity(
	const struct exchange *x, const cJSON *object, const struct asked *asked)
{
	char password[PEER_LINE_MAX], owner[PEER_LINE_MAX];
	const char *name = form_member(object, "username");

	get(x, "", name, password);
	get(x, "key-", asked->key, owner);
	if (*password && strcmp(password, form_member(object, "password")) != 0)
		return "password: another than last time";
	if (*owner && strcmp(owner, name) != 0)
		return "the key is another end entity's";
	return NULL;
}

static enum err keep_entity(
	struct exchange *x, const cJSON *object, const struct asked *asked, int64_t number)
{
	const char *name = form_member(object, "username");
	char text[32];
	enum err err = put(x, "", name, form_member(object, "password"));

	snprintf(text, sizeof(text), "%lld", (long long)number);
	if (!err)
		err = put(x, "key-", asked->key, name);
	if (!err && number)
		err = put(x, "request-", text, name);
	return err;
}

static enum err enroll_it(struct exchange *x, const cJSON *object, const struct blob *csr)
{
	struct decision decision = {.verdict = VERDICT_REFUSED};
	struct asked asked = {.mail = ""};
	char digest[DIGEST_HEX_SIZE], text[256] = "";
	const char *fault = text;
	enum err err = digest_hex(csr->data, csr->len, digest, &x->error);

	if (!err && authority_read(csr, &asked, text))
		fault = fault_of(object, &asked, digest);
	if (!fault)
		fault = fault_of_entity(x, object, &asked);
	if (fault) {
		reply_error(x, 400, fault);
		return err;
	}
	if (!err)
		err = authority_request(x, csr, &decision, &x->error);
	if (!err)
		err = keep_entity(x, object, &asked, decision.number);
	if (!err)
		err = answer_decision(x, &decision, 201, true);
	blob_free(&decision.certificate);
	return err;
}

static enum err enroll(struct exchange *x, const char *unused)
{
	static const char *const members[] = {"certificate_request", "certificate_profile_name",
		"end_entity_profile_name", "certificate_authority_name", "username", "password",
		"include_chain", NULL};
	struct buf der = BUF_INIT(65536);
	cJSON *object = NULL;
	enum err err = ERR_OK;
	const char *pem;

	(void)unused;
	if (!form_object(x, members, &object)) {
		reply_error(x, 400, "pkcs10enroll: not what a request has");
		return ERR_OK;
	}
	pem = form_member(object, "certificate_request");
	if (form_unpem(pem, strlen(pem), "CERTIFICATE REQUEST", &der)) {
		const struct blob csr = {(unsigned char *)der.data, der.len};

		err = enroll_it(x, object, &csr);
	} else {
		reply_error(x, 400, "certificate_request: not PEM");
	}
	cJSON_Delete(object);
	buf_free(&der);
	return err;
}

/* --- finalize */

static enum err finalize_it(struct exchange *x, const char *id, int64_t number)
{
	struct decision decision = {.verdict = VERDICT_REFUSED};
	enum err err = authority_poll(x, number, &decision, &x->error);

	if (!err)
		err = answer_decision(x, &decision, 200, false);
	if (!err && decision.verdict == VERDICT_ISSUED)
		err = put(x, "finalized-", id, "yes");
	blob_free(&decision.certificate);
	return err;
}

static enum err finalize(struct exchange *x, const char *id)
{
	static const char *const members[] = {"password", "response_format", NULL};
	char name[PEER_LINE_MAX], password[PEER_LINE_MAX];
	cJSON *object = NULL;
	enum err err = ERR_OK;
	int64_t number = 0;

	if (!text_number(id, INT32_MAX, &number) || !has(x, "request-", id)) {
		reply_error(x, 400, "Could not find request with that Id");
		return ERR_OK;
	}
	get(x, "request-", id, name);
	get(x, "", name, password);
	if (!form_object(x, members, &object) ||
		strcmp(form_member(object, "response_format"), "DER") != 0)
		reply_error(x, 400, "finalize: not {password, response_format: DER}");
	else if (strcmp(form_member(object, "password"), password) != 0)
		reply_error(x, 403, "password: not the end entity's");
	else if (has(x, "finalized-", id))
		reply_error(x, 400, "Enrollment with that Id has already been finalized");
	else
		err = finalize_it(x, id, number);
	cJSON_Delete(object);
	return err;
}

/* --- its CAs */

static enum err list(struct exchange *x, const char *unused)
{
	char issuer[512] = "";
	enum err err = authority_issuer(x, issuer, &x->error);

	(void)unused;
	if (err)
		return err;
	reply_status(x, 200, "application/json");
	buf_puts(&x->reply, "{\"certificate_authorities\":[{\"id\":1,\"name\":\"Management CA\","
			    "\"subject_dn\":\"CN=Management CA\"},"
			    "{\"id\":-2,\"name\":\"" CA_NAME "\",\"subject_dn\":");
	buf_json_string(&x->reply, issuer);
	buf_puts(&x->reply, "}]}\n");
	return ERR_OK;
}

/* All but unreserved characters have to be encoded. */
static bool is_issuer(struct exchange *x, const char *encoded)
{
	struct buf right = BUF_INIT(4096);
	char issuer[512] = "";
	bool is;

	if (authority_issuer(x, issuer, &x->error))
		return false;
	buf_percent(&right, issuer);
	is = right.data && strcmp(right.data, encoded) == 0;
	buf_free(&right);
	return is;
}

static enum err download(struct exchange *x, const char *encoded)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	enum err err = ERR_OK;

	if (!is_issuer(x, encoded)) {
		reply_error(x, 404, "no CA has that subject");
		return ERR_OK;
	}
	err = authority_chain(x, chain, &x->error);
	if (err)
		return err;
	reply_status(x, 200, "application/octet-stream");
	for (size_t i = 0; i < AUTHORITY_CHAIN; i++) {
		buf_puts(&x->reply, "Subject: of this one\n");
		form_pem(&x->reply, "CERTIFICATE", &chain[i]);
	}
	authority_chain_free(chain);
	return ERR_OK;
}

/* --- revoke */

static bool is_reason(const char *query)
{
	static const char *const reasons[] = {"UNSPECIFIED", "KEY_COMPROMISE", "CA_COMPROMISE",
		"AFFILIATION_CHANGED", "SUPERSEDED", "CESSATION_OF_OPERATION",
		"PRIVILEGES_WITHDRAWN", "AA_COMPROMISE"};
	static const char name[] = "reason=";

	if (strncmp(query, name, strlen(name)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(query + strlen(name), reasons[i]) == 0)
			return true;
	return false;
}

/* what: ISSUER/SERIAL */
static enum err revoke_it(struct exchange *x, const char *what)
{
	const char *slash = strchr(what, '/');
	enum revoked revoked = REVOKED_UNKNOWN;
	char encoded[2048];
	enum err err = ERR_OK;

	snprintf(encoded, sizeof(encoded), "%.*s", slash ? (int)(slash - what) : 0, what);
	if (!is_reason(x->query) || x->body.len) {
		reply_error(x, 400, "Invalid revocation reason.");
		return ERR_OK;
	}
	if (slash && is_issuer(x, encoded))
		err = authority_revoke(
			x, slash + 1, x->query + strlen("reason="), &revoked, &x->error);
	if (err)
		return err;
	if (revoked == REVOKED_UNKNOWN)
		reply_error(x, 404, "Certificate with that serial number and issuer not found");
	else if (revoked == REVOKED_BEFORE)
		reply_error(x, 409, "it has already been revoked");
	else
		reply_text(x, 200, "application/json",
			"{\"message\":\"Successfully revoked\",\"revoked\":true}\n");
	return ERR_OK;
}

static const struct operation {
	const char *prefix, *suffix; /* what is between them is its argument */
	const char *method;
	enum err (*serve)(struct exchange *x, const char *argument);
} operations[] = {
	{API "/certificate/pkcs10enroll", "", "POST", enroll},
	{API "/certificate/", "/finalize", "POST", finalize},
	{API "/certificate/", "/revoke", "PUT", revoke_it},
	{API "/ca", "", "GET", list},
	{API "/ca/", "/certificate/download", "GET", download},
};

static bool matches(const struct exchange *x, const struct operation *o, char argument[2048])
{
	size_t len = strlen(x->path), before = strlen(o->prefix), behind = strlen(o->suffix);

	if (len < before + behind || strncmp(x->path, o->prefix, before) != 0 ||
		strcmp(x->path + len - behind, o->suffix) != 0 || (!behind && len != before))
		return false;
	snprintf(argument, 2048, "%.*s", (int)(len - before - behind), x->path + before);
	return true;
}

static enum err serve(struct exchange *x)
{
	char argument[2048];

	if (strncmp(x->identity, "certificate:", strlen("certificate:")) != 0) {
		reply_error(x, 403, "Error no client certificate or OAuth token received");
		return ERR_OK;
	}
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(x->method, operations[i].method) == 0 &&
			matches(x, &operations[i], argument))
			return operations[i].serve(x, argument);
	reply_error(x, 404, "HTTP 404 Not Found");
	return ERR_OK;
}

const struct front front_ejbca = {API "/", serve};
