#include "fcgi/service.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/deadline.h"
#include "fcgi/problem.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "fcgi/web_server_auth.h"

enum err service_open(const struct config *config, struct service *out, struct error *e)
{
	struct service service = {.config = config};
	enum err err = ERR_OK;

	if (config->events.authenticate == AUTHENTICATE_BASIC)
		err = auth_open(config->events.users_file, &service.auth, e);
	if (!err && config->admin.users_file)
		err = auth_open(config->admin.users_file, &service.admin, e);
	if (!err)
		err = provider_open(config, &service.provider, e);
	if (err == ERR_UNAVAILABLE) {
		log_error("events cannot be recorded yet: %s", e->text);
		err = ERR_OK;
	}
	if (err)
		service_close(&service);
	else
		*out = service;
	return err;
}

void service_close(struct service *service)
{
	if (service->provider)
		provider_close(service->provider);
	auth_close(service->auth);
	auth_close(service->admin);
	*service = (struct service){.config = NULL};
}

static void equip_provider(struct service *service)
{
	if (!service->provider)
		return;
	provider_use_pool(service->provider, service->pool);
	if (service->counters)
		provider_use_counters(service->provider, &service->counters->provider);
	if (service->pass.admission)
		provider_use_admission(service->provider, &service->pass);
}

void service_use(struct service *service, struct handler_counters *counters, struct key_pool *pool)
{
	service->counters = counters;
	service->pool = pool;
	equip_provider(service);
}

static enum err need_provider(struct service *service, struct error *e)
{
	enum err err = ERR_OK;

	if (!service->provider) {
		err = provider_open(service->config, &service->provider, e);
		equip_provider(service);
	}
	return err;
}

void service_use_memory(struct service *service, struct auth_memory *memory)
{
	if (service->auth)
		auth_share(service->auth, memory);
	if (service->admin)
		auth_share(service->admin, memory);
}

void service_use_admission(struct service *service, const struct admission_pass *pass)
{
	service->pass = *pass;
	equip_provider(service);
}

/* --- who may */

static enum err check_basic(struct service *service, struct auth *auth, const char *realm,
	const struct request *request, struct response *response, struct error *e)
{
	const char *given = request_param(request, "HTTP_AUTHORIZATION");
	enum err err;

	if (!*given) /* where Apache's mod_rewrite passes it on to a CGI program */
		given = request_param(request, "REDIRECT_HTTP_AUTHORIZATION");
	err = auth_check(auth, given, request->remote, e);
	if (err == ERR_UNAUTHENTICATED) {
		response_header(response, "WWW-Authenticate",
			"Basic realm=\"%s\", charset=\"UTF-8\"", realm);
		handler_counters_refused(service->counters, auth_failure(auth));
	}
	return err;
}

static enum err check_web_server(
	struct service *service, const struct request *request, struct error *e)
{
	enum auth_failure why = AUTH_NO_REMOTE_USER;
	enum err err = web_server_auth_check(request, &why, e);

	if (err)
		handler_counters_refused(service->counters, why);
	return err;
}

static enum err check_events_access(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	switch (service->config->events.authenticate) {
	case AUTHENTICATE_BASIC:
		return check_basic(service, service->auth, "certprov", request, response, e);
	case AUTHENTICATE_WEB_SERVER:
		return check_web_server(service, request, e);
	case AUTHENTICATE_NONE:
		return ERR_OK;
	}
	return error_set(e, ERR_INTERNAL, "unknown kind of authentication");
}

/* Only posts: people try the address by GET. */
static enum err check_events(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	enum err err = check_events_access(service, request, response, e);

	if (strcmp(request->method, "POST") == 0 && (!err || err == ERR_UNAUTHENTICATED))
		handler_counters_event_access(service->counters, !err);
	return err;
}

static enum err check_access(struct service *service, enum access access,
	const struct request *request, struct response *response, struct error *e)
{
	switch (access) {
	case ACCESS_ALL:
		return ERR_OK;
	case ACCESS_EVENTS:
		return check_events(service, request, response, e);
	case ACCESS_ADMIN:
		return check_basic(service, service->admin, "certprov admin", request, response, e);
	}
	return error_set(e, ERR_INTERNAL, "unknown kind of access");
}

/*
 * The order matters: path and method, length, sender and media type are known
 * before a byte of the body is read.
 */
static enum err admit(struct service *service, struct request *request, struct response *response,
	const struct route **out, struct error *e)
{
	const struct route *route = NULL;
	enum err err = route_find(request, service->admin, response, &route, e);

	if (!err && route->body)
		err = request_check_length(request, service->config->events.max_body, e);
	if (!err)
		err = check_access(service, route->access, request, response, e);
	if (!err && route->body)
		err = request_check_type(request, e);
	if (!err && route->body)
		err = request_read_body(request, e);
	if (!err)
		*out = route;
	return err;
}

static enum err dispatch(struct service *service, struct request *request,
	struct response *response, struct error *e)
{
	const struct route *route = NULL;
	enum err err = admit(service, request, response, &route, e);

	deadline_stop(); /* the work has deadlines of its own */
	if (!err && need_provider(service, e)) {
		err = e->code;
		if (route->body)
			events_unrecorded(request, e);
	} else if (!err) {
		err = route->handle(service, request, response, e);
	}
	if (!err)
		err = response_check(response, e);
	return err;
}

/* --- what was */

static enum log_level level_of(enum err err)
{
	if (!err)
		return LOG_LEVEL_INFO;
	return err == ERR_CONFIG || err == ERR_REFUSED || err == ERR_BARRED || err == ERR_GARBLED ||
			       err == ERR_INTERNAL
		       ? LOG_LEVEL_ERROR
		       : LOG_LEVEL_WARNING;
}

#define METHOD_SHOWN 16
#define PATH_SHOWN 128
#define REMOTE_SHOWN 64

/*
 * What the client chose stays one word in the log's line: a path with spaces could
 * name an address and a status of its own, for those who ban or alert by them.
 */
static void one_word(const char *text, size_t max, char *out)
{
	size_t n = 0;

	for (; text[n] && n < max; n++)
		out[n] = text[n] > ' ' && text[n] <= '~' ? text[n] : '_';
	out[n] = '\0';
}

static void log_request_line(const struct request *request, const struct response *response,
	const struct error *result, int64_t started)
{
	char method[METHOD_SHOWN + 1], path[PATH_SHOWN + 1], remote[REMOTE_SHOWN + 1];
	char status[16], ms[24];
	const struct log_field fields[] = {
		{"method", method, NULL},
		{"path", path, NULL},
		{"remote", remote, NULL},
		{"status", status, status},
		{"ms", ms, ms},
	};

	one_word(request->method, METHOD_SHOWN, method);
	one_word(request->path, PATH_SHOWN, path);
	one_word(request->remote, REMOTE_SHOWN, remote);
	snprintf(status, sizeof(status), "%d", response->status);
	snprintf(ms, sizeof(ms), "%lld", (long long)(clock_monotonic_ms() - started));
	log_fields(level_of(result->code), fields, ARRAY_LEN(fields),
		"%s %s from %s: %s in %s ms%s%s", method, path, remote, status, ms,
		*result->text ? ": " : "", result->text);
}

static void send_and_log(const struct request *request, const struct response *response,
	const struct error *result, int64_t started)
{
	struct error e = {.code = ERR_OK};
	enum err err;

	deadline_start(SEND_DEADLINE_MS);
	err = response_send(response, request, &e);
	log_request_line(request, response, result, started);
	if (err)
		log_warning("the answer %d was not taken: %s; the work done stays done",
			response->status,
			deadline_passed() ? "the web server stalled and was cut off" : e.text);
}

/* A request, until it is answered. */
struct exchange {
	const struct request *request;
	int64_t started;
	bool answered;
};

static void answer_now(struct service *service, struct exchange *x, struct response *response,
	const struct error *result)
{
	if (service) { /* before the client can know */
		handler_counters_worker_answers(service->counters, service->pass.place);
		handler_counters_request(service->counters, x->request->which, response->status);
	}
	send_and_log(x->request, response, result, x->started);
	x->answered = true;
}

static void answer_early(struct service *service, struct exchange *x)
{
	const struct transport *transport = x->request->transport;
	struct response response;
	struct error e;

	error_set(&e, ERR_UNAVAILABLE,
		"recorded, and still waiting for a CA or a gateway that is slow, while other "
		"events wait");
	response_init(&response);
	problem_fill(&response, &e);
	answer_now(service, x, &response, &e);
	response_fini(&response);
	transport->end(transport->ctx);
	deadline_stop();
}

bool service_answer_early(void *ctx)
{
	struct service *service = ctx;
	struct exchange *x = service->exchange;

	if (!x->answered && x->request->transport->end &&
		admission_is_wanted(&service->pass, clock_monotonic_ms()))
		answer_early(service, x);
	return !x->answered || !admission_is_stopping(&service->pass);
}

static void answer(
	struct service *service, const struct transport *transport, const struct error *reason)
{
	struct error e = reason ? *reason : (struct error){.code = ERR_OK};
	struct request request;
	struct response response;
	struct exchange x = {.request = &request, .started = clock_monotonic_ms()};

	request_init(&request, transport);
	response_init(&response);
	log_set_request(request.id);
	if (service)
		service->exchange = &x;
	if (!e.code && dispatch(service, &request, &response, &e) == ERR_OK)
		e = (struct error){.code = ERR_OK};
	if (e.code)
		problem_fill(&response, &e);
	if (!x.answered)
		answer_now(service, &x, &response, &e);
	log_set_request(NULL);
	response_fini(&response);
	request_fini(&request);
}

void service_answer(struct service *service, const struct transport *transport)
{
	answer(service, transport, NULL);
}

void service_refuse(const struct transport *transport, const struct error *reason)
{
	answer(NULL, transport, reason);
}
