/* An answer on its way in: checks its header line by line and limits its size. */
#include "net/http_incoming.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define HEADER_MAX (32 * 1024)	    /* bytes of a header block, including trailers */
#define SERVER_WAIT_MAX (24 * 3600) /* seconds: a server that asks for more gets this */
#define FIELD_NAME_MAX 32	    /* longer than the names that we read */
#define FIELD_TEXT_MAX HTTP_WANTED_SIZE

/* Seconds or an HTTP-date (RFC 9110, section 10.2.3); anything else counts as none. */
static void take_retry_after(struct http_incoming *in, const char *value)
{
	int64_t seconds = 0;

	if (!text_number(value, INT64_MAX, &seconds))
		seconds = (int64_t)curl_getdate(value, NULL) - clock_now();
	if (seconds < 0)
		seconds = 0;
	in->retry_after = (int)(seconds < SERVER_WAIT_MAX ? seconds : SERVER_WAIT_MAX);
}

static void take_date(struct http_incoming *in, const char *value)
{
	time_t date = curl_getdate(value, NULL);

	in->date = date > 0 ? (int64_t)date : 0;
}

/* RFC 9110, 8.3.1: type and subtype, in any case; parameters follow. */
static void take_content_type(struct http_incoming *in, const char *value)
{
	size_t len = strcspn(value, "; \t");

	if (len >= sizeof(in->content_type))
		return;
	for (size_t i = 0; i < len; i++)
		in->content_type[i] = text_lower(value[i]);
	in->content_type[len] = '\0';
}

/* The fields that we read. */
static const struct {
	const char *name;
	void (*take)(struct http_incoming *in, const char *value);
} fields[] = {{"content-type", take_content_type}, {"date", take_date},
	{"retry-after", take_retry_after}};

/* value follows the colon and includes white space and the end of the line. */
static void take_value(struct http_incoming *in, const char *name, const char *value, size_t len)
{
	char text[FIELD_TEXT_MAX];

	if (len >= sizeof(text))
		return;
	memcpy(text, value, len);
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (text_equal_nocase(name, fields[i].name))
			fields[i].take(in, text_trim(text));
	for (size_t i = 0; i < in->wanted_count; i++)
		if (text_equal_nocase(name, in->wanted[i].name))
			snprintf(in->wanted[i].value, sizeof(in->wanted[i].value), "%s",
				text_trim(text));
}

/* "HTTP/1.1 200 OK": three digits after the first space (RFC 9112, section 4). */
static void take_status(struct http_incoming *in, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	char digits[4] = "";
	int64_t status = 0;

	if (space && line + len - space > 3)
		memcpy(digits, space + 1, 3);
	if (!text_number(digits, 999, &status) || status < 100)
		in->fault = HTTP_FAULT_HEADER;
	in->status = (int)status;
	in->retry_after = 0;
	in->date = 0;
	in->content_type[0] = '\0';
	for (size_t i = 0; i < in->wanted_count; i++)
		in->wanted[i].value[0] = '\0';
}

static void take_field(struct http_incoming *in, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : 0;
	char name[FIELD_NAME_MAX];

	if (name_len == 0 || line[name_len - 1] == ' ' || line[name_len - 1] == '\t') {
		in->fault = HTTP_FAULT_HEADER;
		return;
	}
	if (name_len >= sizeof(name))
		return;
	memcpy(name, line, name_len);
	name[name_len] = '\0';
	take_value(in, name, colon + 1, len - name_len - 1);
}

static bool is_status_line(const char *line, size_t len)
{
	return len > 5 && memcmp(line, "HTTP/", 5) == 0;
}

/* Takes one line of the header block, or of the trailers after a chunked body. */
size_t http_incoming_header(char *data, size_t size, size_t count, void *incoming)
{
	struct http_incoming *in = incoming;
	size_t len = size * count;
	bool interim = in->status >= 100 && in->status < 200;

	/* The answer before this one was only a step of the server's authentication. */
	if (in->header_done && in->status == 401 && is_status_line(data, len)) {
		in->header_done = false;
		in->status = 0;
	}
	in->header_len += len;
	if (in->header_len > HEADER_MAX)
		in->fault = HTTP_FAULT_HEADER_SIZE;
	else if (in->header_done)
		return len;
	else if (in->status == 0 || (interim && is_status_line(data, len)))
		take_status(in, data, len);
	else if (data[0] == '\r' || data[0] == '\n')
		in->header_done = !interim;
	else if (data[0] != ' ' && data[0] != '\t') /* else: an obsolete continuation line */
		take_field(in, data, len);
	return in->fault ? 0 : len;
}

size_t http_incoming_body(char *data, size_t size, size_t count, void *incoming)
{
	struct http_incoming *in = incoming;
	size_t len = size * count;

	buf_append(&in->body, data, len);
	if (in->body.failed)
		in->fault = HTTP_FAULT_BODY_SIZE;
	return in->fault ? 0 : len;
}
