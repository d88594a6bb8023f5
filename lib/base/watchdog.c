/*
 * A timer that ends the process. It has a signal of its own, so that it works beside the handler's
 * deadlines for a connection, and its signal handler calls only what a signal handler may.
 */
#include "base/watchdog.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static timer_t timer;
static pid_t owner; /* 0: there is no timer */
static int64_t limit = INT64_MAX;
static int exit_status;
static const char *words;
static size_t words_len;

static void on_end(int signal)
{
	ssize_t written = words_len > 0 ? write(STDERR_FILENO, words, words_len) : 0;

	(void)signal;
	(void)written; /* there is nobody left to tell */
	_exit(exit_status);
}

enum err watchdog_init(int status, const char *last_words, struct error *e)
{
	struct sigaction action = {.sa_handler = on_end};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	sigset_t ours;

	exit_status = status;
	words = last_words;
	words_len = last_words ? strlen(last_words) : 0;
	limit = INT64_MAX;
	sigemptyset(&action.sa_mask);
	sigemptyset(&ours);
	sigaddset(&ours, SIGRTMIN);
	if (sigaction(SIGRTMIN, &action, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &ours, NULL) < 0 ||
		timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return error_errno(e, ERR_INTERNAL, "watchdog timer");
	owner = getpid();
	return ERR_OK;
}

/* A time in the past must count too, but zero would stop the timer. */
static void arm(void)
{
	struct itimerspec when = {.it_value = {.tv_nsec = 0}};
	int64_t at = limit > 0 ? limit : 1;

	if (owner != getpid())
		return;
	if (at != INT64_MAX)
		when.it_value =
			(struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
	timer_settime(timer, TIMER_ABSTIME, &when, NULL);
}

int64_t watchdog_enter(int64_t until)
{
	int64_t before = limit;

	if (until < limit) {
		limit = until;
		arm();
	}
	return before;
}

void watchdog_leave(int64_t before)
{
	if (limit == before)
		return;
	limit = before;
	arm();
}

void watchdog_set(int64_t until)
{
	limit = until;
	arm();
}
