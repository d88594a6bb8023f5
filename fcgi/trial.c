#include "fcgi/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/process.h"
#include "fcgi/service.h"

#ifndef TRIAL_TIMEOUT_MS
#define TRIAL_TIMEOUT_MS 30000
#endif

/* In the child. struct error is shorter than PIPE_BUF: it is written whole or not at all. */
static int try_to_open(const struct config *config, int result)
{
	struct service service = {.config = NULL};
	struct error e = {.code = ERR_OK};
	enum err err = service_open(config, &service, &e);

	if (!err)
		e = (struct error){.code = ERR_OK};
	service_close(&service);
	return write(result, &e, sizeof(e)) == (ssize_t)sizeof(e) ? 0 : 1;
}

static enum err read_result(int from, struct error *e)
{
	struct pollfd wanted = {.fd = from, .events = POLLIN};
	struct error result = {.code = ERR_OK};

	if (poll(&wanted, 1, TRIAL_TIMEOUT_MS) <= 0)
		return error_set(e, ERR_UNAVAILABLE,
			"opening the store and the keys took longer than %d ms", TRIAL_TIMEOUT_MS);
	if (read(from, &result, sizeof(result)) != (ssize_t)sizeof(result))
		return error_set(e, ERR_INTERNAL,
			"the process that tried the configuration died; see the lines before");
	if (result.code)
		*e = result;
	return result.code;
}

static void end(pid_t child)
{
	kill(child, SIGKILL); /* ours and not waited for yet: the number cannot be another's */
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}

enum err trial_open(const struct config *config, struct error *e)
{
	pid_t parent = getpid(), child;
	int ends[2];
	enum err err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(e, ERR_INTERNAL, "pipe");
	child = fork();
	if (child == 0) {
		close(ends[0]);
		process_follow(parent, SIGKILL);
		_exit(try_to_open(config, ends[1]));
	}
	close(ends[1]);
	if (child < 0) {
		err = error_errno(e, ERR_INTERNAL, "fork");
	} else {
		err = read_result(ends[0], e);
		end(child);
	}
	close(ends[0]);
	return err;
}
