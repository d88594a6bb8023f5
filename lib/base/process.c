/* Runs another program within a deadline and takes its output. It never uses a shell. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memfile.h"
#include "base/patience.h"

#define GRACE_MS                                                                                \
	2000	     /* between SIGTERM and SIGKILL, or a tenth of what is left if that is less \
		      */
#define REAP_MS 2000 /* for the kernel to end a killed process */
#define LOOK_MS 500  /* between calls of patience_look(), at most */
#define CHUNK 4096
#define CHUNKS_LEFT_MAX 64 /* more than a pipe holds after its writer has ended (64 KiB) */

/* Its standard error, line by line. */
struct words {
	char line[PROCESS_LINE_SIZE];
	size_t len;
	unsigned count;
};

struct process {
	const struct process_order *order;
	pid_t pid;
	int pidfd; /* readable once it has ended */
	int out, err;
	int64_t patience; /* until SIGTERM */
	struct buf output;
	struct words words;
};

/* --- standard error */

static void end_line(struct process *p)
{
	struct words *w = &p->words;

	w->line[w->len] = '\0';
	if (w->len && p->order->said && w->count < PROCESS_LINES_MAX)
		p->order->said(p->order->ctx, w->line);
	w->count += w->len > 0;
	w->len = 0;
}

static void hear(struct process *p, const char *data, size_t len)
{
	struct words *w = &p->words;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			end_line(p);
		else if (w->len < sizeof(w->line) - 1)
			w->line[w->len++] = data[i] ? data[i] : '?';
	}
}

/* --- reading */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Returns false if there is nothing to read, now or ever. */
static bool read_some(struct process *p, int *fd)
{
	char chunk[CHUNK];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0 && fd == &p->out)
		buf_append(&p->output, chunk, (size_t)n);
	else if (n > 0)
		hear(p, chunk, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		close_fd(fd);
	return n > 0;
}

/*
 * Reads the rest of its output after it has ended. The amount is limited, as other processes may
 * hold its pipes and write without end.
 */
static void read_rest(struct process *p)
{
	for (int i = 0; i < CHUNKS_LEFT_MAX && p->out >= 0 && read_some(p, &p->out);)
		i++;
	for (int i = 0; i < CHUNKS_LEFT_MAX && p->err >= 0 && read_some(p, &p->err);)
		i++;
	end_line(p);
}

/* --- running */

/* Waits until the program has ended, the time is over, or the program has printed too much. */
static enum err attend(struct process *p, int64_t until, struct error *e)
{
	for (;;) {
		struct pollfd set[] = {
			{.fd = p->pidfd, .events = POLLIN},
			{.fd = p->out, .events = POLLIN},
			{.fd = p->err, .events = POLLIN},
		};
		int wait = clock_left_ms(until);
		int n = poll(set, ARRAY_LEN(set), wait < LOOK_MS ? wait : LOOK_MS);

		if (n < 0 && errno != EINTR)
			return error_errno(e, ERR_INTERNAL, "poll");
		if (n > 0 && set[1].revents)
			read_some(p, &p->out);
		if (n > 0 && set[2].revents)
			read_some(p, &p->err);
		if (p->output.failed)
			return error_set(e, ERR_UNAVAILABLE, "%s: printed more than %zu bytes",
				p->order->program, p->order->output_max);
		if (n > 0 && set[0].revents)
			return ERR_OK;
		(void)patience_look();
		if (!clock_left_ms(until))
			return error_set(
				e, ERR_UNAVAILABLE, "%s: not done in time", p->order->program);
	}
}

/* Until we reap it, the group's id cannot be reused, so no other process is hit. */
static void end_group(const struct process *p, bool patiently)
{
	struct pollfd set = {.fd = p->pidfd, .events = POLLIN};
	int64_t grace = clock_monotonic_ms() + GRACE_MS;
	int64_t until = grace < p->order->deadline ? grace : p->order->deadline;

	if (patiently) {
		kill(-p->pid, SIGTERM);
		while (clock_left_ms(until) && poll(&set, 1, clock_left_ms(until)) < 0 &&
			errno == EINTR)
			;
	}
	kill(-p->pid, SIGKILL);
}

/* A process that hangs in the kernel cannot be killed, so the wait is limited. */
static bool reap(const struct process *p, int *status)
{
	struct pollfd set = {.fd = p->pidfd, .events = POLLIN};
	int64_t until = clock_monotonic_ms() + REAP_MS;
	pid_t got;

	while (clock_left_ms(until) && poll(&set, 1, clock_left_ms(until)) < 0 && errno == EINTR)
		;
	do
		got = waitpid(p->pid, status, WNOHANG);
	while (got < 0 && errno == EINTR);
	return got == p->pid;
}

static enum err judge(const struct process *p, bool reaped, int status, struct error *e)
{
	if (!reaped)
		return error_set(e, ERR_UNAVAILABLE, "%s: it was killed and does not end",
			p->order->program);
	if (!WIFEXITED(status))
		return error_set(e, ERR_UNAVAILABLE, "%s: ended by signal %d", p->order->program,
			WTERMSIG(status));
	return ERR_OK;
}

static enum err live(struct process *p, struct process_result *out, struct error *e)
{
	int status = 0;
	enum err err = attend(p, p->patience, e), ended;
	bool reaped;

	end_group(p, err == ERR_UNAVAILABLE);
	reaped = reap(p, &status);
	read_rest(p);
	if (err)
		return err;
	ended = judge(p, reaped, status, e);
	if (!ended && p->output.failed)
		ended = error_set(e, ERR_UNAVAILABLE, "%s: printed more than %zu bytes",
			p->order->program, p->order->output_max);
	if (!ended)
		ended = blob_take(&p->output, &out->output, e);
	if (!ended)
		out->status = WEXITSTATUS(status);
	return ended;
}

/* --- starting */

/* If we were started without descriptors 0 to 2, what we open first gets their numbers. */
static int above_standard(int fd)
{
	int other;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return other;
}

/* Only our end does not block: a program may not expect that of its standard output. */
static bool make_pipe(int *ours, int *its)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	*ours = above_standard(ends[0]);
	*its = above_standard(ends[1]);
	return *ours >= 0 && *its >= 0 && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
	const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	rc = posix_spawnattr_setflags(attributes, flags);
	if (!rc)
		rc = posix_spawnattr_setpgroup(attributes, 0);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(attributes, &all);
	return rc ? rc : posix_spawnattr_setsigmask(attributes, &none);
}

/* Closes also what a library has opened without close-on-exec. */
static int set_files(posix_spawn_file_actions_t *actions, const int fd[3])
{
	int rc = posix_spawn_file_actions_addchdir_np(actions, "/");

	for (int i = 0; i < 3 && !rc; i++)
		rc = posix_spawn_file_actions_adddup2(actions, fd[i], i);
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int spawn(struct process *p, const int fd[3])
{
	const struct process_order *order = p->order;
	char *argv[2 + PROCESS_ARGUMENTS_MAX] = {(char *)(uintptr_t)order->program};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc = posix_spawn_file_actions_init(&actions);

	for (size_t i = 0; order->arguments && order->arguments[i]; i++) {
		if (i == PROCESS_ARGUMENTS_MAX)
			return E2BIG;
		argv[i + 1] = (char *)(uintptr_t)order->arguments[i];
	}
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (!rc) {
		rc = set_attributes(&attributes);
		if (!rc)
			rc = set_files(&actions, fd);
		if (!rc)
			rc = posix_spawn(&p->pid, order->program, &actions, &attributes, argv,
				(char *const *)(uintptr_t)order->environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static enum err failed(const char *program, int code, struct error *e)
{
	bool passing = code == ENOMEM || code == EAGAIN || code == ENFILE || code == EMFILE;

	if (code == ENOEXEC)
		return error_set(e, ERR_CONFIG,
			"%s: not a program; a script needs \"#!\" and its interpreter at its start",
			program);
	errno = code;
	return error_errno(e, passing ? ERR_UNAVAILABLE : ERR_CONFIG, "%s: cannot be run", program);
}

static enum err start(struct process *p, const struct memfile *input, struct error *e)
{
	int fd[3] = {-1, -1, -1};
	int code = 0;

	fd[0] = fcntl(input->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd[0] < 0 || lseek(fd[0], 0, SEEK_SET) < 0 || !make_pipe(&p->out, &fd[1]) ||
		!make_pipe(&p->err, &fd[2]))
		code = errno;
	if (!code)
		code = spawn(p, fd);
	for (int i = 0; i < 3; i++)
		close_fd(&fd[i]);
	if (code)
		return failed(p->order->program, code, e);
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	return ERR_OK;
}

/* Web servers ignore SIGCHLD, and so do we under CGI: a child's status would be lost. */
static void await_children(struct sigaction *before)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	sigaction(SIGCHLD, NULL, before);
	if (before->sa_handler == SIG_IGN || before->sa_flags & SA_NOCLDWAIT)
		sigaction(SIGCHLD, &action, NULL);
}

static enum err run(struct process *p, struct process_result *out, struct error *e)
{
	struct memfile input = MEMFILE_INIT;
	int64_t whole = clock_left_ms(p->order->deadline);
	enum err err = memfile_open("input", p->order->input, p->order->input_len, &input, e);

	p->patience = p->order->deadline - (whole / 10 < GRACE_MS ? whole / 10 : GRACE_MS);
	if (!err)
		err = start(p, &input, e);
	memfile_close(&input);
	if (err)
		return err;
	if (p->pidfd < 0) {
		error_errno(e, ERR_INTERNAL, "pidfd_open");
		kill(-p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		return e->code;
	}
	return live(p, out, e);
}

enum err process_run(const struct process_order *order, struct process_result *out, struct error *e)
{
	struct process p = {
		.order = order,
		.pidfd = -1,
		.out = -1,
		.err = -1,
		.output = BUF_INIT(order->output_max),
	};
	struct sigaction before;
	enum err err;

	await_children(&before);
	err = run(&p, out, e);
	sigaction(SIGCHLD, &before, NULL);
	close_fd(&p.pidfd);
	close_fd(&p.out);
	close_fd(&p.err);
	buf_free(&p.output);
	return err;
}

enum err process_check(const char *program, struct error *e)
{
	struct stat st = {.st_mode = 0};

	if (stat(program, &st) < 0 || access(program, X_OK) < 0)
		return error_errno(e, ERR_CONFIG, "%s: cannot be run", program);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERR_CONFIG, "%s: not a program", program);
	return ERR_OK;
}
