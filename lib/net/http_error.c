/* Explains a request that got no answer: the cause and what to do about it. */
#include "net/http_error.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FAULTS_SIZE IDENTITY_FLAWS_SIZE

/* The last part of a sentence: when our certificate expired, or why else a server may reject it. */
static void faults(const struct identity *identity, char out[FAULTS_SIZE])
{
	char date[CLOCK_RFC3339_SIZE];

	out[0] = '\0';
	if (!identity)
		return;
	if (identity_not_after(identity) >= clock_now()) {
		identity_flaws(identity, out);
		return;
	}
	clock_rfc3339(identity_not_after(identity), date);
	snprintf(out, FAULTS_SIZE, "; our client certificate expired on %s: renew it", date);
}

/* libcurl's words, unless they are about something that was not the cause. */
static const char *said(const struct http_failure *f)
{
	bool useful = f->words[0] && strncmp(f->words, "getpeername", 11) != 0;

	return useful ? f->words : curl_easy_strerror(f->code);
}

/* --- the server's certificate */

static const struct {
	unsigned flag; /* of gnutls_certificate_status_t */
	const char *text;
} verdicts[] = {
	{GNUTLS_CERT_REVOKED, "is revoked; it must be replaced there"},
	{GNUTLS_CERT_EXPIRED, "(or its issuer's) has expired; it must be renewed there, or this "
			      "machine's clock is "
			      "wrong"},
	{GNUTLS_CERT_NOT_ACTIVATED, "is not valid yet; compare its dates and this machine's clock"},
	{GNUTLS_CERT_SIGNER_NOT_FOUND,
		"has an issuer that we do not trust; if it is the right server, add its issuer's "
		"certificate to ca-file"},
	{GNUTLS_CERT_SIGNER_NOT_CA,
		"is issued by a certificate that is not a CA; add the real issuer to ca-file"},
	{GNUTLS_CERT_INSECURE_ALGORITHM, "(or its issuer's) uses an algorithm or a key that is too "
					 "weak; it must be replaced "
					 "there"},
	{GNUTLS_CERT_SIGNATURE_FAILURE,
		"has a wrong signature; ca-file has another certificate of its issuer's name"},
	{GNUTLS_CERT_PURPOSE_MISMATCH, "is not meant for a TLS server; it must be replaced there"},
};

static enum err explain_verification(const struct http_failure *f, struct error *e)
{
	long status = 0;

	if (curl_easy_getinfo(f->curl, CURLINFO_SSL_VERIFYRESULT, &status) != CURLE_OK)
		status = 0;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if ((unsigned)status & verdicts[i].flag)
			return error_set(e, ERR_CONFIG, "%s: the server's certificate %s",
				f->origin, verdicts[i].text);
	if (status == 0)
		return error_set(e, ERR_CONFIG,
			"%s: the server's certificate is for another name; give in url the name "
			"that it has (%s)",
			f->origin, f->words);
	return error_set(e, ERR_CONFIG, "%s: the server's certificate is not valid (%s)", f->origin,
		f->words);
}

static enum err explain_refusal(const struct http_failure *f, struct error *e)
{
	return error_set(e, f->tls->refused.code,
		"%s: the server's TLS is refused: %s; its certificate must be replaced there, if "
		"it is the right server",
		f->origin, f->tls->refused.text);
}

static enum err explain_pin(const struct http_failure *f, struct error *e)
{
	return error_set(e, ERR_CONFIG,
		"%s: the server's key is not the pinned one but %s; ask its administrator whether "
		"that is right, and set pinned-key to it only then",
		f->origin, f->server_key[0] ? f->server_key : "another");
}

static enum err explain_no_anchors(const struct http_failure *f, struct error *e)
{
	return error_set(e, ERR_CONFIG,
		"%s: this machine has no list of trusted CAs; set ca-file, or install the system's "
		"(%s)",
		f->origin, f->words);
}

/* --- TLS alerts */

static bool about_our_certificate(const struct http_tls *tls)
{
	switch (tls->alert) {
	/* In TLS 1.2 this is all that a server says if a client certificate is missing. */
	case GNUTLS_A_HANDSHAKE_FAILURE:
		return tls->asked;
	case GNUTLS_A_SSL3_NO_CERTIFICATE:
	case GNUTLS_A_BAD_CERTIFICATE:
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
	case GNUTLS_A_CERTIFICATE_REVOKED:
	case GNUTLS_A_CERTIFICATE_EXPIRED:
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
	case GNUTLS_A_UNKNOWN_CA:
	case GNUTLS_A_ACCESS_DENIED:
	case GNUTLS_A_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

/* Alerts may be warnings; returns true if this one ended the connection before any answer. */
static bool ended_by_alert(const struct http_failure *f)
{
	return f->tls->alert > 0 && f->answer->header_len == 0 &&
	       (f->code == CURLE_SSL_CONNECT_ERROR || f->code == CURLE_RECV_ERROR ||
		       f->code == CURLE_SEND_ERROR);
}

static enum err explain_alert(const struct http_failure *f, struct error *e)
{
	const char *name = gnutls_alert_get_name((gnutls_alert_description_t)f->tls->alert);
	char more[FAULTS_SIZE];

	faults(f->identity, more);
	if (!name)
		name = "unknown";
	if (about_our_certificate(f->tls) && f->identity)
		return error_set(e, ERR_REFUSED,
			"%s: the server rejected our client certificate (TLS alert %d: %s)%s",
			f->origin, f->tls->alert, name, more);
	if (about_our_certificate(f->tls))
		return error_set(e, ERR_REFUSED,
			"%s: the server demands a client certificate (TLS alert %d: %s); set "
			"identity",
			f->origin, f->tls->alert, name);
	if (f->tls->alert == GNUTLS_A_HANDSHAKE_FAILURE)
		return error_set(e, ERR_CONFIG,
			"%s: the server found no TLS version, cipher, curve or signature algorithm "
			"that both sides have, or serves no such host name (TLS alert %d: %s); "
			"check url, and have the server's TLS settings and certificate checked",
			f->origin, f->tls->alert, name);
	if (f->tls->alert == GNUTLS_A_PROTOCOL_VERSION ||
		f->tls->alert == GNUTLS_A_INSUFFICIENT_SECURITY)
		return error_set(e, ERR_CONFIG,
			"%s: the server offers no TLS 1.2 or later with a strong cipher (TLS alert "
			"%d: %s); upgrade the server, or enable them there",
			f->origin, f->tls->alert, name);
	return error_set(e, ERR_UNAVAILABLE,
		"%s: the server ended TLS with alert %d: %s; its log may say why", f->origin,
		f->tls->alert, name);
}

/* --- the network */

static enum err explain_connect(const struct http_failure *f, struct error *e)
{
	long cause = 0;

	if (curl_easy_getinfo(f->curl, CURLINFO_OS_ERRNO, &cause) != CURLE_OK)
		cause = 0;
	return error_set(e, ERR_UNAVAILABLE,
		"%s: no connection: %s; is the server running, and is the port right?", f->origin,
		cause ? strerror((int)cause) : said(f));
}

static enum err explain_name(const struct http_failure *f, struct error *e)
{
	return error_set(e, ERR_UNAVAILABLE,
		"%s: its name could not be resolved; check url and this machine's DNS (%s)",
		f->origin, f->words);
}

static enum err explain_handshake(const struct http_failure *f, struct error *e)
{
	char more[FAULTS_SIZE];

	faults(f->identity, more);
	return error_set(e, ERR_UNAVAILABLE,
		"%s: no TLS connection (%s); is it the right port%s?%s", f->origin, said(f),
		f->identity ? ", and does it accept our client certificate" : "", more);
}

static bool passed(const struct http_failure *f, CURLINFO point)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(f->curl, point, &us) == CURLE_OK && us > 0;
}

static const char *phase(const struct http_failure *f)
{
	long connects = 0, port = 0;
	bool kept = curl_easy_getinfo(f->curl, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK &&
		    connects == 0 && passed(f, CURLINFO_PRETRANSFER_TIME_T);

	if (f->answer->header_done)
		return "the answer's body did not end";
	if (f->answer->header_len > 0)
		return "the answer's header did not end";
	if (kept || passed(f, CURLINFO_APPCONNECT_TIME_T))
		return "the request was not answered; is the server overloaded?";
	/* libcurl 8.14 knows the port only when the handshake is over. */
	if (f->tls->begun ||
		(curl_easy_getinfo(f->curl, CURLINFO_LOCAL_PORT, &port) == CURLE_OK && port > 0))
		return "the TLS handshake did not end; is it the right port?";
	if (passed(f, CURLINFO_NAMELOOKUP_TIME_T))
		return "no connection was established; does a firewall drop it?";
	return "its name was not resolved; does this machine's DNS answer?";
}

static enum err explain_timeout(const struct http_failure *f, struct error *e)
{
	return error_set(e, ERR_UNAVAILABLE, "%s: not done in time: %s", f->origin, phase(f));
}

/* --- the answer */

static enum err explain_cut(const struct http_failure *f, struct error *e)
{
	/* libcurl's text means nothing after a success. */
	const char *words = f->code == CURLE_OK ? "its header does not end" : f->words;

	return error_set(e, ERR_UNAVAILABLE, "%s: the answer (status %d) is incomplete: %s",
		f->origin, f->answer->status, words);
}

/*
 * In TLS 1.3 the server checks our certificate after the handshake is over for us, so that a
 * refusal can arrive as a broken connection.
 */
static enum err explain_broken(const struct http_failure *f, struct error *e)
{
	char more[FAULTS_SIZE];

	if (f->answer->header_len > 0)
		return explain_cut(f, e);
	faults(f->identity, more);
	return error_set(e, ERR_UNAVAILABLE, "%s: the connection broke before an answer (%s)%s%s",
		f->origin, said(f),
		f->identity
			? "; if it happens again, the server may be rejecting our client certificate"
			: "",
		more);
}

static enum err explain_malformed(const struct http_failure *f, struct error *e)
{
	switch (f->answer->fault) {
	case HTTP_FAULT_BODY_SIZE:
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the answer (status %d) has more than the %zu bytes that are accepted",
			f->origin, f->answer->status, f->answer->body.limit);
	case HTTP_FAULT_HEADER_SIZE:
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the answer's header is larger than is accepted", f->origin);
	case HTTP_FAULT_HEADER:
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the answer is not well-formed HTTP (a line of its header)", f->origin);
	case HTTP_FAULT_NONE:
		break;
	}
	return error_set(e, ERR_UNAVAILABLE, "%s: the answer is not well-formed HTTP (%s)",
		f->origin, said(f));
}

static enum err explain_url(const struct http_failure *f, struct error *e)
{
	return error_set(e, ERR_CONFIG, "%s: not a URL that can be used (%s)", f->origin, said(f));
}

static const struct {
	CURLcode code;
	enum err (*explain)(const struct http_failure *f, struct error *e);
} causes[] = {
	{CURLE_OK, explain_cut},
	/* libcurl's code for an answer that is not HTTP: the URL's scheme has been checked. */
	{CURLE_UNSUPPORTED_PROTOCOL, explain_malformed},
	{CURLE_URL_MALFORMAT, explain_url},
	{CURLE_COULDNT_RESOLVE_HOST, explain_name},
	{CURLE_COULDNT_CONNECT, explain_connect},
	{CURLE_SSL_CONNECT_ERROR, explain_handshake},
	{CURLE_PEER_FAILED_VERIFICATION, explain_verification},
	{CURLE_SSL_PINNEDPUBKEYNOTMATCH, explain_pin},
	{CURLE_SSL_CACERT_BADFILE, explain_no_anchors},
	{CURLE_OPERATION_TIMEDOUT, explain_timeout},
	{CURLE_SEND_ERROR, explain_broken},
	{CURLE_RECV_ERROR, explain_broken},
	{CURLE_GOT_NOTHING, explain_broken},
	{CURLE_PARTIAL_FILE, explain_cut},
	{CURLE_WEIRD_SERVER_REPLY, explain_malformed},
	{CURLE_WRITE_ERROR, explain_malformed},
	/* libcurl's code for a header line over its limit. */
	{CURLE_OUT_OF_MEMORY, explain_malformed},
#if LIBCURL_VERSION_NUM >= 0x080600
	{CURLE_TOO_LARGE, explain_malformed},
#endif
};

enum err http_explain(const struct http_failure *f, struct error *e)
{
	if (f->tls->refused.code)
		return explain_refusal(f, e);
	if (ended_by_alert(f))
		return explain_alert(f, e);
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (causes[i].code == f->code)
			return causes[i].explain(f, e);
	return error_set(e, ERR_UNAVAILABLE, "%s: %s", f->origin, said(f));
}
