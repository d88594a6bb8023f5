/* A request's parameters and body. Who may send it is checked in access.c. */
#include "fcgi/request.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "fcgi/deadline.h"

#define CHUNK 8192
#define MEDIA_TYPE_MAX 128

const char *request_param(const struct request *request, const char *name)
{
	size_t len = strlen(name);

	for (char **param = request->transport->params; param && *param; param++)
		if (strncmp(*param, name, len) == 0 && (*param)[len] == '=')
			return *param + len + 1;
	return "";
}

/* The web server's id, else the client's, else one of our own. */
static void set_id(struct request *request)
{
	static const char *const sources[] = {"REQUEST_ID", "HTTP_X_REQUEST_ID"};
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	unsigned char random[16] = {0};
	struct error e;

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		const char *id = request_param(request, sources[i]);
		size_t len = strlen(id);

		if (len >= REQUEST_ID_MIN && len <= REQUEST_ID_MAX && strspn(id, letters) == len) {
			memcpy(request->id, id, len + 1);
			return;
		}
	}
	if (secret_random(random, sizeof(random), &e))
		memset(random, 0, sizeof(random)); /* an id is no secret */
	text_hex(random, sizeof(random), request->id);
}

void request_init(struct request *request, const struct transport *transport)
{
	const char *path, *remote;

	*request = (struct request){.transport = transport};
	path = request_param(request, "PATH_INFO");
	remote = request_param(request, "REMOTE_ADDR");
	request->method = request_param(request, "REQUEST_METHOD");
	request->path = *path && strcmp(path, "/") != 0 ? path : "/events";
	request->which = path_find(request->path);
	request->remote = *remote ? remote : "unknown";
	set_id(request);
}

void request_fini(struct request *request)
{
	buf_free(&request->body);
}

static enum err too_large(size_t max, struct error *e)
{
	return error_set(e, ERR_TOO_LARGE, "At most %zu bytes are taken.", max);
}

enum err request_check_length(struct request *request, size_t max, struct error *e)
{
	const char *text = request_param(request, "CONTENT_LENGTH");
	int64_t length = (int64_t)max;
	bool told = *text != '\0';

	if (!told && !*request_param(request, "HTTP_TRANSFER_ENCODING"))
		return error_set(e, ERR_MALFORMED, "The request has no Content-Length.");
	if (strspn(text, "0123456789") != strlen(text))
		return error_set(e, ERR_MALFORMED, "Content-Length is not a number.");
	if (told && !text_number(text, (int64_t)max, &length))
		return too_large(max, e);
	request->length = (size_t)length;
	request->length_told = told;
	return ERR_OK;
}

/* "Text/XML; charset=utf-8" becomes "text/xml"; a longer type is cut. */
static void media_type(const char *header, char out[MEDIA_TYPE_MAX])
{
	size_t n = 0;

	header += strspn(header, " \t");
	while (header[n] && !strchr("; \t", header[n]) && n < MEDIA_TYPE_MAX - 1) {
		out[n] = text_lower(header[n]);
		n++;
	}
	out[n] = '\0';
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

enum err request_check_type(const struct request *request, struct error *e)
{
	static const char *const families[] = {
		"multipart/", "image/", "audio/", "video/", "font/", "model/"};
	char type[MEDIA_TYPE_MAX];
	bool other;

	media_type(request_param(request, "CONTENT_TYPE"), type);
	other = ends_with(type, "+xml") || ends_with(type, "/html") || ends_with(type, "/pdf");
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		other = other || strncmp(type, families[i], strlen(families[i])) == 0;
	if (other)
		return error_set(
			e, ERR_UNSUPPORTED, "Only application/json and application/xml are taken.");
	return ERR_OK;
}

/* A body without a length is read to one byte over the limit, which shows that it is too large. */
static enum err check_end(const struct request *request, size_t left, struct error *e)
{
	const char *why = deadline_passed() ? ", cut off after too long a wait" : "";

	if (request->length_told && left > 0)
		return error_set(e, ERR_MALFORMED, "The body ends after %zu of %zu bytes%s.",
			request->length - left, request->length, why);
	if (!request->length_told && left == 0)
		return too_large(request->length, e);
	if (!request->length_told && *why)
		return error_set(e, ERR_MALFORMED, "The body ends after %zu bytes%s.",
			request->body.len, why);
	return ERR_OK;
}

enum err request_read_body(struct request *request, struct error *e)
{
	char chunk[CHUNK];
	size_t left = request->length + !request->length_told;
	struct error internal;

	buf_init(&request->body, left);
	while (left > 0) {
		size_t wanted = left < sizeof(chunk) ? left : sizeof(chunk);
		size_t got = request->transport->read(request->transport->ctx, chunk, wanted);

		buf_append(&request->body, chunk, got);
		left -= got;
		if (got < wanted)
			break;
	}
	secret_wipe(chunk, sizeof(chunk));
	if (buf_check(&request->body, &internal))
		return error_memory(e);
	return check_end(request, left, e);
}
