/*
 * The timer that shuts down the connection of a web server that stalls. The work on an event has
 * limits of its own, see base/watchdog.c.
 */
#include "fcgi/deadline.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static timer_t timer;
static volatile sig_atomic_t watched = -1;
static volatile sig_atomic_t passed;

/* A connection stays shut down, so it does not matter if a read is in progress at this moment. */
static void on_alarm(int signal)
{
	int saved = errno;

	(void)signal;
	passed = 1;
	if (watched < 0)
		_exit(EX_TEMPFAIL);
	shutdown(watched, SHUT_RDWR);
	errno = saved;
}

enum err deadline_init(struct error *e)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGALRM, &action, NULL) < 0 ||
		timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return error_errno(e, ERR_INTERNAL, "deadline timer");
	return ERR_OK;
}

void deadline_watch(int fd)
{
	watched = fd;
	passed = 0;
}

void deadline_start(int milliseconds)
{
	struct itimerspec when = {.it_value = {.tv_sec = milliseconds / 1000,
					  .tv_nsec = milliseconds % 1000 * 1000000L}};

	timer_settime(timer, 0, &when, NULL);
}

void deadline_stop(void)
{
	deadline_start(0);
}

bool deadline_passed(void)
{
	return passed != 0;
}
