/*
 * HashiCorp Vault and OpenBao: the PKI secrets engine, HTTP API v1. A role there says what a
 * certificate may be; a request names it in the path.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "ca/ca_kind.h"
#include "ca/vault_session.h"
#include "pki/chain_build.h"

#define PATH_MAX_LEN 2048
#define BODY_MAX (64 * 1024)
#define END_MS (6 * 3600 * 1000LL)
#define END_MARGIN 60 /* seconds by which the clocks may differ */

struct vault {
	struct vault_session session;
	struct buf mount; /* "/v1/pki" */
	struct buf sign;  /* "/v1/pki/sign/role" */
	int64_t validity; /* seconds */
	int64_t end;	  /* of the issuing chain; INT64_MAX: unknown, 0: not asked for yet */
	int64_t end_at;	  /* when we learnt it: clock_monotonic_ms() */
};

/* --- open and close */

/* Segments that are not empty and not "." or "..". */
static bool is_path(const char *text)
{
	for (;; text++) {
		size_t len = strcspn(text, "/");

		if (len == 0 || (*text == '.' && (len == 1 || (len == 2 && text[1] == '.'))))
			return false;
		text += len;
		if (!*text)
			return true;
	}
}

static enum err check_paths(
	const struct config *config, const struct config_ca *ca, struct error *e)
{
	if (!is_path(ca->mount))
		return config_error(config, ca->section, "mount", e,
			"\"%s\" is not the path of a secrets engine, such as pki or team/pki",
			ca->mount);
	if (!is_path(ca->role) || strchr(ca->role, '/'))
		return config_error(config, ca->section, "role", e,
			"\"%s\" is not the name of a role", ca->role);
	return ERR_OK;
}

static enum err write_paths(struct vault *vault, const struct config_ca *ca, struct error *e)
{
	const char *segment = ca->mount;
	enum err err;

	buf_puts(&vault->mount, "/v1");
	while (*segment) {
		size_t len = strcspn(segment, "/");
		char *one = strndup(segment, len);

		if (!one)
			return error_memory(e);
		buf_putc(&vault->mount, '/');
		buf_percent(&vault->mount, one);
		free(one);
		segment += len + (segment[len] == '/');
	}
	buf_printf(&vault->sign, "%s/sign/", vault->mount.data);
	buf_percent(&vault->sign, ca->role);
	err = buf_check(&vault->mount, e);
	return err ? err : buf_check(&vault->sign, e);
}

static void vault_close(void *self)
{
	struct vault *vault = self;

	if (!vault)
		return;
	vault_session_close(&vault->session);
	buf_free(&vault->mount);
	buf_free(&vault->sign);
	free(vault);
}

static enum err vault_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	enum err err;

	if (!vault)
		return error_memory(e);
	buf_init(&vault->mount, PATH_MAX_LEN);
	buf_init(&vault->sign, PATH_MAX_LEN);
	vault->validity = config->certificates.validity;
	err = check_paths(config, ca, e);
	if (!err)
		err = write_paths(vault, ca, e);
	if (!err)
		err = vault_session_open(config, ca, &vault->session, e);
	if (err)
		vault_close(vault);
	else
		*self = vault;
	return err;
}

/* Vault sends "" if it knows none. */
static enum err add_issuer(const struct vault *vault, const char *pem,
	struct certificates *certificates, struct error *e)
{
	return pem && !*pem ? ERR_OK
			    : remote_json_certificate(
				      &vault->session.remote, NULL, pem, certificates, e);
}

/* --- the chain, and when it expires */

/* {"data": {"certificate": PEM, …}}; "": there is none. Needs no token. */
static enum err add_own(struct vault *vault, const char *name, int64_t deadline,
	struct certificates *certificates, struct error *e)
{
	struct buf path = BUF_INIT(PATH_MAX_LEN);
	const char *pem = NULL;
	cJSON *object = NULL;
	enum err err;

	buf_printf(&path, "%s/cert/%s", vault->mount.data, name);
	err = buf_check(&path, e);
	if (!err)
		err = vault_ask_openly(&vault->session,
			&(const struct remote_json_request){"GET", path.data, .deadline = deadline},
			&object, e);
	if (!err) {
		pem = json_text(cJSON_GetObjectItemCaseSensitive(object, "data"), "certificate");
		err = add_issuer(vault, pem, certificates, e);
	}
	cJSON_Delete(object);
	buf_free(&path);
	return err;
}

/* Versions before 1.11 have no chain for a CA that is a root. */
static enum err vault_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	struct vault *vault = self;
	struct certificates certificates = {.count = 0};
	enum err err = add_own(vault, "ca_chain", deadline, &certificates, e);

	if (!err && !certificates.count)
		err = add_own(vault, "ca", deadline, &certificates, e);
	if (!err)
		err = chain_longest(&certificates, out, e);
	certificates_free(&certificates);
	return err;
}

/* The first expiry in the chain; INT64_MAX: not known. */
static int64_t end_of(const struct chain *chain)
{
	struct certificate_info info;
	int64_t end = INT64_MAX;
	struct error ignored;

	for (size_t i = 0; i < chain->count; i++)
		if (certificate_info(&chain->certificate[i], &info, &ignored) == ERR_OK &&
			info.not_after < end)
			end = info.not_after;
	return end;
}

/* An error is ignored: the request for the certificate will meet it, too, and report it. */
static void learn_end(struct vault *vault, int64_t deadline)
{
	struct chain chain = {0};
	struct error ignored;

	if (vault->end && clock_monotonic_ms() - vault->end_at < END_MS)
		return;
	vault->end = INT64_MAX;
	vault->end_at = clock_monotonic_ms();
	if (vault_chain(vault, deadline, &chain, &ignored) == ERR_OK)
		vault->end = end_of(&chain);
	chain_free(&chain);
}

/*
 * "… beyond the expiration of the CA certificate at 2027-03-09T12:00:00Z": of the role's own
 * issuer. Returns false if the refusal says something else, or nothing new.
 */
static bool learn_end_from(struct vault *vault, const struct error *refusal)
{
	static const char words[] = "expiration of the CA certificate at ";
	const char *at = strstr(refusal->text, words);
	struct tm tm = {.tm_year = 0};
	int64_t end;

	if (!at || !strptime(at + strlen(words), "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	end = timegm(&tm);
	if (end >= vault->end || end <= clock_now() + END_MARGIN)
		return false;
	vault->end = end;
	vault->end_at = clock_monotonic_ms();
	return true;
}

/* Vault refuses a certificate that would outlast its issuer. */
static int64_t ttl_of(const struct vault *vault)
{
	int64_t left = vault->end == INT64_MAX ? INT64_MAX : vault->end - clock_now() - END_MARGIN;

	return left > 0 && left < vault->validity ? left : vault->validity;
}

/* --- issue */

/*
 * A role takes name and address from the request (use_csr_common_name, use_csr_sans) or from these
 * members, which are the same. But an address for SmtpUTF8Mailbox (RFC 9598) would be written
 * twice, so only the request has it. The rest of the subject and the key usages are the role's.
 */
static enum err write_order(
	const struct vault *vault, const struct ca_order *order, struct buf *out, struct error *e)
{
	const char *name = name_common(order->subject);
	struct buf pem = BUF_INIT(BODY_MAX);
	enum err err;

	remote_request_pem(order, &pem);
	err = buf_check(&pem, e);
	if (err)
		return err;
	buf_putc(out, '{');
	remote_json_put(out, "csr", pem.data);
	if (name)
		remote_json_put(out, "common_name", name);
	if (order->address->ascii_local)
		remote_json_put(out, "alt_names", order->address->text);
	remote_json_put(out, "format", "pem");
	buf_printf(out, "\"exclude_cn_from_sans\": true, \"ttl\": \"%llds\"}",
		(long long)ttl_of(vault));
	buf_free(&pem);
	return ERR_OK;
}

/* {"data": {"certificate": PEM, "issuing_ca": PEM, "ca_chain": [PEM, …], …}} */
static enum err add_issued(const struct vault *vault, const cJSON *object,
	struct certificates *certificates, struct error *e)
{
	const struct remote *remote = &vault->session.remote;
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(object, "data");
	enum err err = remote_json_certificate(
		remote, NULL, json_text(data, "certificate"), certificates, e);

	if (!err)
		err = add_issuer(vault, json_text(data, "issuing_ca"), certificates, e);
	if (!err)
		err = remote_json_certificates(remote, NULL,
			cJSON_GetObjectItemCaseSensitive(data, "ca_chain"), certificates, e);
	return err;
}

static enum err ask_to_sign(
	struct vault *vault, const struct ca_order *order, cJSON **out, struct error *e)
{
	struct buf body = BUF_INIT(BODY_MAX);
	enum err err = write_order(vault, order, &body, e);

	if (!err)
		err = vault_ask(&vault->session,
			&(const struct remote_json_request){
				"POST", vault->sign.data, &body, .deadline = order->deadline},
			out, e);
	buf_free(&body);
	return err;
}

static enum err vault_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct vault *vault = self;
	struct certificates certificates = {.count = 0};
	cJSON *object = NULL;
	enum err err;

	learn_end(vault, order->deadline);
	err = ask_to_sign(vault, order, &object, e);
	if (err == ERR_BARRED && learn_end_from(vault, e))
		err = ask_to_sign(vault, order, &object, e);
	if (!err)
		err = add_issued(vault, object, &certificates, e);
	if (!err)
		err = remote_chain(order, &certificates, &out->chain, e);
	cJSON_Delete(object);
	certificates_free(&certificates);
	return err;
}

/* --- whether it would issue */

static bool may_update(const cJSON *capabilities)
{
	const cJSON *one;
	bool update = false;

	cJSON_ArrayForEach(one, capabilities)
	{
		const char *name = cJSON_GetStringValue(one);

		update = update ||
			 (name && (strcmp(name, "update") == 0 || strcmp(name, "root") == 0));
	}
	return update;
}

/* {"data": {PATH: ["update", …], …}}, older versions without data */
static enum err check_capabilities(
	const struct vault *vault, const cJSON *object, const char *path, struct error *e)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(object, "data");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(data ? data : object, path);

	if (!cJSON_IsArray(list))
		return remote_garbled(
			&vault->session.remote, NULL, "it does not say what we may do", e);
	if (!may_update(list))
		return error_set(e, ERR_REFUSED,
			"CA %s accepts our token, but none of its policies has the capability "
			"update on %s",
			vault->session.remote.ca->url, path);
	return ERR_OK;
}

/* By what the policy named default allows every token. */
static enum err ask_capabilities(struct vault *vault, int64_t deadline, struct error *e)
{
	const struct config_ca *ca = vault->session.remote.ca;
	struct buf path = BUF_INIT(PATH_MAX_LEN), body = BUF_INIT(BODY_MAX);
	cJSON *object = NULL;
	enum err err;

	buf_printf(&path, "%s/sign/%s", ca->mount, ca->role);
	buf_puts(&body, "{\"paths\": [");
	buf_json_string(&body, path.data);
	buf_puts(&body, "]}");
	err = buf_check(&path, e);
	if (!err)
		err = vault_ask(&vault->session,
			&(const struct remote_json_request){
				"POST", "/v1/sys/capabilities-self", &body, .deadline = deadline},
			&object, e);
	if (!err)
		err = check_capabilities(vault, object, path.data, e);
	cJSON_Delete(object);
	buf_free(&path);
	buf_free(&body);
	return err;
}

static enum err vault_probe(void *self, int64_t deadline, struct error *e)
{
	struct chain chain = {0};
	enum err err = vault_chain(self, deadline, &chain, e);

	chain_free(&chain);
	return err ? err : ask_capabilities(self, deadline, e);
}

/* --- revoke */

/*
 * A reason cannot be given. A second revocation gets the same answer; with several clusters a
 * certificate of another one is "pending" until that cluster has revoked it.
 */
static enum err vault_revoke(void *self, const struct ca_revocation *revocation, struct error *e)
{
	struct vault *vault = self;
	struct buf path = BUF_INIT(PATH_MAX_LEN), body = BUF_INIT(BODY_MAX);
	const char *state = NULL;
	cJSON *object = NULL;
	enum err err;

	buf_printf(&path, "%s/revoke", vault->mount.data);
	buf_puts(&body, "{\"serial_number\": \"");
	for (const char *hex = revocation->serial; *hex && hex[1]; hex += 2)
		buf_printf(&body, "%s%.2s", hex == revocation->serial ? "" : ":", hex);
	buf_puts(&body, "\"}");
	err = buf_check(&path, e);
	if (!err)
		err = vault_ask(&vault->session,
			&(const struct remote_json_request){
				"POST", path.data, &body, .deadline = revocation->deadline},
			&object, e);
	state = json_text(cJSON_GetObjectItemCaseSensitive(object, "data"), "state");
	if (!err && state && strcmp(state, "pending") == 0)
		err = error_set(e, ERR_UNAVAILABLE,
			"CA %s has queued it for the cluster that issued it",
			vault->session.remote.ca->url);
	cJSON_Delete(object);
	buf_free(&path);
	buf_free(&body);
	return err;
}

const struct ca_kind ca_vault = {
	.wants_request = true,
	.open = vault_open,
	.issue = vault_issue,
	.chain = vault_chain,
	.probe = vault_probe,
	.revoke = vault_revoke,
	.identity = remote_identity,
	.close = vault_close,
};
