/* Runs what opens keys and the store in a child process, so that the parent holds none of it. */
#include "fcgi/try_in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/process_setup.h"
#include "fcgi/service.h"
#include "provider/expiry_gather.h"

#ifndef TRY_TIMEOUT_MS
#define TRY_TIMEOUT_MS 30000
#endif

typedef void attempt_job(const struct config *config, void *result);

/* result is shorter than PIPE_BUF, so it is written whole or not at all. */
struct attempt {
	attempt_job *job;
	const struct config *config;
	void *result;
	size_t size;
};

static enum err read_result(const struct attempt *attempt, int from, struct error *e)
{
	struct pollfd wanted = {.fd = from, .events = POLLIN};

	if (poll(&wanted, 1, TRY_TIMEOUT_MS) <= 0)
		return error_set(e, ERR_UNAVAILABLE,
			"opening the store and the keys took longer than %d ms", TRY_TIMEOUT_MS);
	if (read(from, attempt->result, attempt->size) != (ssize_t)attempt->size)
		return error_set(e, ERR_INTERNAL,
			"the process that tried the configuration died; see the log before this "
			"line");
	return ERR_OK;
}

static void end(pid_t child)
{
	kill(child, SIGKILL); /* not waited for yet, so the number is still that process's */
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static enum err run(const struct attempt *attempt, struct error *e)
{
	pid_t parent = getpid(), child;
	int ends[2];
	enum err err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(e, ERR_INTERNAL, "pipe");
	child = fork();
	if (child == 0) {
		close(ends[0]);
		process_setup_child(parent, SIGKILL);
		attempt->job(attempt->config, attempt->result);
		_exit(write(ends[1], attempt->result, attempt->size) != (ssize_t)attempt->size);
	}
	close(ends[1]);
	if (child < 0) {
		err = error_errno(e, ERR_INTERNAL, "fork");
	} else {
		err = read_result(attempt, ends[0], e);
		end(child);
	}
	close(ends[0]);
	return err;
}

/* --- the jobs */

static void try_to_open(const struct config *config, void *result)
{
	struct service service = {.config = NULL};
	struct error e = {.code = ERR_OK}, *out = result;

	if (service_open(config, &service, &e))
		*out = e;
	service_close(&service);
}

enum err try_in_child_open(const struct config *config, struct error *e)
{
	struct error result = {.code = ERR_OK};
	const struct attempt attempt = {try_to_open, config, &result, sizeof(result)};
	enum err err = run(&attempt, e);

	if (err)
		return err;
	if (result.code)
		*e = result;
	return result.code;
}

static void gather(const struct config *config, void *result)
{
	expiry_gather(config, NULL, result);
}

enum err try_in_child_expiry(
	const struct config *config, struct expiry out[EXPIRY_COUNT], struct error *e)
{
	struct expiry result[EXPIRY_COUNT] = {{.level = EXPIRY_NONE}};
	const struct attempt attempt = {gather, config, result, sizeof(result)};
	enum err err = run(&attempt, e);

	_Static_assert(sizeof(result) < PIPE_BUF, "written whole or not at all");
	if (!err)
		memcpy(out, result, sizeof(result));
	return err;
}
