/*
 * A simulated UEM, for tests: the OAuth token server and the REST API of one customer, the FastCGI
 * program behind peer.nginx. It is strict where the API is known to be, and has logged a request
 * before it answers. In its state folder are
 *
 *   devices, users     a JSON object a line, see uem-objects.h
 *   client             "ID SECRET" of the OAuth client
 *   client-way         body or basic: the one way in which it takes them; none: both
 *   admin              "NAME PASSWORD" for HTTP Basic
 *   tenant             the aw-tenant-code; none: none is needed
 *   tokens/TOKEN       tokens that are good; a test may remove them
 *   token-life         expires_in as it stands in the answer; none: 3600
 *   quota              "LIMIT LEFT RESET", sent with each answer
 *   missing            what an unknown object gets: json (default), uem (ASP.NET's page), html,
 *                      empty (200 without a body) or nothing (204)
 *   versions           the versions of a device that it has: "23" by default
 *   userless           there is that file: version 2 leaves out whose a device is
 *   orders/ROOM/script, orders/ROOM/mode   as in escrow-state.h, for each ROOM: token, devices,
 *                      users, search
 */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "tests/peers/escrow-state.h"
#include "tests/peers/peer-fastcgi.h"
#include "tests/peers/peer-state.h"
#include "tests/peers/uem-objects.h"

#define BODY_MAX (1024 * 1024)
#define REPLY_MAX (64 * 1024 * 1024)

/* --- answers */

static void reply_status(struct uem_exchange *x, int status, const char *type)
{
	x->status = status;
	snprintf(x->type, sizeof(x->type), "%s", type);
	buf_reset(&x->reply);
}

void uem_reply_error(struct uem_exchange *x, int status, int code, const char *message)
{
	reply_status(x, status, "application/json; charset=utf-8");
	buf_printf(&x->reply, "{\"errorCode\":%d,\"message\":", code);
	buf_json_string(&x->reply, message);
	buf_puts(&x->reply, ",\"activityId\":\"b5c6a6a4-3f0f-4f2d-a3a6-1d7f2c1e7a10\"}");
	snprintf(x->note, sizeof(x->note), "%s", message);
}

void uem_reply_json(struct uem_exchange *x, int status, const cJSON *json)
{
	char *text = json ? cJSON_PrintUnformatted(json) : NULL;

	reply_status(x, text ? status : 204, text ? "application/json; charset=utf-8" : "");
	buf_puts(&x->reply, text ? text : "");
	free(text);
}

void uem_reply_missing(struct uem_exchange *x, const char *message)
{
	char how[PEER_LINE_MAX] = "json";

	peer_line(x->state, "missing", true, how);
	if (strcmp(how, "json") == 0) {
		uem_reply_error(x, 404, 5061, message);
		return;
	}
	if (strcmp(how, "empty") == 0 || strcmp(how, "nothing") == 0) {
		reply_status(x, strcmp(how, "empty") == 0 ? 200 : 204, "");
		return;
	}
	reply_status(x, 404, "text/html; charset=utf-8");
	buf_puts(&x->reply,
		strcmp(how, "uem") == 0
			? "<!DOCTYPE html><html><head><title>The resource cannot be found."
			  "</title></head><body><h1>Server Error in '/API/Mdm' Application."
			  "</h1></body></html>"
			: "<!DOCTYPE html><html><body>Not here.</body></html>");
}

/* --- who asks */

static bool same_line(const struct uem_exchange *x, const char *name, const char *text)
{
	char line[PEER_LINE_MAX];

	return peer_line(x->state, name, true, line) && strcmp(line, text) == 0;
}

/* "Basic " and base64 of "NAME:PASSWORD", as "NAME PASSWORD". */
static bool read_basic(const struct uem_exchange *x, char out[PEER_LINE_MAX])
{
	static const char scheme[] = "Basic ";
	const char *header = peer_param(x->request, "HTTP_AUTHORIZATION");
	struct buf pair = BUF_INIT(PEER_LINE_MAX);
	size_t len = sizeof(scheme) - 1;
	bool good = strncmp(header, scheme, len) == 0 &&
		    text_unbase64(header + len, strlen(header + len), &pair) && pair.len > 0 &&
		    strchr(pair.data, ':');

	if (good) {
		*strchr(pair.data, ':') = ' ';
		snprintf(out, PEER_LINE_MAX, "%s", pair.data);
	}
	buf_free(&pair);
	return good;
}

static bool has_token(const struct uem_exchange *x)
{
	static const char scheme[] = "Bearer ";
	const char *header = peer_param(x->request, "HTTP_AUTHORIZATION");
	const char *token = header + sizeof(scheme) - 1;
	char name[PATH_MAX], path[PATH_MAX];

	if (strncmp(header, scheme, sizeof(scheme) - 1) != 0 ||
		token[strspn(token, "0123456789abcdef")] || !*token)
		return false;
	snprintf(name, sizeof(name), "tokens/%.100s", token);
	peer_path(x->state, name, path);
	return access(path, F_OK) == 0;
}

static bool is_admitted(struct uem_exchange *x)
{
	char line[PEER_LINE_MAX] = "", tenant[PEER_LINE_MAX] = "", words[PEER_LINE_MAX + 64];
	const char *code = peer_param(x->request, "HTTP_AW_TENANT_CODE");
	bool basic = read_basic(x, line);

	if (!has_token(x) && !(basic && same_line(x, "admin", line))) {
		uem_reply_error(x, 401, 1005,
			"An error occurred while validating remote service client credentials or "
			"user not found : api");
		return false;
	}
	if (peer_line(x->state, "tenant", true, tenant) && strcmp(tenant, code) != 0) {
		snprintf(words, sizeof(words),
			"Tenant code %.200s does not identify an Organization Group.", code);
		uem_reply_error(x, 403, 1013, words);
		return false;
	}
	return true;
}

/* --- tokens (RFC 6749, 4.4) */

/* Undoes percent-encoding, up to the end that is one of those characters. */
static void decode(const char *at, const char *ends, char out[PEER_LINE_MAX])
{
	size_t n = 0;

	for (; *at && !strchr(ends, *at) && n < PEER_LINE_MAX - 1; at++) {
		unsigned char c = (unsigned char)*at;

		if (c == '%' && text_unhex((char[]){at[1], at[1] ? at[2] : '\0', '\0'}, &c, 1))
			at += 2;
		out[n++] = (char)c;
	}
	out[n] = '\0';
}

/* name=value among the members of a form. */
static bool form_value(const char *form, const char *name, char out[PEER_LINE_MAX])
{
	size_t len = strlen(name);
	const char *at = form;

	while (at && !(strncmp(at, name, len) == 0 && at[len] == '=')) {
		at = strchr(at, '&');
		if (at)
			at++;
	}
	if (at)
		decode(at + len + 1, "&", out);
	return at != NULL;
}

static bool knows_client(const struct uem_exchange *x, const char *form)
{
	char id[PEER_LINE_MAX] = "", secret[PEER_LINE_MAX] = "", line[PEER_LINE_MAX] = "",
	     way[PEER_LINE_MAX] = "", pair[2 * PEER_LINE_MAX];
	bool basic = read_basic(x, way); /* form-encoded before (RFC 6749, 2.3.1) */
	bool body = form_value(form, "client_id", id) && form_value(form, "client_secret", secret);

	decode(way, "", line);
	*way = '\0';
	peer_line(x->state, "client-way", true, way);
	if (basic == body || (strcmp(way, "body") == 0 && basic) ||
		(strcmp(way, "basic") == 0 && body))
		return false;
	snprintf(pair, sizeof(pair), "%s %s", id, secret);
	return same_line(x, "client", basic ? line : pair);
}

static void give_token(struct uem_exchange *x)
{
	char token[49], name[PATH_MAX], path[PATH_MAX], life[PEER_LINE_MAX] = "3600";
	unsigned char random[24];

	peer_line(x->state, "token-life", true, life);
	if (secret_random(random, sizeof(random), &x->error))
		return;
	text_hex(random, sizeof(random), token);
	snprintf(name, sizeof(name), "tokens/%s", token);
	peer_path(x->state, name, path);
	if (file_create(path, 0600, "", 0, &x->error))
		return;
	reply_status(x, 200, "application/json");
	buf_printf(&x->reply,
		"{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%s}", token,
		life);
}

static void serve_token(struct uem_exchange *x)
{
	const char *form = x->body.data ? x->body.data : "";
	char grant[PEER_LINE_MAX] = "";

	if (strcmp(x->method, "POST") != 0 ||
		strcmp(peer_param(x->request, "CONTENT_TYPE"),
			"application/x-www-form-urlencoded") != 0 ||
		!form_value(form, "grant_type", grant) ||
		strcmp(grant, "client_credentials") != 0) {
		reply_status(x, 400, "application/json");
		buf_puts(&x->reply, "{\"error\":\"invalid_request\"}");
	} else if (!knows_client(x, form)) {
		reply_status(x, 401, "application/json");
		buf_puts(&x->reply, "{\"error\":\"invalid_client\"}");
	} else {
		give_token(x);
	}
}

/* --- dispatch */

static const struct room {
	const char *name;
	const char *method, *prefix;
	bool for_anybody;
	void (*serve)(struct uem_exchange *x);
} rooms[] = {
	{"token", "POST", "/connect/token", true, serve_token},
	{"search", "GET", "/API/mdm/devices/search", false, uem_serve_search},
	{"search", "GET", "/API/mdm/devices/extensivesearch", false, uem_serve_extensive},
	{"devices", "GET", "/API/mdm/devices/", false, uem_serve_device},
	{"users", "GET", "/API/system/users/", false, uem_serve_user},
};

static const struct room *find_room(const struct uem_exchange *x)
{
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++)
		if (strncmp(x->path, rooms[i].prefix, strlen(rooms[i].prefix)) == 0 &&
			strcmp(x->method, rooms[i].method) == 0)
			return &rooms[i];
	return NULL;
}

/* "application/json;version=2" */
static int version_of(const char *accept)
{
	static const char prefix[] = "application/json;version=";
	int64_t version = 0;

	if (strncmp(accept, prefix, sizeof(prefix) - 1) == 0)
		text_number(accept + sizeof(prefix) - 1, 9, &version);
	return (int)version;
}

static void answer_order(struct uem_exchange *x)
{
	enum deed deed = x->order.deed;

	if (deed == DEED_HANG || deed == DEED_DROP)
		reply_status(x, PEER_STATUS_DROP, "");
	if (deed == DEED_GARBAGE || deed == DEED_HUGE)
		reply_status(x, 200, "application/json; charset=utf-8");
	if (deed == DEED_GARBAGE)
		buf_puts(&x->reply, "\x01\xff<html>}{\"");
	for (long left = deed == DEED_HUGE ? (long)(x->order.number * 1024) : 0; left > 0; left--) {
		static char kilobyte[1024];

		memset(kilobyte, ' ', sizeof(kilobyte));
		buf_append(&x->reply, kilobyte, sizeof(kilobyte));
	}
}

static enum err handle(struct uem_exchange *x)
{
	const struct room *room = find_room(x);
	char name[64], dir[PATH_MAX];
	enum err err = peer_read_body(x->request, &x->body, &x->error);

	if (err)
		return err;
	if (!room) {
		uem_reply_missing(x, "no such path");
		return ERR_OK;
	}
	snprintf(name, sizeof(name), "orders/%s", room->name);
	peer_path(x->state, name, dir);
	err = state_next_order(dir, true, &x->order, &x->error);
	if (err)
		return err;
	if (x->order.deed == DEED_SLOW || x->order.deed == DEED_HANG)
		state_wait(dir, &x->order);
	if (x->order.deed == DEED_STATUS)
		uem_reply_error(
			x, x->order.status, x->order.status == 401 ? 1005 : 0, "as ordered");
	else if (room->for_anybody || is_admitted(x))
		room->serve(x);
	answer_order(x);
	return x->status ? ERR_OK : x->error.code;
}

static enum err write_log(struct uem_exchange *x)
{
	struct buf line = BUF_INIT(8192);

	peer_log_begin(&line, x->status);
	peer_log_member(&line, "method", x->method);
	peer_log_member(&line, "path", x->path);
	peer_log_member(&line, "query", x->query);
	buf_printf(&line, ", \"version\": %d", x->version);
	peer_log_member(&line, "text", x->note);
	return peer_log_end(&line, x->state, &x->error);
}

static void put_quota(const struct uem_exchange *x, struct buf *head)
{
	char line[PEER_LINE_MAX], *rest = NULL, *last = NULL;
	const char *limit, *left;

	if (!peer_line(x->state, "quota", true, line))
		return;
	limit = peer_word(line, &rest);
	left = peer_word(rest, &last);
	buf_printf(head,
		"x-ratelimit-limit: %s\r\nx-ratelimit-remaining: %s\r\nx-ratelimit-reset: %s\r\n",
		limit, left, last);
}

static void answer(struct uem_exchange *x)
{
	size_t more = x->order.deed == DEED_CUT ? 1000 : 0;
	struct buf head = BUF_INIT(8192);

	buf_printf(&head, "Status: %d\r\n", x->status);
	if (*x->type)
		buf_printf(&head, "Content-Type: %s\r\n", x->type);
	if (x->version && x->status == 200)
		buf_printf(&head, "x-api-version: v%d\r\n", x->version);
	if (*x->order.retry)
		buf_printf(&head, "Retry-After: %s\r\n", x->order.retry);
	if (x->status >= 300 && x->status < 400)
		buf_puts(&head, "Location: https://elsewhere.example.com/\r\n");
	put_quota(x, &head);
	buf_printf(&head, "Content-Length: %zu\r\n\r\n", x->reply.len + more);
	FCGX_PutStr(head.data, (int)head.len, x->request->out);
	if (x->reply.len)
		FCGX_PutStr(x->reply.data, (int)x->reply.len, x->request->out);
	buf_free(&head);
}

static void serve(void *ctx, FCGX_Request *request)
{
	const char *uri = peer_param(request, "REQUEST_URI");
	size_t len = strcspn(uri, "?");
	struct uem_exchange x = {
		.state = ctx,
		.request = request,
		.method = peer_param(request, "REQUEST_METHOD"),
		.query = uri[len] ? uri + len + 1 : "",
		.version = version_of(peer_param(request, "HTTP_ACCEPT")),
		.body = BUF_INIT(BODY_MAX),
		.reply = BUF_INIT(REPLY_MAX),
	};

	snprintf(x.path, sizeof(x.path), "%.*s", (int)len, uri);
	if (handle(&x) || write_log(&x)) {
		fprintf(stderr, "uem-server: %s\n", x.error.text);
		uem_reply_error(&x, 500, 0, "the simulator fails");
	}
	answer(&x);
	buf_free(&x.body);
	buf_free(&x.reply);
}

int main(int argc, char **argv)
{
	char *socket = NULL, *state = NULL;
	int option;

	while ((option = getopt(argc, argv, "s:d:")) != -1) {
		if (option == 's')
			socket = optarg;
		else if (option == 'd')
			state = optarg;
	}
	if (!socket || !state || optind != argc) {
		fprintf(stderr, "usage: uem-server -s SOCKET -d STATE-FOLDER\n");
		return 2;
	}
	return peer_run(socket, 8, serve, state);
}
