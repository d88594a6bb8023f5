#include "tests/peers/peer-fastcgi.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 512

const char *peer_param(const FCGX_Request *request, const char *name)
{
	const char *value = FCGX_GetParam(name, request->envp);

	return value ? value : "";
}

enum err peer_read_body(FCGX_Request *request, struct buf *body, struct error *e)
{
	char chunk[16384];
	int n;

	while ((n = FCGX_GetStr(chunk, sizeof(chunk), request->in)) > 0)
		buf_append(body, chunk, (size_t)n);
	return buf_check(body, e);
}

void peer_wait(double seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) < 0)
		;
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void on_terminate(int sig)
{
	(void)sig;
	_exit(0);
}

static int work(int listener, peer_serve *serve, void *ctx)
{
	FCGX_Request request;

	if (FCGX_InitRequest(&request, listener, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		serve(ctx, &request);
		FCGX_Finish_r(&request);
	}
	return 0;
}

/* They go when the parent goes. */
static int start_workers(int64_t workers, int listener, peer_serve *serve, void *ctx)
{
	pid_t parent = getpid();

	for (int64_t i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (getppid() == parent)
				_exit(work(listener, serve, ctx));
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return 1; /* workers end with their parent, not before */
}

int peer_run(const char *path, int64_t workers, peer_serve *serve, void *ctx)
{
	struct sigaction terminate = {.sa_handler = on_terminate};
	int listener;

	sigaction(SIGTERM, &terminate, NULL); /* before FCGX_Init, which else takes it */
	listener = listen_on(path);
	if (listener < 0 || FCGX_Init() != 0) {
		perror(path);
		return 1;
	}
	return start_workers(workers, listener, serve, ctx);
}
