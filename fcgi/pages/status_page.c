#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "fcgi/pages/html.h"
#include "fcgi/pages/query_string.h"
#include "fcgi/pages/status.h"
#include "fcgi/route.h"

#define SHA256_SIZE 32
#define WANTED_MAX 768
#define STYLE_MAX 16384

void status_unknown(struct status *status, const struct error *e)
{
	log_warning("status page without a part of the store's data: %s", e->text);
	buf_puts(status->out, "<p class=\"none\">The store does not tell: see the log.</p>\n");
}

/*
 * Nothing but our own style sheet is taken from anywhere, not even from the page itself (CSP Level
 * 3): should a name ever become markup, the browser does nothing with it.
 */
static enum err put_headers(struct response *response, struct error *e)
{
	unsigned char digest[SHA256_SIZE];
	struct buf style = BUF_INIT(STYLE_MAX), hash = BUF_INIT(64);
	enum err err;

	status_put_style(&style);
	err = buf_check(&style, e);
	if (!err && gnutls_hash_fast(GNUTLS_DIG_SHA256, style.data, style.len, digest) < 0)
		err = error_set(e, ERR_INTERNAL, "SHA-256 failed");
	if (!err) {
		buf_base64(&hash, digest, sizeof(digest));
		err = buf_check(&hash, e);
	}
	if (!err) {
		response_header(response, "Content-Security-Policy",
			"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
			"form-action 'self'; frame-ancestors 'none'",
			hash.data);
		response_header(response, "Referrer-Policy", "no-referrer");
		response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
		response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	}
	buf_free(&hash);
	buf_free(&style);
	return err;
}

static void put_head(struct status *status)
{
	buf_printf(status->out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n"
		"<title>%s – Certificate Provider</title>\n<style>",
		status_is_well(status) ? "All is well" : "Needs attention");
	status_put_style(status->out);
	buf_puts(status->out, "</style>\n</head>\n");
}

static void put_body(struct status *status)
{
	struct buf *out = status->out;

	buf_puts(out, "<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
		      "<header><h1>Certificate Provider</h1>\n<p>Status of ");
	html_time(out, status->now);
	buf_puts(out, " UTC</p>\n<nav aria-label=\"Sections\"><ul>"
		      "<li><a href=\"#undone\">Unfinished</a></li>"
		      "<li><a href=\"#ends\">Expiry</a></li>"
		      "<li><a href=\"#certificates\">Certificates</a></li>"
		      "<li><a href=\"#recent\">Recent events</a></li>"
		      "<li><a href=\"#peers\">CA and gateways</a></li>"
		      "</ul></nav></header>\n<main id=\"main\" tabindex=\"-1\">\n");
	status_glance(status);
	status_undone(status);
	status_ends(status);
	status_certificates(status);
	status_recent(status);
	status_peers(status);
	buf_puts(out, "</main>\n<footer><p>All times are UTC. Load the page again for newer ones."
		      "</p></footer>\n</body>\n</html>\n");
}

/* A store that is away is no reason to tell nothing: that is when somebody looks. */
static void put_page(struct service *service, const char *wanted, struct response *response)
{
	struct store_counts counts;
	struct status status = {
		.service = service,
		.store = provider_store(service->provider),
		.query = wanted,
		.now = clock_now(),
		.out = &response->body,
	};
	struct error e;

	if (store_count(status.store, status.now, &counts, &e))
		log_warning("status page without the store's data: %s", e.text);
	else
		status.counts = &counts;
	if (status.counts &&
		barred_of_provider(service->provider, status.barred, &status.barred_count, &e))
		log_warning("status page without the CAs that process nothing: %s", e.text);
	if (status.counts && store_audit_conflicts(status.store, &status.conflicts, &e))
		log_warning("status page without the conflicts of addresses: %s", e.text);
	expiry_of_provider(service->provider, status.expiries);
	put_head(&status);
	put_body(&status);
}

enum err page_status(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	struct buf wanted = BUF_INIT(WANTED_MAX);
	enum err err;

	buf_puts(&wanted, "");
	err = query_string_find(request_param(request, "QUERY_STRING"), "q", &wanted, e);
	if (!err)
		err = put_headers(response, e);
	if (!err) {
		response->content_type = "text/html; charset=utf-8";
		put_page(service, text_trim(wanted.data), response);
	}
	buf_free(&wanted);
	return err;
}
