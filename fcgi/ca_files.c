/* GET /ca.cer and /ca.crl: what clients fetch of the local CA, with what caches need. */
#include "fcgi/ca_files.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "provider/crl.h"
#include "provider/local_ca.h"

#define ETAG_DIGITS 32
#define CERTIFICATE_CACHE "public, max-age=86400"
#define CRL_CACHE_MAX 3600
#define CRL_ETAG_SIZE 56
#define HTTP_DATE_SIZE 64

/* A strong validator (RFC 9110, section 8.8.3), and an HTTP date or NULL. */
struct version {
	const char *etag, *modified;
};

static bool is_known(const struct request *request, const struct version *version)
{
	const char *known = request_param(request, "HTTP_IF_NONE_MATCH");
	const char *since = request_param(request, "HTTP_IF_MODIFIED_SINCE");

	/* RFC 9110, section 13.2.2: the date counts only where there is no tag. */
	if (*known)
		return strstr(known, version->etag) || strcmp(known, "*") == 0;
	return version->modified && strcmp(since, version->modified) == 0;
}

/* Returns true if the client has this version and needs no body. */
static bool describe(
	const struct request *request, const struct version *version, struct response *response)
{
	response_header(response, "ETag", "%s", version->etag);
	if (version->modified)
		response_header(response, "Last-Modified", "%s", version->modified);
	if (!is_known(request, version))
		return false;
	response->status = 304;
	response->content_type = NULL;
	return true;
}

/* The usage whose CA is asked for: there may be two local ones. */
static enum usage usage_of(const struct request *request)
{
	bool encryption = request->which == PATH_CA_ENCRYPTION_CERTIFICATE ||
			  request->which == PATH_CA_ENCRYPTION_CRL;

	return encryption ? USAGE_ENCRYPTION : USAGE_SIGNING;
}

enum err ca_files_get_certificate(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	struct blob der = {NULL, 0};
	char hex[DIGEST_HEX_SIZE], etag[ETAG_DIGITS + sizeof("\"\"")];
	enum err err = provider_ca_certificate(service->provider, usage_of(request), &der, e);

	if (!err)
		err = digest_hex(der.data, der.len, hex, e);
	if (!err) {
		snprintf(etag, sizeof(etag), "\"%.*s\"", ETAG_DIGITS, hex);
		response->cache_control = CERTIFICATE_CACHE;
		response->content_type = "application/pkix-cert";
		if (!describe(request, &(struct version){etag, NULL}, response))
			buf_append(&response->body, der.data, der.len);
	}
	blob_free(&der);
	return err;
}

/* RFC 9110, section 5.6.7; in any locale. */
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

struct crl_version {
	char etag[CRL_ETAG_SIZE], modified[HTTP_DATE_SIZE];
};

/* The number of a list is unique; after an earlier store was restored the time still differs. */
static struct version version_of(const struct provider_crl *crl, struct crl_version *text)
{
	snprintf(text->etag, sizeof(text->etag), "\"%llx-%llx-%.16s\"",
		(unsigned long long)crl->number, (unsigned long long)crl->this_update,
		crl->authority);
	http_date(crl->this_update, text->modified);
	return (struct version){text->etag, text->modified};
}

/* No cache may hide a revocation for long, or keep a list that has expired. */
static bool describe_crl(
	const struct request *request, const struct provider_crl *crl, struct response *response)
{
	struct crl_version text;
	const struct version version = version_of(crl, &text);
	int64_t age = crl->next_update - clock_now();

	if (age > CRL_CACHE_MAX)
		age = CRL_CACHE_MAX;
	snprintf(response->cache_text, sizeof(response->cache_text), "public, max-age=%lld",
		(long long)(age > 0 ? age : 0));
	response->cache_control = response->cache_text;
	response->content_type = "application/pkix-crl";
	return describe(request, &version, response);
}

enum err ca_files_get_crl(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	struct provider_crl crl = {.this_update = 0};
	struct crl_version text;
	struct version version;
	enum err err = provider_crl_head(service->provider, usage_of(request), &crl, e);

	if (err)
		return err;
	version = version_of(&crl, &text);
	if (strcmp(request->method, "HEAD") == 0 || is_known(request, &version)) {
		if (!describe_crl(request, &crl, response))
			response->length = crl.size;
		return ERR_OK;
	}
	err = provider_crl(service->provider, usage_of(request), &crl, e);
	if (err)
		return err;
	if (!describe_crl(request, &crl, response))
		buf_append(&response->body, crl.der.data, crl.der.len);
	blob_free(&crl.der);
	return ERR_OK;
}
