/* A request in a process of its own, which can be killed. */
#include "net/http_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/patience.h"
#include "base/secret.h"

/* Added to the deadline, so that the work can report its own timeout. */
#define MARGIN_MS 200
#define LOOK_MS 1000

/* The child's result, in shared memory. */
struct result {
	atomic_bool done;
	enum err err;
	struct error error;
	struct http_incoming in; /* but its body */
	size_t body_len;
	char body[];
};

static size_t size_of(const struct http_transfer *t)
{
	return sizeof(struct result) + t->request->answer_max;
}

/* --- the child's side */

static void leave(struct http_transfer *t, struct result *result, enum err err)
{
	const struct buf *body = &t->in.body;

	result->err = err;
	result->in = t->in;
	result->body_len = body->len < t->request->answer_max ? body->len : t->request->answer_max;
	if (result->body_len)
		memcpy(result->body, body->data, result->body_len);
	atomic_store(&result->done, true);
}

static void be_child(struct http_transfer *t, struct result *result, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	patience_set(NULL, NULL); /* other work during the wait is the parent's */
	if (getppid() == parent)
		leave(t, result, http_transfer_run(t, &result->error));
	_exit(0);
}

/* --- the parent's side */

/* Milliseconds until the next patience_look(). */
static int step(int64_t until)
{
	int left = clock_left_ms(until);

	return left > LOOK_MS ? LOOK_MS : left;
}

/* Waits for its end, and kills it at until. Returns false if patience_look() gave it up. */
static bool await(pid_t pid, int64_t until)
{
	struct pollfd set = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	bool patient = true;

	while (set.fd >= 0 && patient && step(until) && poll(&set, 1, step(until)) <= 0)
		patient = patience_look();
	if (set.fd >= 0)
		close(set.fd);
	kill(pid, SIGKILL);
	/* ECHILD: SIGCHLD is ignored, so the kernel has reaped it. */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return patient;
}

static enum err take(
	struct http_transfer *t, const struct result *result, bool patient, struct error *e)
{
	struct buf body = t->in.body;

	if (!atomic_load(&result->done) && !patient)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: given up, because the program is stopping", t->origin);
	if (!atomic_load(&result->done))
		return error_set(e, ERR_UNAVAILABLE,
			"%s: not done in time: no Kerberos ticket came; does the KDC answer?",
			t->origin);
	t->in = result->in;
	t->in.body = body;
	buf_append(&t->in.body, result->body, result->body_len);
	if (result->err)
		*e = result->error;
	return result->err ? result->err : buf_check(&t->in.body, e);
}

enum err http_child_run(struct http_transfer *t, struct error *e)
{
	struct result *result =
		mmap(NULL, size_of(t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), pid;
	bool patient;
	enum err err;

	if (result == MAP_FAILED)
		return error_memory(e);
	pid = fork();
	if (pid == 0)
		be_child(t, result, parent);
	if (pid < 0) {
		err = error_errno(e, ERR_UNAVAILABLE, "fork");
	} else {
		patient = await(pid, t->request->deadline + MARGIN_MS);
		err = take(t, result, patient, e);
	}
	secret_wipe(result, size_of(t));
	munmap(result, size_of(t));
	return err;
}
