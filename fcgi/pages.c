#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "fcgi/route.h"

#define SHA256_SIZE 32
#define ETAG_BYTES 16
#define CERTIFICATE_CACHE "public, max-age=86400"
#define CRL_CACHE_MAX 3600
#define HTTP_DATE_SIZE 64

/* Can events be recorded? */
enum err page_healthz(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	(void)request;
	if (store_ping(provider_store(service->provider), e)) {
		e->code = ERR_UNAVAILABLE; /* whatever the cause, a monitor reads 503 */
		return e->code;
	}
	response->content_type = "text/plain";
	buf_puts(&response->body, "OK\n");
	return ERR_OK;
}

/* A strong validator (RFC 9110, section 8.8.3) of what is served, in its quotes. */
static enum err make_etag(const struct blob *content, char out[2 * ETAG_BYTES + 3], struct error *e)
{
	unsigned char digest[SHA256_SIZE];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, content->data, content->len, digest) < 0)
		return error_set(e, ERR_INTERNAL, "SHA-256 failed");
	out[0] = '"';
	text_hex(digest, ETAG_BYTES, out + 1);
	memcpy(out + 2 * ETAG_BYTES + 1, "\"", sizeof("\""));
	return ERR_OK;
}

/* What anyone may have and keep; last_modified is an HTTP date, or NULL. */
static enum err serve(const struct request *request, const struct blob *content,
	const char *last_modified, struct response *response, struct error *e)
{
	const char *known = request_param(request, "HTTP_IF_NONE_MATCH");
	const char *since = request_param(request, "HTTP_IF_MODIFIED_SINCE");
	char etag[2 * ETAG_BYTES + 3];
	enum err err = make_etag(content, etag, e);
	bool same;

	if (err)
		return err;
	response_header(response, "ETag", "%s", etag);
	if (last_modified)
		response_header(response, "Last-Modified", "%s", last_modified);
	/* RFC 9110, section 13.2.2: the date counts only where there is no tag. */
	same = *known ? strstr(known, etag) || strcmp(known, "*") == 0
		      : last_modified && strcmp(since, last_modified) == 0;
	if (same) {
		response->status = 304;
		response->content_type = NULL;
	} else {
		buf_append(&response->body, content->data, content->len);
	}
	return ERR_OK;
}

/* Of which CA, where there are two in this house. */
static enum usage usage_of(const struct request *request)
{
	bool encryption = request->which == PATH_CA_ENCRYPTION_CERTIFICATE ||
			  request->which == PATH_CA_ENCRYPTION_CRL;

	return encryption ? USAGE_ENCRYPTION : USAGE_SIGNING;
}

/* For those who build a chain from the issuer URL in a certificate (RFC 5280, 4.2.2.1). */
enum err page_ca_certificate(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	struct blob der = {NULL, 0};
	enum err err = provider_ca_certificate(service->provider, usage_of(request), &der, e);

	if (err)
		return err;
	response->cache_control = CERTIFICATE_CACHE;
	response->content_type = "application/pkix-cert";
	err = serve(request, &der, NULL, response, e);
	blob_free(&der);
	return err;
}

/* RFC 9110, section 5.6.7; whatever the locale. */
static void http_date(int64_t seconds, char out[HTTP_DATE_SIZE])
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const time_t time = (time_t)seconds;
	struct tm tm = {.tm_mday = 1};

	gmtime_r(&time, &tm);
	snprintf(out, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
		tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Nobody shall learn too late of what was revoked, nor keep a list that has ended. */
static void cache_crl(const struct provider_crl *crl, struct response *response)
{
	int64_t age = crl->next_update - clock_now();

	if (age > CRL_CACHE_MAX)
		age = CRL_CACHE_MAX;
	snprintf(response->cache_text, sizeof(response->cache_text), "public, max-age=%lld",
		(long long)(age > 0 ? age : 0));
	response->cache_control = response->cache_text;
}

/* The CRL distribution point (RFC 5280, 4.2.1.13; RFC 2585, 3). */
enum err page_ca_crl(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	struct provider_crl crl = {.this_update = 0};
	char modified[HTTP_DATE_SIZE];
	enum err err = provider_crl(service->provider, usage_of(request), &crl, e);

	if (err)
		return err;
	http_date(crl.this_update, modified);
	cache_crl(&crl, response);
	response->content_type = "application/pkix-crl";
	err = serve(request, &crl.der, modified, response, e);
	blob_free(&crl.der);
	return err;
}
