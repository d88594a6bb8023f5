/* A request from its admission to its answer, by the table of routes. */
#include "fcgi/answer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/patience.h"
#include "fcgi/access.h"
#include "fcgi/deadline.h"
#include "fcgi/events.h"
#include "fcgi/problem.h"
#include "fcgi/request_log.h"
#include "fcgi/response.h"
#include "fcgi/route.h"

/* A request and its answer. service: NULL if the handler has none; the answer is then an error. */
struct exchange {
	struct service *service;
	struct request request;
	int64_t started; /* clock_monotonic_ms() */
	bool answered;
};

static void send_answer(
	struct exchange *x, const struct response *response, const struct error *result)
{
	struct error e = {.code = ERR_OK};
	enum err err;

	if (x->service) { /* before the client can know */
		handler_counters_worker_answers(x->service->counters, x->service->pass.place);
		handler_counters_request(x->service->counters, x->request.which, response->status);
	}
	deadline_start(SEND_DEADLINE_MS);
	err = response_send(response, &x->request, &e);
	request_log_line(&x->request, response, result, x->started);
	if (err)
		log_warning("the answer %d was not taken: %s; the work done stays done",
			response->status,
			deadline_passed() ? "the web server stalled and was cut off" : e.text);
	x->answered = true;
}

/*
 * Called now and then while an event that is recorded waits for another machine, see
 * base/patience.h. Answers 503 if other events need the worker. The work goes on, unless the
 * handler is told to stop.
 */
static bool answer_early(void *ctx)
{
	struct exchange *x = ctx;
	const struct transport *transport = x->request.transport;
	const struct admission_pass *pass = &x->service->pass;
	struct response response;
	struct error e;

	if (!x->answered && transport->end && admission_is_wanted(pass, clock_monotonic_ms())) {
		error_set(&e, ERR_UNAVAILABLE,
			"the event is recorded, and work on it goes on; answered before its end, as "
			"a CA or gateway is slow and other events wait");
		response_init(&response);
		problem_fill(&response, &e);
		send_answer(x, &response, &e);
		response_fini(&response);
		transport->end(transport->ctx);
		deadline_stop();
	}
	return !x->answered || !admission_is_stopping(pass);
}

/*
 * The order matters: path and method, length, sender and media type are checked before the first
 * byte of the body is read.
 */
static enum err admit(struct service *service, struct request *request, struct response *response,
	const struct route **out, struct error *e)
{
	const struct route *route = NULL;
	enum err err = route_find(request, service->admin, response, &route, e);

	if (!err && route->body)
		err = request_check_length(request, service->config->events.max_body, e);
	if (!err)
		err = access_check(service, route->access, request, response, e);
	if (!err && route->body)
		err = request_check_type(request, e);
	if (!err && route->body)
		err = request_read_body(request, e);
	if (!err)
		*out = route;
	return err;
}

static enum err dispatch(struct exchange *x, struct response *response, struct error *e)
{
	const struct route *route = NULL;
	enum err err = admit(x->service, &x->request, response, &route, e);

	deadline_stop(); /* the work has deadlines of its own */
	if (err)
		return err;
	err = service_need_provider(x->service, e);
	if (err) {
		if (route->body)
			events_log_unrecorded(&x->request, e);
		return err;
	}
	if (route->body)
		patience_set(answer_early, x);
	err = route->handle(x->service, &x->request, response, e);
	patience_set(NULL, NULL);
	return err ? err : response_check(response, e);
}

static void answer(
	struct service *service, const struct transport *transport, const struct error *reason)
{
	struct error e = reason ? *reason : (struct error){.code = ERR_OK};
	struct exchange x = {.service = service, .started = clock_monotonic_ms()};
	struct response response;

	request_init(&x.request, transport);
	response_init(&response);
	log_set_request(x.request.id);
	if (!e.code && dispatch(&x, &response, &e) == ERR_OK)
		e = (struct error){.code = ERR_OK};
	if (e.code)
		problem_fill(&response, &e);
	if (!x.answered)
		send_answer(&x, &response, &e);
	log_set_request(NULL);
	response_fini(&response);
	request_fini(&x.request);
}

void answer_request(struct service *service, const struct transport *transport)
{
	answer(service, transport, NULL);
}

int64_t answer_latest_end(const struct config *config)
{
	return clock_monotonic_ms() + RECEIVE_DEADLINE_MS + SEND_DEADLINE_MS +
	       config_patience(config) * 1000;
}

void answer_refuse(const struct transport *transport, const struct error *reason)
{
	answer(NULL, transport, reason);
}
