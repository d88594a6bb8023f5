/* A worker process: takes connections from the socket and serves one request after the other. */
#include "fcgi/worker.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "fcgi/answer.h"
#include "fcgi/deadline.h"
#include "fcgi/service.h"

#define OUT_OF_RESOURCES_PAUSE_MS 100

/* How long a reserve worker leaves a connection to the other worker, and how often it looks. */
#define RESERVE_MS 2000
#define RESERVE_LOOK_MS 20

static volatile sig_atomic_t stop;

static void on_stop(int signal)
{
	(void)signal;
	stop = 1;
}

/*
 * After FCGX_Init(), which puts handlers of its own on SIGTERM, SIGPIPE and SIGUSR1. SIGTERM stays
 * blocked except while waiting for a connection, so it never interrupts a request. Signals that a
 * terminal sends to all processes are left to the parent.
 */
static void set_signals(void)
{
	struct sigaction action = {.sa_handler = on_stop};
	static const int ignored[] = {SIGPIPE, SIGINT, SIGHUP, SIGUSR1};
	sigset_t mask;

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		sigaction(ignored[i], &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* --- one connection: we accept it ourselves, not libfcgi, so that we can shut it down */

struct connection {
	FCGX_Request r;
	bool over;
};

static size_t read_body(void *ctx, void *data, size_t len)
{
	struct connection *c = ctx;
	int got = FCGX_GetStr(data, len < INT_MAX ? (int)len : INT_MAX, c->r.in);

	return got > 0 ? (size_t)got : 0;
}

static bool write_answer(void *ctx, const void *data, size_t len)
{
	struct connection *c = ctx;

	return len < INT_MAX && FCGX_PutStr(data, (int)len, c->r.out) == (int)len &&
	       FCGX_FFlush(c->r.out) == 0;
}

static void end_answer(void *ctx)
{
	struct connection *c = ctx;

	if (!c->over)
		FCGX_Finish_r(&c->r);
	c->over = true;
}

/*
 * Calls FCGX_Accept_r() with a connection that is accepted already and no listening socket: then it
 * reads the parameters of the request and returns, whatever happens. keepConnection is 1 before, or
 * it would close our connection first; and 0 afterwards, as a web server that asks for a kept
 * connection (fastcgi_keep_conn) would occupy this worker.
 */
static void serve(struct service *service, int fd)
{
	struct connection c = {.over = false};
	struct transport transport = {
		.ctx = &c, .read = read_body, .write = write_answer, .end = end_answer};

	FCGX_InitRequest(&c.r, -1, 0);
	c.r.ipcFd = fd;
	c.r.keepConnection = 1;
	deadline_watch(fd);
	deadline_start(RECEIVE_DEADLINE_MS);
	if (FCGX_Accept_r(&c.r) == 0) {
		c.r.keepConnection = 0;
		transport.params = c.r.envp;
		answer_request(service, &transport);
		end_answer(&c);
	} else if (deadline_passed()) {
		log_warning("a connection brought no request within %d ms and was cut off",
			RECEIVE_DEADLINE_MS);
	} else {
		log_debug("a connection ended without a request");
	}
	deadline_stop();
}

/* --- one connection after the other */

/*
 * Waits for a connection or SIGTERM. Returns true if there may be a connection. While one is
 * waiting ppoll() takes no signals, so they are let through for a moment before.
 */
static bool wait_for_connection(int listen_fd)
{
	struct pollfd wanted = {.fd = listen_fd, .events = POLLIN};
	sigset_t none, blocked;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	return !stop && ppoll(&wanted, 1, NULL, &none) > 0 && !stop;
}

/*
 * A reserve worker leaves connections to the other worker, unless that one waits for a CA or a
 * gateway, or does not take them.
 */
static bool is_left_to_others(struct service *service, int listen_fd)
{
	const struct timespec pause = {.tv_nsec = RESERVE_LOOK_MS * 1000000L};
	struct pollfd waiting = {.fd = listen_fd, .events = POLLIN};
	int64_t began = clock_monotonic_ms(), now = began;

	if (!service->pass.reserve)
		return false;
	while (!admission_is_slow(&service->pass, now) && now - began < RESERVE_MS) {
		nanosleep(&pause, NULL);
		if (poll(&waiting, 1, 0) <= 0)
			return true;
		now = clock_monotonic_ms();
	}
	return false;
}

/* Returns false if the socket is unusable. If another worker was quicker, that is no error. */
static bool accept_one(struct service *service, unsigned place, int listen_fd)
{
	const struct timespec pause = {.tv_nsec = OUT_OF_RESOURCES_PAUSE_MS * 1000000L};
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		struct pollfd more = {.fd = listen_fd, .events = POLLIN};
		int64_t started = clock_monotonic_us(), now = clock_monotonic_ms();
		int64_t before = watchdog_enter(answer_latest_end(service->config));

		handler_counters_worker_busy(service->counters, place);
		/* Events of connections that wait are not recorded before this one is finished. */
		admission_note_crowd(&service->counters->admission, poll(&more, 1, 0) > 0, now);
		serve(service, fd);
		watchdog_leave(before);
		handler_counters_worker_idle(service->counters, place, started);
		return true;
	}
	switch (errno) {
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		log_error("cannot accept connections: the listening socket: %s; restart "
			  "certprov.fcgi with a listening socket",
			strerror(errno));
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_error("cannot accept connections: %s; raise LimitNOFILE= or MemoryMax= of the "
			  "unit",
			strerror(errno));
		nanosleep(&pause, NULL);
		return true;
	default:
		return true;
	}
}

int worker_run(const struct config *config, struct key_pool *pool,
	struct handler_counters *counters, struct auth_memory *memory,
	const struct admission_pass *pass, int listen_fd)
{
	struct service service = {.config = NULL};
	struct error e = {.code = ERR_OK};
	enum err err = deadline_init(&e);
	int status = 0;

	if (!err)
		err = watchdog_init(WATCHDOG_STATUS, NULL, &e);
	if (!err && FCGX_Init() != 0)
		err = error_set(&e, ERR_INTERNAL, "FCGX_Init failed");
	set_signals();
	if (!err)
		err = service_open(config, &service, &e);
	if (err) {
		log_error("worker cannot start: %s", e.text);
		return error_meaning(err)->exit_status;
	}
	service_use_admission(&service, pass);
	service_use(&service, counters, pool);
	service_use_memory(&service, memory);
	while (!stop && !status)
		if (wait_for_connection(listen_fd) && !is_left_to_others(&service, listen_fd) &&
			!accept_one(&service, pass->place, listen_fd))
			status = error_meaning(ERR_INTERNAL)->exit_status;
	service_close(&service);
	return status;
}
