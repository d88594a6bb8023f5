/* The answer to a request: status, headers and body, and how they are written. */
#include "fcgi/response.h"

#include <stdio.h>
#include <string.h>

#define HEADERS_MAX 2048
#define SMALL_BODY 16384	    /* is written together with its head */
#define BODY_MAX (16 * 1024 * 1024) /* a revocation list of 250,000 certificates */

void response_init(struct response *response)
{
	*response = (struct response){
		.status = 200, .headers = BUF_INIT(HEADERS_MAX), .body = BUF_INIT(BODY_MAX)};
}

void response_fini(struct response *response)
{
	buf_free(&response->headers);
	buf_free(&response->body);
}

void response_header(struct response *response, const char *name, const char *fmt, ...)
{
	char value[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	buf_printf(&response->headers, "%s: %s\r\n", name, value);
}

enum err response_check(const struct response *response, struct error *e)
{
	if (!buf_check(&response->headers, e) && !buf_check(&response->body, e))
		return ERR_OK;
	e->code = ERR_INTERNAL; /* an answer that is too large is not the client's fault */
	return error_context(e, "answer");
}

/* RFC 9110, section 15. */
const int response_statuses[RESPONSE_STATUS_COUNT] = {
	200, 202, 304, 400, 401, 403, 404, 405, 413, 415, 422, 500, 502, 503, 0};

static const char *const phrases[RESPONSE_STATUS_COUNT] = {"OK", "Accepted", "Not Modified",
	"Bad Request", "Unauthorized", "Forbidden", "Not Found", "Method Not Allowed",
	"Content Too Large", "Unsupported Media Type", "Unprocessable Content",
	"Internal Server Error", "Bad Gateway", "Service Unavailable", "Unknown"};

size_t response_status_index(int status)
{
	size_t i = 0;

	while (i < RESPONSE_STATUS_COUNT - 1 && response_statuses[i] != status)
		i++;
	return i;
}

static void write_head(
	const struct response *response, const struct request *request, struct buf *out)
{
	buf_printf(out, "Status: %d %s\r\n", response->status,
		phrases[response_status_index(response->status)]);
	if (response->content_type)
		buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
			response->content_type,
			response->length ? response->length : response->body.len);
	buf_printf(out, "Cache-Control: %s\r\n",
		response->cache_control ? response->cache_control : "no-store");
	buf_printf(out, "X-Content-Type-Options: nosniff\r\nX-Request-Id: %s\r\n", request->id);
	buf_append(out, response->headers.data, response->headers.len);
	buf_puts(out, "\r\n");
}

/* A long body is not copied. */
enum err response_send(
	const struct response *response, const struct request *request, struct error *e)
{
	struct buf head = BUF_INIT(HEADERS_MAX + 1024 + SMALL_BODY);
	const struct transport *transport = request->transport;
	const struct buf *body = &response->body;
	bool has_body = response->content_type && body->len && strcmp(request->method, "HEAD") != 0;
	enum err err;

	write_head(response, request, &head);
	if (has_body && body->len <= SMALL_BODY)
		buf_append(&head, body->data, body->len);
	err = buf_check(&head, e);
	if (!err && (!transport->write(transport->ctx, head.data, head.len) ||
			    (has_body && body->len > SMALL_BODY &&
				    !transport->write(transport->ctx, body->data, body->len))))
		err = error_set(e, ERR_UNAVAILABLE, "the web server has gone away");
	buf_free(&head);
	return err;
}
