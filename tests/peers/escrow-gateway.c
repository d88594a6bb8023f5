/*
 * A simulated Credential Escrow Gateway, for tests: the FastCGI program behind
 * an nginx that terminates TLS and asks for a client certificate (see
 * peer.nginx). It is as strict as the real one could be
 * (escrow-judge.h), does on request what a sick one does (escrow-state.h), and
 * has recorded an upload before it answers. With -K it says what it finds wrong as ASP.NET Core on
 * Kestrel does, and takes no client certificate without clientAuth.
 */

#include <fcgiapp.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/peers/escrow-judge.h"
#include "tests/peers/escrow-state.h"
#include "tests/peers/peer-fastcgi.h"

#define BODY_MAX 30000000 /* Kestrel's */
#define STATUS_NOT_ACCEPTABLE 406

struct gateway {
	const char *socket;
	const char *state;
	const char *thumbprints;
	struct blob password; /* data is NULL: none */
	int64_t workers;
	bool kestrel;
};

/* One request and what becomes of it. */
struct exchange {
	const struct gateway *gateway;
	FCGX_Request *request;
	struct buf body;
	char client[THUMBPRINT_SIZE];
	struct upload upload;
	char record[RECORD_NAME_SIZE];
	struct order order;
	int status;
	struct error error;
};

static const char *param(const struct exchange *x, const char *name)
{
	return peer_param(x->request, name);
}

/* --- the steps of a request; each may end it with a status and a text */

static enum err judge_target(struct exchange *x)
{
	if (strcmp(param(x, "REQUEST_URI"), "/v2/certificates") != 0)
		return error_set(&x->error, ERR_NOT_FOUND, "there is nothing at this path");
	if (strcmp(param(x, "REQUEST_METHOD"), "POST") != 0)
		return error_set(&x->error, ERR_METHOD, "only POST is allowed here");
	return ERR_OK;
}

/* "application/json", and nothing but parameters behind it. */
static bool is_json_type(const char *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return strncasecmp(type, json, len) == 0 && (!type[len] || strchr("; \t", type[len]));
}

static enum err judge_headers(struct exchange *x)
{
	if (!is_json_type(param(x, "CONTENT_TYPE")))
		return error_set(&x->error, ERR_UNSUPPORTED, "Content-Type: not application/json");
	if (!is_json_type(param(x, "HTTP_ACCEPT"))) {
		x->status = STATUS_NOT_ACCEPTABLE;
		return error_set(&x->error, ERR_UNSUPPORTED, "Accept: not application/json");
	}
	return ERR_OK;
}

/* What an order asks for before the upload is looked at. */
static enum err obey_before(struct exchange *x)
{
	const struct order *order = &x->order;

	if (order->deed == DEED_SLOW || order->deed == DEED_HANG)
		state_wait(x->gateway->state, order);
	if (order->deed == DEED_HANG)
		x->status = PEER_STATUS_DROP;
	else if (order->deed == DEED_STATUS && order->status >= 300)
		x->status = order->status;
	return x->status ? error_set(&x->error, ERR_UNAVAILABLE, "as ordered") : ERR_OK;
}

/* What an order asks for once the upload is recorded. */
static void obey_after(struct exchange *x)
{
	x->status = x->order.deed == DEED_STATUS ? x->order.status : 200;
	if (x->order.deed == DEED_LATE)
		state_wait(x->gateway->state, &x->order);
	if (x->order.deed == DEED_DROP)
		x->status = PEER_STATUS_DROP;
}

static enum err take_upload(struct exchange *x)
{
	const struct gateway *g = x->gateway;
	enum err err = judge_upload(x->body.data ? x->body.data : "", x->body.len,
		(const char *)g->password.data, &x->upload, &x->error);

	return err ? err : state_record(g->state, x->body.data, x->body.len, x->record, &x->error);
}

static enum err handle(struct exchange *x)
{
	const struct gateway *g = x->gateway;
	const char *client = param(x, "CLIENT_CERTIFICATE");
	enum err err = judge_client(client, g->thumbprints, x->client, &x->error);

	if (!err && g->kestrel && judge_client_purpose(client, &x->error)) {
		x->status = PEER_STATUS_DROP; /* in the handshake, without an alert */
		err = x->error.code;
	}
	if (!err)
		err = judge_target(x);
	if (!err)
		err = peer_read_body(x->request, &x->body, &x->error);
	if (!err)
		err = judge_headers(x);
	if (!err)
		err = state_next_order(g->state, x->body.len > 0, &x->order, &x->error);
	if (!err)
		err = obey_before(x);
	if (!err)
		err = take_upload(x);
	return err;
}

/* --- answers */

static void answer_huge(struct exchange *x)
{
	static char kilobyte[1024];
	long left = (long)(x->order.number * 1024);

	memset(kilobyte, ' ', sizeof(kilobyte));
	while (left-- > 0 && FCGX_PutStr(kilobyte, sizeof(kilobyte), x->request->out) > 0)
		;
}

/* A sick answer promises more than it has, or is of another kind. */
static void put_body(const struct exchange *x, struct buf *out)
{
	enum deed deed = x->status == 200 ? x->order.deed : DEED_OK;
	struct buf json = BUF_INIT(4096);

	buf_printf(&json, "{\"status\": %d, \"%s\": ", x->status, *x->record ? "id" : "error");
	buf_json_string(&json, *x->record ? x->record : x->error.text);
	buf_puts(&json, "}\n");
	if (deed == DEED_GARBAGE)
		buf_puts(out, "\r\n\x01\xff<html>}{\"");
	else if (deed == DEED_HUGE || x->status == 204)
		buf_puts(out, "\r\n");
	else
		buf_printf(out, "Content-Length: %zu\r\n\r\n%s",
			json.len + (deed == DEED_CUT ? 1000 : 0), json.data);
	buf_free(&json);
}

/* A 400 has a problem (RFC 9457) as ASP.NET Core writes it, any other refusal no body at all. */
static void answer_as_kestrel(struct exchange *x, struct buf *out)
{
	static const char problem[] =
		"{\"type\":\"https://tools.ietf.org/html/rfc9110#section-15.5.1\","
		"\"title\":\"One or more validation errors occurred.\",\"status\":400,"
		"\"errors\":{\"smime_certificates\":[\"The value is not valid.\"]},"
		"\"traceId\":\"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00\"}";

	if (x->status == 422)
		x->status = 400;
	buf_printf(out, "Status: %d\r\n", x->status);
	if (*x->order.retry)
		buf_printf(out, "Retry-After: %s\r\n", x->order.retry);
	if (x->status == 400)
		buf_printf(out,
			"Content-Type: application/problem+json; charset=utf-8\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			strlen(problem), problem);
	else
		buf_puts(out, "Content-Length: 0\r\n\r\n");
}

static void answer_as_ever(struct exchange *x, struct buf *out)
{
	buf_printf(out, "Status: %d\r\nContent-Type: application/json\r\n", x->status);
	if (x->status == 405)
		buf_puts(out, "Allow: POST\r\n");
	if (*x->order.retry)
		buf_printf(out, "Retry-After: %s\r\n", x->order.retry);
	put_body(x, out);
}

static void answer(struct exchange *x)
{
	struct buf out = BUF_INIT(8192);

	if (x->gateway->kestrel && x->status >= 400)
		answer_as_kestrel(x, &out);
	else
		answer_as_ever(x, &out);
	FCGX_PutStr(out.data, (int)out.len, x->request->out);
	if (x->order.deed == DEED_HUGE && x->status == 200)
		answer_huge(x);
	buf_free(&out);
}

static void serve(void *ctx, FCGX_Request *request)
{
	const struct gateway *gateway = ctx;
	struct exchange x = {.gateway = gateway, .request = request, .body = BUF_INIT(BODY_MAX)};
	struct log_entry entry = {.upload = &x.upload, .client = x.client, .record = x.record};
	struct error e = {.code = ERR_OK};
	enum err err = handle(&x);

	/* The judgement is in the log before anything that an order does to the answer. */
	if (err && !x.status)
		x.status = error_meaning(err)->http_status;
	entry.status = err ? x.status : 200;
	entry.method = param(&x, "REQUEST_METHOD");
	entry.path = param(&x, "REQUEST_URI");
	entry.text = x.error.text;
	if (state_log(gateway->state, &entry, &e)) {
		fprintf(stderr, "escrow-gateway: %s\n", e.text);
		x.status = 500;
	} else if (!err) {
		obey_after(&x);
	}
	answer(&x);
	buf_free(&x.body);
}

static bool read_options(int argc, char **argv, struct gateway *g, struct error *e)
{
	int option;

	while ((option = getopt(argc, argv, "s:d:t:p:w:K")) != -1) {
		if (option == 's')
			g->socket = optarg;
		else if (option == 'K')
			g->kestrel = true;
		else if (option == 'd')
			g->state = optarg;
		else if (option == 't')
			g->thumbprints = optarg;
		else if (option == 'p' && file_read_password(optarg, &g->password, e))
			return false;
		else if (option == 'w' && !text_number(optarg, PEER_WORKERS_MAX, &g->workers))
			return false;
		else if (option == '?')
			return false;
	}
	return g->socket && g->state && g->thumbprints && g->workers && optind == argc;
}

int main(int argc, char **argv)
{
	struct gateway gateway = {.workers = 8};
	struct error e = {.text = "wrong usage"};

	if (!read_options(argc, argv, &gateway, &e)) {
		fprintf(stderr,
			"escrow-gateway: %s\nusage: escrow-gateway -s SOCKET -d STATE-FOLDER "
			"-t THUMBPRINT-FILE [-p PKCS12-PASSWORD-FILE] [-w WORKERS] [-K]\n",
			e.text);
		return 2;
	}
	return peer_run(gateway.socket, gateway.workers, serve, &gateway);
}
