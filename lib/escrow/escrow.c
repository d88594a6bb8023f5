/* Uploads to the Escrow Gateways over mutual TLS, and what their answers mean. */

#include "escrow/escrow.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "net/excerpt.h"
#include "net/http.h"

#define PATH "/v2/certificates"
#define JSON "application/json"
#define ANSWER_MAX (256 * 1024) /* bytes: the body is only for the log */

struct gateway {
	char *url;
	char *endpoint;
	struct http_client *http;
	bool late; /* it asks for our certificate after the handshake */
};

struct escrow {
	size_t count;
	struct gateway gateways[];
};

/* --- advice for the log */

#define SHA1_LEN 20
#define SHA256_LEN 32
#define REGISTRATION_MAX 256

/* Advice on how to register our certificate at the gateway. */
static void registration(const struct escrow *escrow, char out[REGISTRATION_MAX])
{
	const struct blob *der = escrow_identity(escrow);
	unsigned char sha1[SHA1_LEN], sha256[SHA256_LEN];
	char hex1[2 * SHA1_LEN + 1] = "?", hex256[2 * SHA256_LEN + 1] = "?";

	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, der->data, der->len, sha1) >= 0)
		text_hex(sha1, SHA1_LEN, hex1);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->len, sha256) >= 0)
		text_hex(sha256, SHA256_LEN, hex256);
	snprintf(out, REGISTRATION_MAX,
		"register our client certificate at the gateway: its thumbprint is SHA-256 %s, "
		"SHA-1 %s",
		hex256, hex1);
}

/* --- what an answer means */

enum verdict {
	VERDICT_ACCEPTED,
	VERDICT_UNASKED,      /* it wants a client certificate, but never asked for one */
	VERDICT_UNREGISTERED, /* our client certificate is missing or not known there */
	VERDICT_LATER,
	VERDICT_REDIRECT,
	VERDICT_WRONG, /* it finds our request wrong */
};

/* nginx in front of a gateway judges client certificates with a 400 and a page that says so. */
static bool is_page(const struct http_answer *answer, const char *words)
{
	return answer->status == 400 &&
	       memmem(answer->body.data, answer->body.len, words, strlen(words));
}

/* Returns true if the gateway may not have received our certificate. */
static bool lacks_certificate(const struct http_answer *answer)
{
	return answer->status == 401 || answer->status == 403 ||
	       is_page(answer, "No required SSL certificate");
}

static enum verdict judge(const struct http_answer *answer)
{
	int status = answer->status;

	if (status >= 200 && status < 300)
		return VERDICT_ACCEPTED;
	if (status >= 300 && status < 400)
		return VERDICT_REDIRECT;
	if (lacks_certificate(answer))
		return answer->asked ? VERDICT_UNREGISTERED : VERDICT_UNASKED;
	if (is_page(answer, "SSL certificate"))
		return VERDICT_UNREGISTERED;
	if (status == 408 || status == 429 || status >= 500)
		return VERDICT_LATER;
	return VERDICT_WRONG;
}

static const char *advice(int status)
{
	switch (status) {
	case 404:
	case 405:
		return "; check [escrow] url";
	case 413:
		return "; lower [certificates] archive-max, or raise its limit";
	default:
		return "";
	}
}

#define EXPIRY_MAX 64

/* An expired certificate is named as such, because registering it would not help. */
static void expiry(const struct gateway *g, char out[EXPIRY_MAX])
{
	int64_t not_after = identity_not_after(http_client_identity(g->http));
	char date[CLOCK_RFC3339_SIZE];

	out[0] = '\0';
	if (not_after >= clock_now())
		return;
	clock_rfc3339(not_after, date);
	snprintf(out, EXPIRY_MAX, ", which expired on %s: renew it", date);
}

static enum err refusal(const struct escrow *escrow, const struct gateway *g,
	const struct http_answer *answer, struct error *e)
{
	char words[EXCERPT_SIZE], hint[REGISTRATION_MAX], expired[EXPIRY_MAX];
	char flaws[IDENTITY_FLAWS_SIZE];

	excerpt(answer->body.data, answer->body.len, words);
	if (!words[0])
		snprintf(words, sizeof(words), "nothing");
	registration(escrow, hint);
	expiry(g, expired);
	identity_flaws(http_client_identity(g->http), flaws);
	switch (judge(answer)) {
	case VERDICT_ACCEPTED:
		return ERR_OK;
	case VERDICT_UNASKED:
		return error_set(e, ERR_REFUSED,
			"Escrow Gateway %s never asked for our client certificate, and refuses us "
			"without it (status %d): check that [escrow] url leads to the gateway "
			"itself, and that no proxy before it ends TLS; it says: %s",
			g->url, answer->status, words);
	case VERDICT_UNREGISTERED:
		return error_set(e, ERR_REFUSED,
			"Escrow Gateway %s does not accept our client certificate%s (status %d); "
			"%s%s; it says: %s",
			g->url, expired, answer->status, hint, flaws, words);
	case VERDICT_LATER:
		error_set(e, ERR_UNAVAILABLE,
			"Escrow Gateway %s: status %d, try later; it says: %s", g->url,
			answer->status, words);
		e->retry_after = answer->retry_after;
		return ERR_UNAVAILABLE;
	case VERDICT_REDIRECT:
		return error_set(e, ERR_REFUSED,
			"Escrow Gateway %s redirects (status %d); [escrow] url must name the "
			"gateway "
			"itself",
			g->url, answer->status);
	case VERDICT_WRONG:
		break;
	}
	return error_set(e, ERR_REFUSED,
		"Escrow Gateway %s refuses our request (status %d)%s; it says: %s", g->url,
		answer->status, advice(answer->status), words);
}

/* A failure below HTTP. After a TLS alert about our certificate the advice is that of a 403. */
static enum err failure(const struct escrow *escrow, struct error *e)
{
	char hint[REGISTRATION_MAX], text[ERROR_TEXT_MAX];

	error_context(e, "Escrow Gateway");
	if (e->code != ERR_REFUSED)
		return e->code;
	registration(escrow, hint);
	memcpy(text, e->text, sizeof(text));
	return error_set(e, ERR_REFUSED, "%s; %s", text, hint);
}

/* --- requests */

/*
 * The same request over TLS 1.2, for a gateway that may have asked for our certificate after the
 * handshake. If that was the cause, TLS 1.2 stays, and *answer is the new one.
 */
static enum err send_by_tls12(struct gateway *g, const struct http_request *request,
	struct http_answer *answer, struct error *e)
{
	struct http_answer second = {0};
	enum err err;

	http_client_limit_tls(g->http, HTTP_TLS_1_2);
	err = http_send(g->http, request, &second, e);
	if (err)
		error_context(e,
			"did not get our certificate over TLS 1.3 (status %d); then over TLS 1.2",
			answer->status);
	if (err || !second.asked) {
		http_client_limit_tls(g->http, HTTP_TLS_1_3);
		http_answer_free(&second);
		return err;
	}
	g->late = true;
	log_warning("Escrow Gateway %s asked for our certificate after the handshake, which works "
		    "only up to TLS 1.2; this process uses TLS 1.2 for it from now on; set "
		    "[escrow] tls-max = 1.2",
		g->url);
	http_answer_free(answer);
	*answer = second;
	return ERR_OK;
}

static enum err exchange(struct gateway *g, const struct http_request *request,
	struct http_answer *answer, struct error *e)
{
	enum err err = http_send(g->http, request, answer, e);

	if (err || !answer->tls13 || answer->asked || !lacks_certificate(answer))
		return err;
	err = send_by_tls12(g, request, answer, e);
	if (err)
		http_answer_free(answer);
	return err;
}

enum err escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e)
{
	struct gateway *g = &escrow->gateways[gateway];
	const struct http_request request = {
		.method = "POST",
		.url = g->endpoint,
		.content_type = JSON,
		.accept = JSON,
		.body = payload->data,
		.body_len = payload->len,
		.deadline = deadline,
		.answer_max = ANSWER_MAX,
	};
	struct http_answer answer = {0};
	enum err err = exchange(g, &request, &answer, e);

	if (err)
		return failure(escrow, e);
	err = refusal(escrow, g, &answer, e);
	http_answer_free(&answer);
	return err;
}

/*
 * Returns true if the answer is a gateway's. To a GET, which it does not take here, it may answer
 * in many ways, 500 among them; a proxy's answer for a gateway that is down does not count.
 */
static bool is_there(const struct http_answer *answer)
{
	enum verdict verdict;

	if (answer->status == 429 || answer->status == 502 || answer->status == 503 ||
		answer->status == 504)
		return false;
	verdict = judge(answer);
	return verdict != VERDICT_UNASKED && verdict != VERDICT_UNREGISTERED &&
	       verdict != VERDICT_REDIRECT;
}

enum err escrow_probe(struct escrow *escrow, size_t gateway, int64_t deadline,
	struct escrow_answer *out, struct error *e)
{
	struct gateway *g = &escrow->gateways[gateway];
	const struct http_request request = {
		.method = "GET",
		.url = g->endpoint,
		.accept = JSON,
		.deadline = deadline,
		.answer_max = ANSWER_MAX,
	};
	struct http_answer answer = {0};
	enum err err = exchange(g, &request, &answer, e);

	if (err)
		return failure(escrow, e);
	if (!is_there(&answer))
		err = refusal(escrow, g, &answer, e);
	else
		*out = (struct escrow_answer){answer.status, answer.date, g->late};
	http_answer_free(&answer);
	return err;
}

/* --- the set of gateways */

static enum err open_gateway(
	const struct config *config, const char *url, struct gateway *g, struct error *e)
{
	const struct http_options options = {
		.tls_max = config->escrow.tls_max == TLS_MAX_1_2 ? HTTP_TLS_1_2 : HTTP_TLS_1_3,
		.identity = config->escrow.identity,
		.identity_password_file = config->escrow.identity_password_file,
		.ca_file = config->escrow.ca_file,
		.pinned_key = config->escrow.pinned_key,
		.proxy = config->escrow.proxy,
	};

	g->url = strdup(url);
	if (!g->url || asprintf(&g->endpoint, "%s" PATH, url) < 0) {
		g->endpoint = NULL;
		return error_memory(e);
	}
	if (http_client_new(&options, &g->http, e))
		return error_context(e, "[escrow]");
	return ERR_OK;
}

enum err escrow_open(const struct config *config, struct escrow **out, struct error *e)
{
	struct escrow *escrow;
	size_t count = 0;
	enum err err = ERR_OK;

	while (config->escrow.urls[count])
		count++;
	escrow = calloc(1, sizeof(*escrow) + count * sizeof(escrow->gateways[0]));
	if (!escrow)
		return error_memory(e);
	escrow->count = count;
	for (size_t i = 0; !err && i < count; i++)
		err = open_gateway(config, config->escrow.urls[i], &escrow->gateways[i], e);
	if (err)
		escrow_close(escrow);
	else
		*out = escrow;
	return err;
}

void escrow_close(struct escrow *escrow)
{
	if (!escrow)
		return;
	for (size_t i = 0; i < escrow->count; i++) {
		http_client_free(escrow->gateways[i].http);
		free(escrow->gateways[i].endpoint);
		free(escrow->gateways[i].url);
	}
	free(escrow);
}

size_t escrow_count(const struct escrow *escrow)
{
	return escrow->count;
}

const char *escrow_url(const struct escrow *escrow, size_t gateway)
{
	return escrow->gateways[gateway].url;
}

enum err escrow_ready(struct escrow *escrow, struct error *e)
{
	return http_client_ready(escrow->gateways[0].http, e);
}

/* The configuration demands at least one gateway and an identity. */
const struct blob *escrow_identity(const struct escrow *escrow)
{
	return identity_certificate(http_client_identity(escrow->gateways[0].http));
}
