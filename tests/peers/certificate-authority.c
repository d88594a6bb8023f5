/*
 * A simulated certificate authority, for tests: the FastCGI program behind an
 * nginx that terminates TLS and may ask for a client certificate (peer.nginx).
 * It speaks what its table of fronts has, is as strict as a real one could be,
 * does on request what a sick one does (certificate-authority-core.h), and has
 * logged a request before it answers.
 */

#include "tests/peers/certificate-authority.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/peers/certificate-authority-core.h"
#include "tests/peers/peer-fastcgi.h"
#include "tests/peers/peer-state.h"

#define BODY_MAX (1024 * 1024)
#define REPLY_MAX (64 * 1024 * 1024)

static const struct front *const fronts[] = {
	&front_ejbca,
	&front_adcs,
	&front_est,
	&front_cfssl,
	&front_step,
	&front_vault,
};

struct service {
	const char *socket;
	const char *state;
	const char *issuers;
	int64_t workers;
};

const char *request_header(const struct exchange *x, const char *variable)
{
	return peer_param(x->request, variable);
}

/* --- answers */

void reply_status(struct exchange *x, int status, const char *type)
{
	x->status = status;
	snprintf(x->reply_type, sizeof(x->reply_type), "%s", type);
}

void reply_text(struct exchange *x, int status, const char *type, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	reply_status(x, status, type);
	buf_reset(&x->reply);
	buf_puts(&x->reply, text);
	if (status >= 400)
		snprintf(x->note, sizeof(x->note), "%.*s", (int)strcspn(text, "\n"), text);
}

void reply_header(struct exchange *x, const char *name, const char *fmt, ...)
{
	char value[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	buf_printf(&x->headers, "%s: %s\r\n", name, value);
}

void reply_unauthenticated(struct exchange *x, const char *challenge)
{
	reply_text(x, 401, "text/plain", "who are you?\n");
	reply_header(x, "WWW-Authenticate", "%s", challenge);
}

/* --- who asks */

static bool is_user(const char *state, const char *credentials)
{
	char path[PATH_MAX], line[PEER_LINE_MAX];
	bool found = false;
	FILE *users;

	peer_path(state, "users", path);
	users = fopen(path, "re");
	if (!users)
		return false;
	while (!found && fgets(line, sizeof(line), users)) {
		line[strcspn(line, "\r\n")] = '\0';
		found = *line && strcmp(line, credentials) == 0;
	}
	fclose(users);
	return found;
}

static void identify_basic(struct exchange *x)
{
	static const char scheme[] = "Basic ";
	const char *header = request_header(x, "HTTP_AUTHORIZATION");
	struct buf credentials = BUF_INIT(1024);
	size_t len = sizeof(scheme) - 1;

	if (strncmp(header, scheme, len) == 0 &&
		text_unbase64(header + len, strlen(header + len), &credentials) &&
		credentials.len > 0 && !memchr(credentials.data, '\0', credentials.len) &&
		is_user(x->state, credentials.data))
		snprintf(x->identity, sizeof(x->identity), "basic:%.*s",
			(int)strcspn(credentials.data, ":"), credentials.data);
	buf_free(&credentials);
}

/* What a web server in front has authenticated comes first. */
static void identify(struct exchange *x)
{
	const char *user = request_header(x, "REMOTE_USER");

	if (*user)
		snprintf(x->identity, sizeof(x->identity), "user:%s", user);
	else if (strcmp(request_header(x, "CLIENT_VERIFY"), "SUCCESS") == 0)
		snprintf(x->identity, sizeof(x->identity), "certificate:%s",
			request_header(x, "CLIENT_SUBJECT"));
	else
		identify_basic(x);
}

/* --- a request */

static void read_target(struct exchange *x)
{
	const char *uri = request_header(x, "REQUEST_URI");
	size_t len = strcspn(uri, "?");

	x->method = request_header(x, "REQUEST_METHOD");
	x->type = request_header(x, "CONTENT_TYPE");
	x->query = uri[len] ? uri + len + 1 : "";
	snprintf(x->path, sizeof(x->path), "%.*s", (int)len, uri);
}

static const struct front *find_front(const struct exchange *x)
{
	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++)
		if (strncmp(x->path, fronts[i]->prefix, strlen(fronts[i]->prefix)) == 0)
			return fronts[i];
	return NULL;
}

static enum err handle(struct exchange *x)
{
	const struct front *front = find_front(x);
	enum err err = peer_read_body(x->request, &x->body, &x->error);

	if (!err)
		err = mode_read(x->state, &x->mode, &x->error);
	if (err || mode_before(x))
		return err;
	if (front)
		return front->serve(x);
	reply_text(x, 404, "text/plain", "there is nothing at this path\n");
	return ERR_OK;
}

static enum err write_log(struct exchange *x)
{
	struct buf line = BUF_INIT(32768);
	const struct asked *asked = &x->asked;

	peer_log_begin(&line, x->status);
	peer_log_member(&line, "method", x->method);
	peer_log_member(&line, "path", x->path);
	peer_log_member(&line, "query", x->query);
	peer_log_member(&line, "identity", x->identity);
	peer_log_member(&line, "usage", *asked->key ? usage_names[asked->usage] : "");
	peer_log_member(&line, "mail", asked->mail);
	peer_log_member(&line, "subject", asked->subject);
	peer_log_member(&line, "key", asked->key);
	buf_printf(&line, ", \"request\": %lld", (long long)x->number);
	peer_log_member(&line, "serial", x->serial);
	peer_log_member(&line, "text", x->note);
	return peer_log_end(&line, x->state, &x->error);
}

static void answer(struct exchange *x)
{
	bool cut = x->struck && x->mode.fault == FAULT_TRUNCATED;
	struct buf head = BUF_INIT(65536);

	buf_printf(&head, "Status: %d\r\n", x->status);
	if (*x->reply_type)
		buf_printf(&head, "Content-Type: %s\r\n", x->reply_type);
	buf_append(&head, x->headers.data, x->headers.len);
	buf_printf(&head, "Content-Length: %zu\r\n\r\n", x->reply.len);
	FCGX_PutStr(head.data, (int)head.len, x->request->out);
	if (x->reply.len)
		FCGX_PutStr(x->reply.data, (int)(cut ? x->reply.len / 2 : x->reply.len),
			x->request->out);
	buf_free(&head);
}

static void serve(void *ctx, FCGX_Request *request)
{
	const struct service *service = ctx;
	struct exchange x = {
		.state = service->state,
		.issuers = service->issuers,
		.request = request,
		.body = BUF_INIT(BODY_MAX),
		.headers = BUF_INIT(32768),
		.reply = BUF_INIT(REPLY_MAX),
	};
	enum err err;

	read_target(&x);
	identify(&x);
	err = handle(&x);
	if (!err)
		mode_after(&x);
	if (err)
		reply_text(&x, 500, "text/plain", "the simulator fails: %s\n", x.error.text);
	if (write_log(&x))
		reply_text(&x, 500, "text/plain", "the simulator fails: %s\n", x.error.text);
	if (x.status == 500)
		fprintf(stderr, "certificate-authority: %s\n", x.error.text);
	answer(&x);
	buf_free(&x.body);
	buf_free(&x.headers);
	buf_free(&x.reply);
}

static bool read_options(int argc, char **argv, struct service *s)
{
	int option;

	while ((option = getopt(argc, argv, "s:d:i:w:")) != -1) {
		if (option == 's')
			s->socket = optarg;
		else if (option == 'd')
			s->state = optarg;
		else if (option == 'i')
			s->issuers = optarg;
		else if (option == 'w' && !text_number(optarg, PEER_WORKERS_MAX, &s->workers))
			return false;
		else if (option == '?')
			return false;
	}
	return s->socket && s->state && s->issuers && s->workers && optind == argc;
}

int main(int argc, char **argv)
{
	struct service service = {.workers = 8};

	if (!read_options(argc, argv, &service)) {
		fprintf(stderr, "usage: certificate-authority -s SOCKET -d STATE-FOLDER "
				"-i ISSUERS-FOLDER [-w WORKERS]\n");
		return 2;
	}
	return peer_run(service.socket, service.workers, serve, &service);
}
