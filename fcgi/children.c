/* The worker processes and the key maker, as the parent sees them: start, restart, end. */
#include "fcgi/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "fcgi/process_setup.h"
#include "fcgi/worker.h"
#include "provider/provider.h"

/* A worker that dies sooner than this and has answered nothing is restarted after a pause. */
#ifndef WORKER_SETTLED_MS
#define WORKER_SETTLED_MS 3000
#endif
#ifndef RESTART_PAUSE_MS
#define RESTART_PAUSE_MS 1000
#endif
#define RESTART_PAUSE_MAX_MS 30000

/* One worker is always left to record new events, see provider/admission.h. */
#ifndef WORKERS_LEAST
#define WORKERS_LEAST 2
#endif

enum role { WORKER, RESERVE, KEY_MAKER };

static const char *const role_names[] = {
	[WORKER] = "worker", [RESERVE] = "reserve worker", [KEY_MAKER] = "key maker"};

struct child {
	enum role role;
	unsigned place;	  /* in the counters; of a worker only */
	pid_t pid;	  /* 0: it is not running */
	int64_t start_at; /* if it is not running */
	int64_t started;
	bool served;	 /* has answered a request since its last start */
	int64_t pause;	 /* before its last start */
	int64_t kill_at; /* 0: not told to end */
	struct child *next;
};

static void plan_restart(struct child *child, int64_t now)
{
	bool settled =
		child->served || (child->started && now - child->started >= WORKER_SETTLED_MS);

	if (settled)
		child->pause = 0;
	else
		child->pause = child->pause ? 2 * child->pause : RESTART_PAUSE_MS;
	if (child->pause > RESTART_PAUSE_MAX_MS)
		child->pause = RESTART_PAUSE_MAX_MS;
	child->pid = 0;
	child->start_at = now + child->pause;
}

/* Any signal ends the key maker: it has nothing to finish. */
static int make_keys(struct key_pool *pool)
{
	struct error e = {.code = ERR_OK};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (key_pool_fill(pool, &e))
		log_error("keys can no longer be made ahead: %s", e.text);
	return error_meaning(ERR_INTERNAL)->exit_status;
}

static int run(const struct child *child, const struct children *children)
{
	const struct admission_pass pass = {
		.admission = &children->counters->admission,
		.place = child->place,
		.generation = children->generation,
		.reserve = child->role == RESERVE,
		.slots = children->workers > 1 ? children->workers - 1 : 1,
	};

	if (child->role == KEY_MAKER)
		return make_keys(children->pool);
	return worker_run(children->config, children->pool, children->counters, children->memory,
		&pass, children->listen_fd);
}

static void free_place(const struct children *children, const struct child *child)
{
	if (child->role == KEY_MAKER)
		return;
	admission_free_slot(&children->counters->admission, child->place);
	handler_counters_worker_remove(children->counters, child->place);
}

static void start(const struct children *children, struct child *child)
{
	pid_t parent = getpid(), pid;

	if (child->role != KEY_MAKER)
		child->place = handler_counters_worker_add(children->counters);
	pid = fork();
	if (pid == 0) {
		process_setup_child(parent, SIGTERM);
		exit(run(child, children));
	}
	child->started = clock_monotonic_ms();
	child->served = false;
	child->pid = pid;
	if (pid > 0) {
		log_debug("%s %ld started", role_names[child->role], (long)pid);
		return;
	}
	log_error("cannot start a %s: fork: %s", role_names[child->role], strerror(errno));
	free_place(children, child);
	plan_restart(child, child->started);
}

void children_start(struct children *children)
{
	int64_t now = clock_monotonic_ms();

	for (struct child *child = children->first; child; child = child->next)
		if (!child->pid && !child->kill_at && child->start_at <= now)
			start(children, child);
}

static void forget(struct children *children, struct child *gone)
{
	struct child **link = &children->first;

	while (*link != gone)
		link = &(*link)->next;
	*link = gone->next;
	free(gone);
}

/* Logs how a process ended; one that was told to end only for debugging. */
static void log_death(const struct child *child, pid_t pid, int status)
{
	char how[128];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == WATCHDOG_STATUS)
		snprintf(how, sizeof(how),
			"ended itself: a request went on past all deadlines; its event stays "
			"pending");
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	if (child->kill_at)
		log_debug("%s %ld was told to end and %s", role_names[child->role], (long)pid, how);
	else
		log_error("%s %ld %s; another starts in %lld ms", role_names[child->role],
			(long)pid, how, (long long)child->pause);
}

static void note_end(struct children *children, struct child *child, int status)
{
	pid_t pid = child->pid;

	child->served = child->role != KEY_MAKER &&
			handler_counters_worker_served(children->counters, child->place);
	free_place(children, child);
	if (!child->kill_at && child->role != KEY_MAKER)
		handler_counters_worker_died(children->counters);
	if (!child->kill_at)
		plan_restart(child, clock_monotonic_ms());
	log_death(child, pid, status);
	if (child->kill_at)
		forget(children, child);
}

void children_reap(struct children *children)
{
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child = children->first;

		while (child && child->pid != pid)
			child = child->next;
		if (child)
			note_end(children, child, status);
	}
}

void children_retire(struct children *children, int64_t kill_at)
{
	struct child *next;

	for (struct child *child = children->first; child; child = next) {
		next = child->next;
		if (child->kill_at)
			continue;
		if (!child->pid) {
			forget(children, child);
			continue;
		}
		child->kill_at = kill_at;
		kill(child->pid, SIGTERM);
	}
}

static void free_list(struct child *child)
{
	while (child) {
		struct child *next = child->next;

		free(child);
		child = next;
	}
}

/* As many workers, one more as a reserve if needed, and a key maker. NULL: no memory. */
static struct child *new_list(unsigned workers, bool key_maker)
{
	unsigned served = workers < WORKERS_LEAST ? WORKERS_LEAST : workers;
	struct child *list = NULL;

	for (unsigned i = 0; i < served + key_maker; i++) {
		struct child *child = calloc(1, sizeof(*child));

		if (!child) {
			free_list(list);
			return NULL;
		}
		child->role = i < workers ? WORKER : i < served ? RESERVE : KEY_MAKER;
		child->next = list;
		list = child;
	}
	return list;
}

enum err children_replace(struct children *children, const struct config *config, unsigned workers,
	int64_t kill_at, struct error *e)
{
	struct key_pool *pool = NULL;
	enum err err = provider_key_pool(config, &pool, e);
	struct child *added = err ? NULL : new_list(workers, pool != NULL);
	struct child **last = &children->first;

	if (!err && !added)
		err = error_memory(e);
	if (err) {
		key_pool_free(pool);
		return err;
	}
	counters_name_gateways(&children->counters->provider, config->escrow.urls);
	admission_forget_peers(&children->counters->admission);
	children_retire(children, kill_at);
	while (*last)
		last = &(*last)->next;
	*last = added;
	key_pool_free(children->pool);
	children->pool = pool;
	children->config = config;
	children->workers = workers;
	children->generation++;
	return ERR_OK;
}

void children_fini(struct children *children)
{
	free_list(children->first);
	key_pool_free(children->pool);
	*children = (struct children){.listen_fd = -1};
}

void children_kill_overdue(struct children *children)
{
	int64_t now = clock_monotonic_ms();

	for (struct child *child = children->first; child; child = child->next) {
		if (!child->kill_at || child->kill_at > now)
			continue;
		log_warning("%s %ld did not finish in time and is killed; an event that it had "
			    "recorded stays pending",
			role_names[child->role], (long)child->pid);
		kill(child->pid, SIGKILL);
		child->kill_at = INT64_MAX; /* once is enough */
	}
}

int64_t children_next(const struct children *children)
{
	int64_t next = INT64_MAX;

	for (const struct child *child = children->first; child; child = child->next) {
		int64_t at = child->kill_at ? child->kill_at
			     : child->pid   ? INT64_MAX
					    : child->start_at;

		if (at < next)
			next = at;
	}
	return next;
}

bool children_are_gone(const struct children *children)
{
	return !children->first;
}
