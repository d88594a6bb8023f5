/* GET /status: the page as a whole, its headers, and the order of its sections. */
#include "fcgi/pages/status_page.h"

#include "base/digest.h"
#include "base/text.h"
#include "fcgi/pages/html.h"
#include "fcgi/pages/query_string.h"
#include "fcgi/pages/status_certificates.h"
#include "fcgi/pages/status_data.h"
#include "fcgi/pages/status_expiry.h"
#include "fcgi/pages/status_glance.h"
#include "fcgi/pages/status_peers.h"
#include "fcgi/pages/status_recent.h"
#include "fcgi/pages/status_style.h"
#include "fcgi/pages/status_unfinished.h"

#define WANTED_MAX 768
#define STYLE_MAX 16384

/*
 * The browser may use nothing but our style sheet, not even other parts of the page (CSP Level 3):
 * should a name ever become markup, it has no effect.
 */
static enum err put_headers(struct response *response, struct error *e)
{
	unsigned char digest[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];
	struct buf style = BUF_INIT(STYLE_MAX), hash = BUF_INIT(64);
	enum err err;

	status_style_put(&style);
	err = buf_check(&style, e);
	if (!err)
		err = digest_hex(style.data, style.len, hex, e);
	if (!err && !text_unhex(hex, digest, sizeof(digest)))
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

static void put_head(const struct status_data *status)
{
	buf_printf(status->out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n"
		"<title>%s – Certificate Provider</title>\n<style>",
		status_glance_is_well(status) ? "All is well" : "Needs attention");
	status_style_put(status->out);
	buf_puts(status->out, "</style>\n</head>\n");
}

static void put_body(const struct status_data *status)
{
	struct buf *out = status->out;

	buf_puts(out, "<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
		      "<header><h1>Certificate Provider</h1>\n<p>Status of ");
	html_time(out, status->now);
	buf_puts(out, " UTC</p>\n<nav aria-label=\"Sections\"><ul>"
		      "<li><a href=\"#unfinished\">Unfinished</a></li>"
		      "<li><a href=\"#peers\">CA and gateways</a></li>"
		      "<li><a href=\"#expiry\">Expiry</a></li>"
		      "<li><a href=\"#certificates\">Certificates</a></li>"
		      "<li><a href=\"#recent\">Recent events</a></li>"
		      "</ul></nav></header>\n<main id=\"main\" tabindex=\"-1\">\n");
	status_glance_put(status);
	status_unfinished_put(status);
	status_peers_put(status);
	status_expiry_put(status);
	status_certificates_put(status);
	status_recent_put(status);
	buf_puts(out, "</main>\n<footer><p>All times are UTC. Reload the page for current data."
		      "</p></footer>\n</body>\n</html>\n");
}

enum err status_page_get(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	struct buf wanted = BUF_INIT(WANTED_MAX);
	struct status_data status;
	enum err err;

	buf_puts(&wanted, "");
	err = query_string_find(request_param(request, "QUERY_STRING"), "q", &wanted, e);
	if (!err)
		err = put_headers(response, e);
	if (!err) {
		response->content_type = "text/html; charset=utf-8";
		status_data_read(service, text_trim(wanted.data), &response->body, &status);
		put_head(&status);
		put_body(&status);
	}
	buf_free(&wanted);
	return err;
}
