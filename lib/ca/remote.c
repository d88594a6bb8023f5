/*
 * What all external CAs share: HTTPS requests, what a status means, and the chain of what was
 * issued.
 */

#include "ca/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/excerpt.h"
#include "pki/chain_build.h"

enum err remote_open(const struct config *config, const struct config_ca *ca, enum http_auth auth,
	struct remote *out, struct error *e)
{
	const struct http_options options = {
		.auth = auth,
		.username = ca->username,
		.password_file = ca->password_file,
		.keytab = ca->keytab,
		.principal = ca->principal,
		.identity = ca->identity,
		.identity_password_file = ca->identity_password_file,
		.ca_file = ca->ca_file,
		.proxy = ca->proxy,
	};
	struct remote remote = {.config = config, .ca = ca};

	if (http_client_new(&options, &remote.http, e))
		return error_context(e, "[%s]", ca->section);
	*out = remote;
	return ERR_OK;
}

void remote_close(struct remote *remote)
{
	http_client_free(remote->http);
	*remote = (struct remote){.http = NULL};
}

enum err remote_send(struct remote *remote, const struct http_request *request,
	struct http_answer *out, struct error *e)
{
	struct http_request whole = *request;
	char *url = NULL;
	int began = 0;
	enum err err;

	if (asprintf(&url, "%s%s", remote->ca->url, request->url) < 0)
		return error_memory(e);
	whole.url = url;
	whole.plain = true; /* the configuration allows http:// to this machine only */
	/* Sent twice, it would give two certificates or use a token twice. */
	whole.once = strcmp(request->method, "POST") == 0;
	whole.began = &began;
	if (!whole.answer_max)
		whole.answer_max = REMOTE_ANSWER_MAX;
	err = http_send(remote->http, &whole, out, e);
	free(url);
	if (err == ERR_REFUSED)
		e->code = ERR_BARRED;
	if (err == ERR_UNAVAILABLE && whole.once && (began == 200 || began == 201))
		e->code = ERR_GARBLED;
	return err ? error_context(e, "CA") : ERR_OK;
}

/*
 * The meaning of an unexpected status; the first row that has it counts. Only the CA's own answer
 * to the request is final: any other may come from a proxy, a standby, or a server that is
 * starting.
 */
static const struct {
	int from, to;
	enum err err;
	const char *text;
} meanings[] = {
	{100, 299, ERR_REFUSED, "refuses"}, /* if it gives a reason: see is_judgement() */
	{300, 399, ERR_BARRED, "redirects, which is not followed: check url"},
	{400, 400, ERR_REFUSED, "refuses"},
	{401, 401, ERR_BARRED,
		"rejected our credentials: check identity, username or token in [ca], and the "
		"clocks"},
	{403, 403, ERR_BARRED,
		"rejected our credentials: check identity, username or token in [ca], and the "
		"clocks"},
	{404, 405, ERR_BARRED, "knows no such request: check url; is it being started?"},
	{408, 408, ERR_UNAVAILABLE, "cannot do it now"},
	{409, 409, ERR_REFUSED, "refuses"},
	{422, 422, ERR_REFUSED, "refuses"},
	{425, 425, ERR_UNAVAILABLE, "cannot do it now"},
	{429, 429, ERR_UNAVAILABLE, "cannot do it now"},
	{500, 999, ERR_UNAVAILABLE, "cannot do it now"},
	{0, 999, ERR_BARRED, "did not process the request: check url"},
};

static bool is_judgement(
	const struct remote *remote, const struct http_answer *answer, const char *says)
{
	if (remote->says_in_text && answer->status >= 400)
		return strcmp(answer->content_type, "text/html") != 0;
	return says && *says;
}

enum err remote_refusal(const struct remote *remote, const struct http_answer *answer,
	const char *says, struct error *e)
{
	const char *text = says && *says ? says : (const char *)answer->body.data;
	size_t len = says && *says ? strlen(says) : answer->body.len;
	const char *meaning;
	char words[EXCERPT_SIZE];
	enum err err;
	size_t i = 0;

	excerpt(text, len, words);
	while (answer->status < meanings[i].from || answer->status > meanings[i].to)
		i++;
	err = meanings[i].err;
	meaning = meanings[i].text;
	if (remote->forbids_by_403 && answer->status == 403 && says && *says) {
		err = ERR_REFUSED;
		meaning = "refuses";
	}
	if (err == ERR_REFUSED && !is_judgement(remote, answer, says)) {
		err = ERR_BARRED;
		meaning = "did not answer; a proxy or another server did: check url";
	}
	error_set(e, err, "CA %s %s (status %d)%s%s", remote->ca->url, meaning, answer->status,
		*words ? "; it says: " : "", words);
	e->retry_after = answer->retry_after;
	return e->code;
}

enum err remote_garbled(
	const struct remote *remote, const char *what, const char *why, struct error *e)
{
	return error_set(e, ERR_GARBLED, "CA %s: its answer%s%s cannot be understood: %s",
		remote->ca->url, what ? " to " : "", what ? what : "", why);
}

enum err remote_nothing_issued(enum err err, struct error *e)
{
	if (err == ERR_GARBLED)
		e->code = err = ERR_UNAVAILABLE;
	return err;
}

enum err remote_chain(const struct ca_order *order, const struct certificates *from,
	struct chain *out, struct error *e)
{
	struct certificates all = *from; /* borrows */
	struct blob public_key = {NULL, 0};
	enum err err = key_public(order->key, &public_key, e);

	if (order->issuers)
		certificates_borrow(&all, order->issuers);
	if (!err)
		err = chain_build(&all, &public_key, out, e);
	blob_free(&public_key);
	return err;
}

#define LINE_OCTETS 48 /* 64 characters */

void remote_base64(const struct blob *der, struct buf *out)
{
	for (size_t at = 0; at < der->len; at += LINE_OCTETS) {
		size_t left = der->len - at;

		buf_base64(out, der->data + at, left < LINE_OCTETS ? left : LINE_OCTETS);
		buf_putc(out, '\n');
	}
}

void remote_request_pem(const struct ca_order *order, struct buf *out)
{
	buf_puts(out, "-----BEGIN CERTIFICATE REQUEST-----\n");
	remote_base64(order->request, out);
	buf_puts(out, "-----END CERTIFICATE REQUEST-----\n");
}

enum err remote_check_address(
	const struct remote *remote, const struct ca_order *order, struct error *e)
{
	if (order->address->ascii_local)
		return ERR_OK;
	return error_set(e, ERR_REFUSED,
		"a CA of type %s cannot certify an address that is not ASCII before its @",
		ca_type_names[remote->ca->type]);
}

const char *remote_folder(const char *url, const char *usual)
{
	return strchr(strstr(url, "://") + strlen("://"), '/') ? "" : usual;
}

enum err remote_serial(
	const struct ca_revocation *revocation, char out[TEXT_DECIMAL_SIZE], struct error *e)
{
	return text_decimal(revocation->serial, out)
		       ? ERR_OK
		       : error_set(e, ERR_REFUSED, "%s is not a serial number", revocation->serial);
}

const struct identity *remote_identity(const void *self)
{
	const struct remote *remote = self;

	return http_client_identity(remote->http);
}
