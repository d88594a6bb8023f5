/* The parent process: holds the socket, starts workers, reloads on SIGHUP, stops on SIGTERM. */
#include "fcgi/parent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/children.h"
#include "fcgi/deadline.h"
#include "fcgi/expiry_log.h"
#include "fcgi/listener.h"
#include "fcgi/systemd_notify.h"
#include "fcgi/try_in_child.h"

/* The time to serve connections that are waiting when we are told to stop: nobody else may do it.
 */
#define DRAIN_MS 30000
#define DRAIN_LOOK_MS 20

/* The time a worker that is told to end may take beyond the deadlines of its request. */
#ifndef STOP_MARGIN_MS
#define STOP_MARGIN_MS 5000
#endif

struct parent {
	const struct parent_options *options;
	struct config *config;
	struct handler_counters *counters;
	struct auth_memory *memory; /* a reload keeps it */
	struct listener listener;
	struct children children;
	struct expiry_log expiry_log;
	bool stopping;
	int64_t drain_until; /* 0: not stopping, or the workers have been told to end */
};

/* SIGTERM, SIGINT: stop. SIGHUP: reload. SIGCHLD: wake up. sigtimedwait() takes them, no handler.
 */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static enum err read_config(const char *path, struct config **out, struct error *e)
{
	struct config *config = NULL;
	enum err err = config_load(path, &config, e);

	if (!err)
		err = try_in_child_open(config, e);
	if (err)
		config_free(config);
	else
		*out = config;
	return err;
}

static enum err start(struct parent *p, struct error *e)
{
	const struct parent_options *options = p->options;
	enum err err = read_config(options->config_path, &p->config, e);

	if (!err && options->socket)
		err = listener_open(options->socket, &p->listener, e);
	else if (!err)
		err = listener_inherit(&p->listener, e);
	if (!err)
		err = handler_counters_new(&p->counters, e);
	if (!err)
		err = auth_memory_new(&p->memory, e);
	if (err)
		return err;
	log_open("certprov.fcgi", &p->config->log);
	p->children.listen_fd = p->listener.fd;
	p->children.counters = p->counters;
	p->children.memory = p->memory;
	expiry_log_check(&p->expiry_log, p->config);
	log_info("serving %s with %u workers", options->socket ? options->socket : "descriptor 0",
		options->workers);
	return children_replace(&p->children, p->config, options->workers, 0, e);
}

/* When a worker that is told to end now has finished its request for certain. */
static int64_t latest_end(const struct config *config)
{
	return clock_monotonic_ms() + RECEIVE_DEADLINE_MS + SEND_DEADLINE_MS + STOP_MARGIN_MS +
	       config_longest(config) * 1000;
}

static enum err use_new_config(struct parent *p, struct error *e)
{
	struct config *config = NULL;
	enum err err = read_config(p->options->config_path, &config, e);

	if (!err)
		err = children_replace(
			&p->children, config, p->options->workers, latest_end(p->config), e);
	if (err) {
		config_free(config);
		return err;
	}
	config_free(p->config);
	p->config = config;
	return ERR_OK;
}

/* SIGHUP. We keep the socket, so connections wait while the workers are replaced. */
static void reload(struct parent *p)
{
	struct error e = {.code = ERR_OK};

	systemd_notify_reloading();
	if (use_new_config(p, &e)) {
		log_error("the configuration is wrong, and the old one stays in force: %s", e.text);
	} else {
		log_open("certprov.fcgi", &p->config->log);
		expiry_log_check(&p->expiry_log, p->config);
		log_info("the configuration was read anew; new workers take over");
	}
	systemd_notify_ready();
}

/* SIGTERM and SIGINT. */
static void stop(struct parent *p)
{
	if (p->stopping)
		return;
	p->stopping = true;
	atomic_store(&p->counters->admission.stopping, true);
	p->drain_until = clock_monotonic_ms() + DRAIN_MS;
	log_info("stopping; open requests are finished first");
	systemd_notify_stopping();
	listener_remove(&p->listener);
}

/* While stopping: tells the workers to end once no connection waits for one. */
static void drain(struct parent *p)
{
	struct pollfd waiting = {.fd = p->listener.fd, .events = POLLIN};

	if (!p->drain_until)
		return;
	if (poll(&waiting, 1, 0) > 0 && clock_monotonic_ms() < p->drain_until)
		return;
	p->drain_until = 0;
	close(p->listener.fd);
	children_retire(&p->children, latest_end(p->config));
}

/* When there will be something to do even without a signal. */
static int64_t next_time(const struct parent *p)
{
	int64_t next = children_next(&p->children), look = INT64_MAX;

	if (p->drain_until)
		look = clock_monotonic_ms() + DRAIN_LOOK_MS;
	else if (!p->stopping)
		look = clock_monotonic_ms() + expiry_log_wait_ms(&p->expiry_log);
	return look < next ? look : next;
}

static int wait_for_signal(const sigset_t *set, int64_t until)
{
	int64_t left = until == INT64_MAX ? 3600 * 1000 : until - clock_monotonic_ms();
	struct timespec timeout = {0, 0};

	if (left > 0)
		timeout = (struct timespec){left / 1000, left % 1000 * 1000000};
	return sigtimedwait(set, NULL, &timeout);
}

static void run(struct parent *p, const sigset_t *set)
{
	while (!p->stopping || !children_are_gone(&p->children)) {
		drain(p);
		if (!p->stopping && expiry_log_wait_ms(&p->expiry_log) == 0)
			expiry_log_check(&p->expiry_log, p->config);
		children_start(&p->children);
		children_kill_overdue(&p->children);
		switch (wait_for_signal(set, next_time(p))) {
		case SIGTERM:
		case SIGINT:
			stop(p);
			break;
		case SIGHUP:
			if (!p->stopping)
				reload(p);
			break;
		default: /* SIGCHLD, or it is time */
			break;
		}
		children_reap(&p->children);
	}
}

int parent_run(const struct parent_options *options)
{
	struct parent p = {.options = options, .listener = {.fd = -1}};
	struct error e = {.code = ERR_OK};
	sigset_t set;
	enum err err;

	block_signals(&set);
	err = start(&p, &e);
	if (!err)
		systemd_notify_ready();
	if (err) {
		log_error("cannot start: %s", e.text);
		listener_remove(&p.listener);
	} else {
		run(&p, &set);
		log_info("stopped");
	}
	children_fini(&p.children);
	handler_counters_free(p.counters);
	auth_memory_free(p.memory);
	config_free(p.config);
	return error_meaning(err)->exit_status;
}
