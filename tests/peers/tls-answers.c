/* The answers of tls-peer, by the first part of the request's path. */
#include "tls-answers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct counters *counters;

static void send_bytes(struct connection *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = gnutls_record_send(c->tls, data, len);

		if (n < 0)
			_exit(0); /* the client has gone: nothing is left to do */
		data += n;
		len -= (size_t)n;
	}
}

static void send_text(struct connection *c, const char *text)
{
	send_bytes(c, text, strlen(text));
}

static void send_json(struct connection *c, const char *status, const char *more, const char *body)
{
	char head[512];

	snprintf(head, sizeof(head),
		"HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
		status, more, strlen(body));
	send_text(c, head);
	send_text(c, body);
}

/* --- answers that are more than a text; arg is what follows the name */

static enum ending play_status(struct connection *c, const char *arg)
{
	char status[64];

	snprintf(status, sizeof(status), "%.3s Scripted", arg);
	send_json(c, status, "", "{\"error\":\"scripted\"}");
	return END_KEEP;
}

static enum ending play_retry_date(struct connection *c, const char *arg)
{
	char field[64];
	time_t when = time(NULL) + strtol(arg, NULL, 10);
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(field, sizeof(field), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	send_json(c, "503 Service Unavailable", field, "{}");
	return END_KEEP;
}

static enum ending play_counters(struct connection *c, const char *arg)
{
	char body[64];

	(void)arg;
	snprintf(body, sizeof(body), "connections=%u requests=%u", counters->connections,
		counters->requests);
	send_json(c, "200 OK", "", body);
	return END_KEEP;
}

static enum ending play_echo(struct connection *c, const char *arg)
{
	char head[128];
	size_t head_len = (size_t)(strstr(c->head, "\r\n\r\n") + 4 - c->head);

	(void)arg;
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		head_len + c->body_len);
	send_text(c, head);
	send_bytes(c, c->head, head_len);
	send_bytes(c, c->body, c->body_len);
	return END_KEEP;
}

/* 200 only for an upload in the form that the Escrow Gateway asks for. */
static enum ending play_strict(struct connection *c, const char *arg)
{
	static const char *const demands[] = {
		"POST /strict/v2/certificates HTTP/1.1\r\n",
		"\r\nContent-Type: application/json\r\n",
		"\r\nAccept: application/json\r\n",
	};
	static const char start[] = "{\"device_uuid\":\"", end[] = "]}}";
	bool good = c->body_len > sizeof(start) && memcmp(c->body, start, sizeof(start) - 1) == 0 &&
		    memcmp(c->body + c->body_len - 3, end, 3) == 0;

	(void)arg;
	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++)
		good = good && strstr(c->head, demands[i]);
	send_json(c, good ? "200 OK" : "400 Bad Request", "", "{}");
	return END_KEEP;
}

static enum ending play_long_400(struct connection *c, const char *arg)
{
	(void)arg;
	send_text(c, "HTTP/1.1 400 Bad Request\r\n\r\n");
	for (int i = 0; i < 500; i++)
		send_text(c, "words ");
	return END_NOTIFY;
}

static enum ending play_hang(struct connection *c, const char *arg)
{
	(void)c;
	(void)arg;
	pause();
	return END_CUT;
}

/* The same text again and again, every 50 ms. */
static enum ending drip(struct connection *c, const char *text)
{
	const struct timespec pause = {0, 50 * 1000 * 1000};

	for (int i = 0; i < 100000; i++) {
		send_text(c, text);
		nanosleep(&pause, NULL);
	}
	return END_KEEP;
}

static enum ending play_drip(struct connection *c, const char *arg)
{
	(void)arg;
	send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	return drip(c, "x");
}

static enum ending play_drip_header(struct connection *c, const char *arg)
{
	(void)arg;
	send_text(c, "HTTP/1.1 200 OK\r\n");
	return drip(c, "X: y\r\n");
}

static void send_many(struct connection *c, const char *text, size_t times)
{
	while (times-- > 0)
		send_text(c, text);
}

static enum ending play_huge_body(struct connection *c, const char *arg)
{
	(void)arg;
	send_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	send_many(c, "a\r\n0123456789\r\n", 100000);
	return END_CUT;
}

static enum ending play_huge_header(struct connection *c, const char *arg)
{
	(void)arg;
	send_text(c, "HTTP/1.1 200 OK\r\n");
	send_many(c, "X-Filler: 0123456789\r\n", 100000);
	return END_CUT;
}

static enum ending play_huge_line(struct connection *c, const char *arg)
{
	(void)arg;
	send_text(c, "HTTP/1.1 200 OK\r\nX-Filler: ");
	send_many(c, "0123456789", 100000);
	return END_CUT;
}

/* A kept connection is closed instead of answered; on a new one all is well. */
static enum ending end_if_kept(struct connection *c, enum ending end)
{
	if (c->served > 0)
		return end;
	send_json(c, "200 OK", "", "{}");
	return END_KEEP;
}

static enum ending play_close_if_kept(struct connection *c, const char *arg)
{
	(void)arg;
	return end_if_kept(c, END_NOTIFY);
}

static enum ending play_reset_if_kept(struct connection *c, const char *arg)
{
	(void)arg;
	return end_if_kept(c, END_RESET);
}

/* --- the table */

#define OK "HTTP/1.1 200 OK\r\n"

static const struct behaviour {
	const char *name; /* the first part of the path; one that ends in '-' takes an argument */
	enum ending end;
	const char *text;
	enum ending (*play)(struct connection *c, const char *arg);
} behaviours[] = {
	{"ok", END_KEEP, OK "Content-Length: 2\r\n\r\n{}"},
	{"created", END_KEEP, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
	{"no-content", END_KEEP, "HTTP/1.1 204 No Content\r\n\r\n"},
	{"chunked", END_KEEP,
		OK
		"Transfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\nX-T: 1\r\n\r\n"},
	{"interim", END_KEEP,
		"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK "Content-Length: 2\r\n\r\n{}"},
	{"interim-only", END_NOTIFY, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"},
	{"no-length", END_NOTIFY, OK "\r\nwhole"},
	{"no-length-cut", END_CUT, OK "\r\nwhole?"},
	{"close-after", END_NOTIFY, OK "Content-Length: 2\r\n\r\n{}"},
	{"cut-after", END_CUT, OK "Content-Length: 2\r\n\r\n{}"},
	{"cut-status", END_NOTIFY, "HTTP/1.1 200"},
	{"cut-header", END_NOTIFY, OK "Content-Type: text/plain\r\n"},
	{"cut-header-line", END_NOTIFY, OK "Content-Type: text/pl"},
	{"cut-header-hard", END_CUT, OK "Content-Type: text/plain\r\n"},
	{"cut-body", END_NOTIFY, OK "Content-Length: 10\r\n\r\n12345"},
	{"cut-body-hard", END_CUT, OK "Content-Length: 10\r\n\r\n12345"},
	{"cut-chunk", END_NOTIFY, OK "Transfer-Encoding: chunked\r\n\r\n8\r\nWiki"},
	{"cut-chunk-end", END_NOTIFY, OK "Transfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n"},
	{"bad-chunk", END_NOTIFY, OK "Transfer-Encoding: chunked\r\n\r\nzz\r\nWiki\r\n0\r\n\r\n"},
	{"bad-header", END_KEEP, OK "Content-Length: 0\r\nthis is no field\r\n\r\n"},
	{"bad-name", END_KEEP, OK "Content-Length: 0\r\n: nameless\r\n\r\n"},
	{"bad-length", END_NOTIFY, OK "Content-Length: -5\r\n\r\n{}"},
	{"bad-status", END_NOTIFY, "HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n"},
	{"garbage", END_NOTIFY, "\001\002\003 what is this\r\n\r\n"},
	{"silent", END_NOTIFY, ""},
	{"reset", END_RESET, ""},
	{"redirect", END_KEEP,
		"HTTP/1.1 302 Found\r\nLocation: /counters\r\nContent-Length: 0\r\n\r\n"},
	{"retry-seconds", END_KEEP,
		"HTTP/1.1 429 Too Many Requests\r\nretry-after:  17 \r\nContent-Length: 0\r\n\r\n"},
	{"retry-long", END_KEEP,
		"HTTP/1.1 503 No\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n"},
	{"retry-junk", END_KEEP,
		"HTTP/1.1 503 No\r\nRetry-After: soon, I hope\r\nContent-Length: 0\r\n\r\n"},
	{"dated", END_KEEP,
		"HTTP/1.1 103 Early Hints\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n\r\n"
		"HTTP/1.1 200 OK\r\ndate:Sun, 06 Nov 1994 08:49:37 GMT \r\nContent-Length: "
		"0\r\n\r\n"},
	{"dated-once", END_KEEP,
		"HTTP/1.1 103 Early Hints\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n\r\n"
		"HTTP/1.1 200 OK\r\nDated: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: "
		"0\r\n\r\n"},
	{"dated-junk", END_KEEP, "HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 0\r\n\r\n"},
	{"nginx-400", END_NOTIFY,
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n"
		"<html>\r\n<head><title>400 The SSL certificate "
		"error</title></head>\r\n</html>\r\n"},
	{"secret-400", END_NOTIFY,
		"HTTP/1.1 400 Bad Request\r\n\r\n"
		"cannot read \"TUlJSzJBSUJBekNDQ3Bnd0RRWUpLb1pJaHZjTkFRY0JvSUlLaVFTQ0NvVXdnZ3FC\" "
		"\x1b[31m\xc3\xa9 at line 1\n    "},
	{"status-", END_KEEP, NULL, play_status},
	{"retry-date-", END_KEEP, NULL, play_retry_date},
	{"counters", END_KEEP, NULL, play_counters},
	{"echo", END_KEEP, NULL, play_echo},
	{"strict", END_KEEP, NULL, play_strict},
	{"long-400", END_KEEP, NULL, play_long_400},
	{"hang", END_KEEP, NULL, play_hang},
	{"drip", END_KEEP, NULL, play_drip},
	{"drip-header", END_KEEP, NULL, play_drip_header},
	{"huge-body", END_KEEP, NULL, play_huge_body},
	{"huge-header", END_KEEP, NULL, play_huge_header},
	{"huge-line", END_KEEP, NULL, play_huge_line},
	{"close-if-kept", END_KEEP, NULL, play_close_if_kept},
	{"reset-if-kept", END_KEEP, NULL, play_reset_if_kept},
};

enum ending answer(struct connection *c)
{
	const char *path = strchr(c->head, ' ');
	size_t len;

	path = path && path[1] == '/' ? path + 2 : "";
	len = strcspn(path, "/? \r\n");
	for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
		const struct behaviour *b = &behaviours[i];
		size_t name_len = strlen(b->name);

		if (strncmp(path, b->name, name_len) != 0 ||
			(len != name_len && b->name[name_len - 1] != '-'))
			continue;
		if (b->play)
			return b->play(c, path + name_len);
		send_text(c, b->text);
		return b->end;
	}
	send_json(c, "404 Not Found", "", "{\"error\":\"no such behaviour\"}");
	return END_KEEP;
}
