/*
 * Microsoft Active Directory Certificate Services, by its Certification Authority Web Enrollment:
 * the pages below /certsrv of Windows Server 2012 R2 to 2025. They have no specification: we send
 * what their own forms send, and the answers are pages for people (adcs_page.h). [MS-WCCE], the
 * protocol behind them, defines requests, attributes and dispositions.
 *
 * A request that is posted again is a new request and gets another certificate. The number in the
 * answer is the only way to the first one: it is the handle.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/adcs_page.h"
#include "ca/ca_kind.h"
#include "ca/remote.h"
#include "pki/chain_build.h"

#define FOLDER "/certsrv" /* where Windows puts the pages */
#define SUBMIT "/certfnsh.asp"
#define TYPE_FORM "application/x-www-form-urlencoded"
#define TYPE_PAGE "text/html"

#define PATH_SIZE 128
#define FORM_MAX (64 * 1024)

struct adcs {
	struct remote remote;
	const struct config_ca *ca;
	const char *folder; /* behind url */
};

/* --- requests and answers */

static enum err ask(struct adcs *adcs, const char *path, const struct buf *form, int64_t deadline,
	struct http_answer *out, struct error *e)
{
	/* Clients other than browsers get certificates as text/html. */
	static const char *const headers[] = {
		"User-Agent: Mozilla/5.0 (compatible; certprov/" PACKAGE_VERSION ")", NULL};
	char url[PATH_SIZE];
	const struct http_request request = {
		.method = form ? "POST" : "GET",
		.url = url,
		.content_type = form ? TYPE_FORM : NULL,
		.headers = headers,
		.body = form ? form->data : NULL,
		.body_len = form ? form->len : 0,
		.deadline = deadline,
	};

	snprintf(url, sizeof(url), "%s%s", adcs->folder, path);
	return remote_send(&adcs->remote, &request, out, e);
}

static enum err not_done(const struct adcs *adcs, const struct http_answer *answer, struct error *e)
{
	static const char *const advice[] = {
		[CA_AUTH_KERBEROS] = "check principal and keytab in [ca], and that the server "
				     "offers Negotiate and has the key of its own name",
		[CA_AUTH_NTLM] =
			"check username and password-file in [ca], and that the server offers NTLM",
		[CA_AUTH_BASIC] = "check username and password-file in [ca], and that the server "
				  "offers Basic",
	};

	if (answer->status == 401)
		return error_set(e, ERR_BARRED, "CA %s rejected our credentials (status 401): %s",
			adcs->ca->url, advice[adcs->ca->auth]);
	if (answer->status < 300)
		return remote_garbled(
			&adcs->remote, NULL, "the web enrollment pages do not have this status", e);
	return remote_refusal(&adcs->remote, answer, NULL, e);
}

/* The error for a page of a request that is not issued. */
static enum err not_issued(const struct adcs *adcs, const struct adcs_page *page, struct error *e)
{
	const char *url = adcs->ca->url;

	switch (page->state) {
	case ADCS_PENDING:
		return error_set(
			e, ERR_PENDING, "CA %s has not decided yet: %s", url, page->message);
	case ADCS_DENIED:
		return error_set(e, ERR_REFUSED, "CA %s refuses; it says: %s", url, page->message);
	case ADCS_FAILED:
		return error_set(e, ERR_UNAVAILABLE, "CA %s cannot do it now; it says: %s", url,
			page->message);
	case ADCS_ISSUED:
	case ADCS_UNKNOWN:
		break;
	}
	return remote_garbled(
		&adcs->remote, NULL, *page->message ? page->message : "an empty page", e);
}

static enum err read_page(const struct adcs *adcs, const struct http_answer *answer,
	struct adcs_page *out, struct error *e)
{
	if (answer->status != 200)
		return not_done(adcs, answer, e);
	if (strcmp(answer->content_type, TYPE_PAGE) != 0)
		return remote_garbled(&adcs->remote, NULL, "its type is not " TYPE_PAGE, e);
	return adcs_page_read(answer->body.data, answer->body.len, out, e);
}

/* Reads a certificate or a chain. A page in its place tells the state of the request. */
static enum err read_certificates(const struct adcs *adcs, const struct http_answer *answer,
	struct certificates *out, struct error *e)
{
	struct certificates got = {.count = 0};
	struct adcs_page page = {.state = ADCS_UNKNOWN};
	bool is_page = strcmp(answer->content_type, TYPE_PAGE) == 0;
	enum err err = ERR_OK;

	if (answer->status == 200)
		err = certificates_add(&got, answer->body.data, answer->body.len, e);
	if (answer->status == 200 && !err) {
		*out = got;
		return ERR_OK;
	}
	certificates_free(&got);
	if (answer->status == 200 && !is_page)
		return remote_garbled(&adcs->remote, NULL, e->text, e);
	err = read_page(adcs, answer, &page, e);
	return err ? err : not_issued(adcs, &page, e);
}

static enum err fetch(struct adcs *adcs, const char *path, int64_t deadline,
	struct certificates *out, struct error *e)
{
	struct http_answer answer = {0};
	enum err err = ask(adcs, path, NULL, deadline, &answer, e);

	if (!err)
		err = read_certificates(adcs, &answer, out, e);
	http_answer_free(&answer);
	return err;
}

/* --- a request for a certificate */

/* A field of a form (WHATWG URL, application/x-www-form-urlencoded, which allows %20). */
static void add_field(struct buf *form, const char *name, const char *value)
{
	buf_printf(form, "%s%s=", form->len ? "&" : "", name);
	buf_percent(form, value);
}

static enum err make_form(
	const struct adcs *adcs, const struct ca_order *order, struct buf *form, struct error *e)
{
	struct buf pem = BUF_INIT(FORM_MAX), attributes = BUF_INIT(FORM_MAX);
	enum err err;

	remote_request_pem(order, &pem);
	buf_printf(&attributes, "CertificateTemplate:%s\r\n", adcs->ca->template);
	err = buf_check(&pem, e);
	if (!err)
		err = buf_check(&attributes, e);
	if (!err) {
		add_field(form, "Mode", "newreq");
		add_field(form, "CertRequest", pem.data);
		add_field(form, "CertAttrib", attributes.data);
		add_field(form, "FriendlyType", "Saved-Request Certificate");
		add_field(form, "ThumbPrint", "");
		add_field(form, "TargetStoreFlags", "0");
		add_field(form, "SaveCert", "yes");
		err = buf_check(form, e);
	}
	buf_free(&attributes);
	buf_free(&pem);
	return err;
}

static enum err submit(
	struct adcs *adcs, const struct ca_order *order, struct adcs_page *out, struct error *e)
{
	struct buf form = BUF_INIT(FORM_MAX);
	struct http_answer answer = {0};
	enum err err = make_form(adcs, order, &form, e);

	if (!err)
		err = ask(adcs, SUBMIT, &form, order->deadline, &answer, e);
	buf_free(&form);
	if (!err)
		err = read_page(adcs, &answer, out, e);
	http_answer_free(&answer);
	return err;
}

/* Fetches the certificate of that number and those above it. */
static enum err retrieve(struct adcs *adcs, const struct ca_order *order, const char *number,
	struct chain *out, struct error *e)
{
	struct certificates leaf = {.count = 0}, all = {.count = 0};
	char path[PATH_SIZE];
	enum err err;

	snprintf(path, sizeof(path), "/certnew.cer?ReqID=%s&Enc=b64", number);
	err = fetch(adcs, path, order->deadline, &leaf, e);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/certnew.p7b?ReqID=%s&Enc=b64", number);
	err = fetch(adcs, path, order->deadline, &all, e);
	for (size_t i = 0; i < leaf.count && !err; i++)
		err = certificates_add_der(
			&all, leaf.certificate[i].data, leaf.certificate[i].len, e);
	if (!err)
		err = remote_chain(order, &all, out, e);
	certificates_free(&leaf);
	certificates_free(&all);
	return err;
}

/*
 * The certificate is issued: whatever the error now, it is fetched by its number later and must not
 * be requested again.
 */
static enum err keep_waiting(
	const char *number, struct ca_answer *out, enum err err, struct error *e)
{
	if (err == ERR_UNAVAILABLE || err == ERR_BARRED)
		e->code = err = ERR_PENDING;
	if (err == ERR_PENDING || err == ERR_GARBLED)
		snprintf(out->handle, sizeof(out->handle), "%s", number);
	return err;
}

static enum err adcs_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct adcs *adcs = self;
	struct adcs_page page = {.state = ADCS_UNKNOWN};
	int64_t number;
	enum err err;

	if (*order->handle) {
		if (!text_number(order->handle, UINT32_MAX, &number))
			return error_set(e, ERR_INTERNAL, "\"%s\" is not the number of a request",
				order->handle);
		err = retrieve(adcs, order, order->handle, &out->chain, e);
		return err == ERR_PENDING ? keep_waiting(order->handle, out, err, e) : err;
	}
	err = submit(adcs, order, &page, e);
	if (!err && page.state == ADCS_UNKNOWN)
		err = not_issued(adcs, &page, e);
	out->once = err == ERR_GARBLED;
	if (err)
		return err;
	err = page.state == ADCS_ISSUED ? retrieve(adcs, order, page.request, &out->chain, e)
					: not_issued(adcs, &page, e);
	return err && *page.request && page.state != ADCS_FAILED
		       ? keep_waiting(page.request, out, err, e)
		       : err;
}

/* --- the CA itself */

/* Renewal -1 is its current certificate. */
static enum err adcs_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	struct certificates all = {.count = 0};
	enum err err =
		fetch(self, "/certnew.p7b?ReqID=CACert&Renewal=-1&Enc=b64", deadline, &all, e);

	if (!err)
		err = chain_longest(&all, out, e);
	certificates_free(&all);
	return err;
}

static enum err adcs_probe(void *self, int64_t deadline, struct error *e)
{
	struct http_answer answer = {0};
	struct adcs *adcs = self;
	enum err err = ask(adcs, "/", NULL, deadline, &answer, e);

	if (!err && answer.status != 200)
		err = not_done(adcs, &answer, e);
	else if (!err && strcmp(answer.content_type, TYPE_PAGE) != 0)
		err = remote_garbled(&adcs->remote, NULL, "its type is not " TYPE_PAGE, e);
	http_answer_free(&answer);
	return err;
}

/* --- open and close */

/* auth needs this key, or does not use it. */
static enum err check_key(const struct config *config, const struct config_ca *ca, const char *key,
	bool set, bool needed, struct error *e)
{
	static const char *const names[] = {[CA_AUTH_KERBEROS] = "kerberos",
		[CA_AUTH_NTLM] = "ntlm",
		[CA_AUTH_BASIC] = "basic"};

	if (set == needed)
		return ERR_OK;
	return config_error(config, ca->section, key, e,
		needed ? "missing; auth = %s needs it" : "auth = %s does not use it",
		names[ca->auth]);
}

static enum err check_keys(const struct config *config, const struct config_ca *ca, struct error *e)
{
	bool kerberos = ca->auth == CA_AUTH_KERBEROS;
	enum err err = check_key(config, ca, "keytab", ca->keytab, kerberos, e);

	if (!err && ca->principal)
		err = check_key(config, ca, "principal", true, kerberos, e);
	if (!err)
		err = check_key(config, ca, "username", ca->username, !kerberos, e);
	if (!err)
		err = check_key(config, ca, "password-file", ca->password_file, !kerberos, e);
	return err;
}

static void adcs_close(void *self)
{
	struct adcs *adcs = self;

	remote_close(&adcs->remote);
	free(adcs);
}

static enum err adcs_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	static const enum http_auth auths[] = {[CA_AUTH_KERBEROS] = HTTP_AUTH_KERBEROS,
		[CA_AUTH_NTLM] = HTTP_AUTH_NTLM,
		[CA_AUTH_BASIC] = HTTP_AUTH_BASIC};
	struct adcs *adcs = NULL;
	enum err err = check_keys(config, ca, e);

	if (err)
		return err;
	adcs = calloc(1, sizeof(*adcs));
	if (!adcs)
		return error_memory(e);
	adcs->ca = ca;
	adcs->folder = remote_folder(ca->url, FOLDER);
	err = remote_open(config, ca, auths[ca->auth], &adcs->remote, e);
	if (err)
		free(adcs);
	else
		*self = adcs;
	return err;
}

const struct ca_kind ca_adcs = {
	.wants_request = true,
	.open = adcs_open,
	.issue = adcs_issue,
	.chain = adcs_chain,
	.probe = adcs_probe,
	.close = adcs_close,
};
