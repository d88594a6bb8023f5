#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/text.h"
#include "fcgi/route.h"

#define SHA256_SIZE 32
#define ETAG_BYTES 16
#define CERTIFICATE_CACHE "public, max-age=86400"

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

/* For those who build a chain from the issuer URL in a certificate (RFC 5280, 4.2.2.1). */
enum err page_ca_certificate(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	const char *known = request_param(request, "HTTP_IF_NONE_MATCH");
	struct blob der = {NULL, 0};
	char etag[2 * ETAG_BYTES + 3];
	enum err err = provider_ca_certificate(service->provider, &der, e);

	if (!err)
		err = make_etag(&der, etag, e);
	if (err)
		goto out;
	response->cache_control = CERTIFICATE_CACHE;
	response_header(response, "ETag", "%s", etag);
	if (strstr(known, etag) || strcmp(known, "*") == 0) {
		response->status = 304;
		goto out;
	}
	response->content_type = "application/pkix-cert";
	buf_append(&response->body, der.data, der.len);
out:
	blob_free(&der);
	return err;
}
