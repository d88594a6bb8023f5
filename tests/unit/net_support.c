#include "tests/unit/net_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 20

static char folder[256];

/* Starts a program; *output, if not NULL, becomes a descriptor to read its output from. */
static pid_t start(const char *const argv[], int *output)
{
	char *args[ARGS_MAX] = {NULL};
	int ends[2];
	pid_t pid;

	for (size_t i = 0; argv[i] && i + 1 < ARGS_MAX; i++)
		args[i] = strdup(argv[i]);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(output ? ends[1] : STDERR_FILENO, STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(args[0], args);
		perror(args[0]);
		_exit(127);
	}
	close(ends[1]);
	if (output)
		*output = ends[0];
	else
		close(ends[0]);
	for (size_t i = 0; args[i]; i++)
		free(args[i]);
	return pid;
}

bool net_run(const char *const argv[])
{
	int status = 0;

	return waitpid(start(argv, NULL), &status, 0) > 0 && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

struct peer net_start(const char *const argv[])
{
	const char *args[ARGS_MAX] = {"tests/peers/tls-peer"};
	struct peer peer = {0};
	char port[16] = "";
	int fd = -1;
	ssize_t n;

	for (size_t i = 0; argv[i] && i + 2 < ARGS_MAX; i++)
		args[i + 1] = argv[i];
	peer.pid = start(args, &fd);
	n = read(fd, port, sizeof(port) - 1);
	close(fd);
	assert_true(n > 1);
	port[strcspn(port, "\n")] = '\0';
	snprintf(peer.url, sizeof(peer.url), "https://127.0.0.1:%s", port);
	return peer;
}

void net_stop(struct peer *peer)
{
	if (peer->pid > 0) {
		kill(peer->pid, SIGKILL);
		waitpid(peer->pid, NULL, 0);
	}
	*peer = (struct peer){0};
}

const char *net_file(const char *name)
{
	static char paths[8][sizeof(folder) + 64];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

int net_setup(void **state)
{
	const char *tmp = getenv("TMPDIR"), *srcdir = getenv("srcdir");
	char script[512];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/certprov-net.XXXXXX", tmp ? tmp : "/tmp");
	snprintf(script, sizeof(script), "%s/tests/peers/make-certificates.sh",
		srcdir ? srcdir : ".");
	if (!mkdtemp(folder))
		return -1;
	return net_run((const char *const[]){"sh", script, folder, NULL}) ? 0 : -1;
}

int net_teardown(void **state)
{
	(void)state;
	return net_run((const char *const[]){"rm", "-rf", folder, NULL}) ? 0 : -1;
}
