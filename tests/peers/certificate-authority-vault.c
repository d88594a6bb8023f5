/*
 * The simulated certificate authority: the PKI secrets engine of HashiCorp Vault and OpenBao,
 * HTTP API v1, with logins by AppRole and by TLS certificate. Stricter than they are: a request
 * has what it needs and nothing else. In the state folder are
 *
 *   vault-tokens/TOKEN   "MILLISECONDS NAME": until when it is good (0: for ever), of whom
 *   vault-role           "ROLE-ID SECRET-ID"
 *   vault-lease          seconds that a login is said to be good for (0: for ever), and, if
 *                        there is another number, is; none: 3600
 *   vault-namespace      the only namespace; none: there are no namespaces
 *   vault-status         what every request is answered with, and in which words; none: as it is
 *   vault-policy         the capabilities of every token, JSON; none: ["update"]
 */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "pki/certificate.h"
#include "tests/peers/certificate-authority.h"
#include "tests/peers/peer-state.h"

#define MOUNT "mail/pki"
#define ROLE_ENCODED "user%40smime"
#define ROLE "user@smime"
#define TOKEN_SIZE 64
#define LEASE 3600
#define VALIDITY_MAX (3650LL * 86400)

static void reply_errors(struct exchange *x, int status, const char *words)
{
	reply_text(x, status, "application/json", "%s", "");
	buf_puts(&x->reply, "{\"errors\":[");
	buf_json_string(&x->reply, words);
	buf_puts(&x->reply, "]}\n");
	snprintf(x->note, sizeof(x->note), "%s", words);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* --- tokens */

static bool is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	return *text && *text != '.' && text[strspn(text, allowed)] == '\0';
}

/* True: it is good, and x->identity says whose. */
static bool has_token(struct exchange *x)
{
	const char *token = request_header(x, "HTTP_X_VAULT_TOKEN");
	char name[PEER_LINE_MAX], line[PEER_LINE_MAX], *whose = NULL;
	int64_t until = 0;

	if (!is_name(token))
		return false;
	snprintf(name, sizeof(name), "vault-tokens/%.200s", token);
	if (!peer_line(x->state, name, true, line))
		return false;
	until = strtoll(peer_word(line, &whose), NULL, 10);
	snprintf(x->identity, sizeof(x->identity), "token:%.100s", whose);
	return !until || now_ms() < until;
}

static enum err give_token(struct exchange *x, const char *whose)
{
	unsigned char random[12];
	char token[TOKEN_SIZE] = "hvs.", name[PATH_MAX], path[PATH_MAX], line[PEER_LINE_MAX],
	     *rest = NULL;
	int64_t lease = LEASE, real = LEASE;
	enum err err = secret_random(random, sizeof(random), &x->error);

	if (err)
		return err;
	text_hex(random, sizeof(random), token + strlen(token));
	if (peer_line(x->state, "vault-lease", true, line)) {
		lease = strtoll(peer_word(line, &rest), NULL, 10);
		real = *rest ? strtoll(rest, NULL, 10) : lease;
	}
	snprintf(name, sizeof(name), "vault-tokens/%s", token);
	peer_path(x->state, name, path);
	snprintf(line, sizeof(line), "%lld %s\n", (long long)(real ? now_ms() + real * 1000 : 0),
		whose);
	err = file_create(path, 0600, line, strlen(line), &x->error);
	if (err)
		return err;
	snprintf(x->identity, sizeof(x->identity), "login:%s", whose);
	reply_text(x, 200, "application/json",
		"{\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,\"data\":null,"
		"\"auth\":{\"client_token\":\"%s\",\"accessor\":\"x\",\"policies\":[\"default\"],"
		"\"lease_duration\":%lld,\"renewable\":true}}\n",
		token, (long long)lease);
	return ERR_OK;
}

static enum err login_by_role(struct exchange *x)
{
	static const char *const members[] = {"role_id", "secret_id", NULL};
	char line[PEER_LINE_MAX] = "", *secret = NULL;
	const char *role;
	cJSON *object = NULL;
	bool good;

	if (!form_object(x, members, &object)) {
		reply_errors(x, 400, "login: not {role_id, secret_id}");
		return ERR_OK;
	}
	peer_line(x->state, "vault-role", true, line);
	role = peer_word(line, &secret);
	good = *role && strcmp(form_member(object, "role_id"), role) == 0 &&
	       strcmp(form_member(object, "secret_id"), secret) == 0;
	cJSON_Delete(object);
	if (good)
		return give_token(x, "approle");
	reply_errors(x, 400, "invalid role or secret ID");
	return ERR_OK;
}

static enum err login_by_certificate(struct exchange *x)
{
	static const char *const members[] = {NULL};
	cJSON *object = NULL;

	if (strcmp(request_header(x, "CLIENT_VERIFY"), "SUCCESS") != 0)
		reply_errors(x, 400, "client certificate must be supplied");
	else if (!form_object(x, members, &object))
		reply_errors(x, 400, "login: not {}");
	else
		return give_token(x, "cert");
	return ERR_OK;
}

/* --- sign */

static void put_serial(struct buf *out, const char *hex)
{
	for (size_t i = 0; hex[i] && hex[i + 1]; i += 2)
		buf_printf(out, "%s%.2s", i ? ":" : "", hex + i);
}

static enum err answer_issued(struct exchange *x, const struct decision *decision)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	enum err err = authority_chain(x, chain, &x->error);

	if (err)
		return err;
	reply_status(x, 200, "application/json");
	buf_puts(&x->reply, "{\"lease_id\":\"\",\"warnings\":null,\"auth\":null,\"data\":{"
			    "\"certificate\":");
	form_json_pem(&x->reply, &decision->certificate);
	buf_puts(&x->reply, ",\"issuing_ca\":");
	form_json_pem(&x->reply, &chain[0]);
	buf_puts(&x->reply, ",\"ca_chain\":[");
	if (mode_form(x)) /* an issuer whose own chain it was never given */
		buf_puts(&x->reply, "\"\",");
	for (size_t i = 0; i < AUTHORITY_CHAIN; i++) {
		buf_puts(&x->reply, i ? "," : "");
		form_json_pem(&x->reply, &chain[i]);
	}
	buf_puts(&x->reply, "],\"serial_number\":\"");
	put_serial(&x->reply, decision->serial);
	buf_puts(&x->reply, "\"}}\n");
	authority_chain_free(chain);
	return ERR_OK;
}

static enum err answer_decision(struct exchange *x, const struct decision *decision)
{
	switch (decision->verdict) {
	case VERDICT_ISSUED:
		return answer_issued(x, decision);
	case VERDICT_REFUSED:
		reply_errors(x, 400, decision->text);
		break;
	case VERDICT_PENDING: /* there is no such thing: it is busy */
	case VERDICT_LATER:
		reply_errors(x, 429, decision->text);
		reply_header(x, "Retry-After", "%d", decision->retry_after);
		break;
	}
	return ERR_OK;
}

/* Number of seconds and "s"; a certificate's validity. */
static bool is_ttl(const char *text)
{
	char digits[32];
	int64_t seconds = 0;
	size_t len = strlen(text);

	snprintf(digits, sizeof(digits), "%.*s", len ? (int)len - 1 : 0, text);
	return len && len < sizeof(digits) && text[len - 1] == 's' &&
	       text_number(digits, VALIDITY_MAX, &seconds) && seconds >= 86400;
}

/* What stands beside the request has to be the same; SmtpUTF8Mailbox (RFC 9598) in it alone. */
static const char *fault_of(const cJSON *object, const struct asked *asked)
{
	const char *address = form_member(object, "alt_names");
	bool ascii = true;
	char name[600];

	for (const char *c = asked->mail; *c; c++)
		ascii = ascii && (unsigned char)*c < 0x80;
	snprintf(name, sizeof(name), "CN=%s,", form_member(object, "common_name"));
	if (strncmp(asked->subject, name, strlen(name)) != 0)
		return "common_name: not the request's";
	if (strcmp(address, ascii ? asked->mail : "") != 0)
		return "alt_names: not the request's";
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "exclude_cn_from_sans")))
		return "exclude_cn_from_sans: not true";
	if (!is_ttl(form_member(object, "ttl")))
		return "ttl: not a number of seconds";
	return strcmp(form_member(object, "format"), "pem") == 0 ? NULL : "format: not pem";
}

/* A certificate that would outlast its issuer; "vault-end": that of the role's, which nobody tells.
 */
static bool outlasts(struct exchange *x, const char *ttl, char text[256])
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	int64_t now = clock_now(), end = now + strtoll(ttl, NULL, 10), limit = INT64_MAX;
	char line[PEER_LINE_MAX], until[CLOCK_RFC3339_SIZE], last[CLOCK_RFC3339_SIZE];
	struct certificate_info info;

	if (authority_chain(x, chain, &x->error) == ERR_OK &&
		certificate_info(&chain[0], &info, &x->error) == ERR_OK)
		limit = info.not_after;
	authority_chain_free(chain);
	if (peer_line(x->state, "vault-end", true, line))
		limit = now + strtoll(line, NULL, 10);
	if (end <= limit)
		return false;
	clock_rfc3339(end, until);
	clock_rfc3339(limit, last);
	snprintf(text, 256,
		"cannot satisfy request, as TTL would result in notAfter of %s that is beyond the "
		"expiration of the CA certificate at %s",
		until, last);
	return true;
}

static enum err sign_it(struct exchange *x, const cJSON *object)
{
	struct decision decision = {.verdict = VERDICT_REFUSED};
	const char *pem = form_member(object, "csr"), *fault;
	struct buf der = BUF_INIT(65536);
	struct asked asked = {.mail = ""};
	char text[256] = "csr: not a certificate request in PEM";
	enum err err = ERR_OK;
	struct blob csr;

	if (!form_unpem(pem, strlen(pem), "CERTIFICATE REQUEST", &der)) {
		reply_errors(x, 400, text);
		return ERR_OK;
	}
	csr = (struct blob){(unsigned char *)der.data, der.len};
	fault = authority_read(&csr, &asked, text) ? fault_of(object, &asked) : text;
	if (!fault && outlasts(x, form_member(object, "ttl"), text))
		fault = text;
	if (fault)
		reply_errors(x, 400, fault);
	else
		err = authority_request(x, &csr, &decision, &x->error);
	if (!err && !fault)
		err = answer_decision(x, &decision);
	blob_free(&decision.certificate);
	buf_free(&der);
	return err;
}

static enum err sign(struct exchange *x)
{
	static const char *const members[] = {
		"csr", "common_name", "alt_names", "exclude_cn_from_sans", "ttl", "format", NULL};
	static const char *const members_utf8[] = {
		"csr", "common_name", "exclude_cn_from_sans", "ttl", "format", NULL};
	char policy[PEER_LINE_MAX] = "update";
	cJSON *object = NULL;
	enum err err = ERR_OK;

	peer_line(x->state, "vault-policy", true, policy);
	if (!strstr(policy, "update"))
		reply_errors(x, 403, "permission denied");
	else if (!form_object(x, members, &object) && !form_object(x, members_utf8, &object))
		reply_errors(x, 400, "sign: not what a request has");
	else
		err = sign_it(x, object);
	cJSON_Delete(object);
	return err;
}

/* --- the others */

static enum err ca_chain(struct exchange *x)
{
	struct blob chain[AUTHORITY_CHAIN] = {{NULL, 0}};
	struct buf pem = BUF_INIT(65536);
	enum err err = authority_chain(x, chain, &x->error);

	if (err)
		return err;
	for (size_t i = 0; i < AUTHORITY_CHAIN; i++)
		form_pem(&pem, "CERTIFICATE", &chain[i]);
	reply_status(x, 200, "application/json");
	buf_puts(&x->reply, "{\"data\":{\"certificate\":");
	buf_json_string(&x->reply, pem.data);
	buf_puts(&x->reply, ",\"revocation_time\":0}}\n");
	buf_free(&pem);
	authority_chain_free(chain);
	return ERR_OK;
}

static enum err capabilities(struct exchange *x)
{
	static const char *const members[] = {"paths", NULL};
	const char path[] = MOUNT "/sign/" ROLE;
	char line[PEER_LINE_MAX] = "[\"update\"]";
	cJSON *object = NULL;
	const cJSON *paths;
	const char *asked;

	if (!form_object(x, members, &object)) {
		reply_errors(x, 400, "capabilities: not {paths}");
		return ERR_OK;
	}
	paths = cJSON_GetObjectItemCaseSensitive(object, "paths");
	asked = cJSON_GetStringValue(cJSON_GetArrayItem(paths, 0));
	peer_line(x->state, "vault-policy", true, line);
	if (cJSON_GetArraySize(paths) != 1 || !asked || strcmp(asked, path) != 0)
		reply_errors(x, 400, "capabilities: another path");
	else
		reply_text(x, 200, "application/json",
			"{\"capabilities\":%s,\"%s\":%s,\"data\":{\"capabilities\":%s,"
			"\"%s\":%s}}\n",
			line, path, line, line, path, line);
	cJSON_Delete(object);
	return ERR_OK;
}

/* "0a:1b" to "0a1b". */
static bool read_serial(const char *text, char out[SERIAL_HEX_MAX])
{
	size_t len = strlen(text), n = 0;

	if (len % 3 != 2 || len / 3 * 2 + 2 >= SERIAL_HEX_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (i % 3 == 2 && text[i] != ':')
			return false;
		if (i % 3 != 2)
			out[n++] = text[i];
	}
	out[n] = '\0';
	return out[strspn(out, "0123456789abcdef")] == '\0';
}

static enum err revoke_it(struct exchange *x)
{
	static const char *const members[] = {"serial_number", NULL};
	enum revoked revoked = REVOKED_UNKNOWN;
	char serial[SERIAL_HEX_MAX] = "";
	cJSON *object = NULL;
	enum err err = ERR_OK;

	if (!form_object(x, members, &object) ||
		!read_serial(form_member(object, "serial_number"), serial))
		reply_errors(x, 400, "revoke: not {serial_number: aa:bb:...}");
	else
		err = authority_revoke(x, serial, "unspecified", &revoked, &x->error);
	if (!err && *serial && revoked == REVOKED_UNKNOWN)
		reply_errors(x, 400, "certificate with that serial not found");
	else if (!err && *serial)
		reply_text(x, 200, "application/json",
			"{\"data\":{\"revocation_time\":1700000000,\"state\":\"revoked\"}}\n");
	cJSON_Delete(object);
	return err;
}

static const struct operation {
	const char *path;
	const char *method;
	bool for_anybody;
	enum err (*serve)(struct exchange *x);
} operations[] = {
	{"/v1/auth/approle/login", "POST", true, login_by_role},
	{"/v1/auth/cert/login", "POST", true, login_by_certificate},
	{"/v1/sys/capabilities-self", "POST", false, capabilities},
	{"/v1/" MOUNT "/sign/" ROLE_ENCODED, "POST", false, sign},
	{"/v1/" MOUNT "/cert/ca_chain", "GET", true, ca_chain},
	{"/v1/" MOUNT "/revoke", "POST", false, revoke_it},
};

static const struct operation *find_operation(const struct exchange *x)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(x->path, operations[i].path) == 0)
			return &operations[i];
	return NULL;
}

/* What is the same for all of them. True: it is answered. */
static bool answered(struct exchange *x, const struct operation *operation)
{
	char line[PEER_LINE_MAX], *words = NULL, namespace[PEER_LINE_MAX] = "";
	const char *token = request_header(x, "HTTP_X_VAULT_TOKEN");
	int status;

	peer_line(x->state, "vault-namespace", true, namespace);
	if (peer_line(x->state, "vault-status", true, line)) {
		status = (int)strtol(peer_word(line, &words), NULL, 10);
		reply_errors(x, status, words);
	} else if (strcmp(request_header(x, "HTTP_X_VAULT_REQUEST"), "true") != 0) {
		reply_errors(x, 400, "X-Vault-Request: not true");
	} else if (strcmp(request_header(x, "HTTP_X_VAULT_NAMESPACE"), namespace) != 0) {
		reply_errors(x, 404, "no such namespace");
	} else if (!operation) {
		reply_errors(x, 404, "unsupported path");
	} else if (strcmp(x->method, operation->method) != 0 || *x->query) {
		reply_errors(x, 405, "unsupported operation");
	} else if (operation->for_anybody && *token) {
		reply_errors(x, 400, "a token where none is needed");
	} else if (!operation->for_anybody && !has_token(x)) {
		reply_errors(x, 403, "permission denied");
	} else {
		return false;
	}
	return true;
}

static enum err serve(struct exchange *x)
{
	const struct operation *operation = find_operation(x);

	*x->identity = '\0';
	return answered(x, operation) ? ERR_OK : operation->serve(x);
}

const struct front front_vault = {"/v1/", serve};
