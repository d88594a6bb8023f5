/* Runs a function in a process of its own. Other programs are process.c's. */
#include "base/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/patience.h"
#include "base/secret.h"

#define LOOK_MS 1000

/* Memory that the child shares with its parent. */
struct shared {
	atomic_bool done;
	alignas(max_align_t) unsigned char result[];
};

static size_t size_of(size_t result_size)
{
	return sizeof(struct shared) + result_size;
}

static void be_child(const struct child_work *work, struct shared *shared, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	patience_set(NULL, NULL); /* other work during the wait is the parent's */
	if (getppid() == parent) {
		work->run(work->ctx, shared->result);
		atomic_store(&shared->done, true);
	}
	_exit(0);
}

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

enum err child_run(
	const struct child_work *work, void **result, enum child_end *end, struct error *e)
{
	size_t size = size_of(work->result_size);
	struct shared *shared =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), pid;
	bool patient;

	if (shared == MAP_FAILED)
		return error_memory(e);
	pid = fork();
	if (pid == 0)
		be_child(work, shared, parent);
	if (pid < 0) {
		error_errno(e, ERR_UNAVAILABLE, "fork");
		munmap(shared, size);
		return e->code;
	}
	patient = await(pid, work->until);
	*end = atomic_load(&shared->done) ? CHILD_DONE : patient ? CHILD_KILLED : CHILD_GIVEN_UP;
	*result = shared->result;
	return ERR_OK;
}

void child_result_free(void *result, size_t result_size)
{
	struct shared *shared;

	if (!result)
		return;
	shared = (void *)((unsigned char *)result - offsetof(struct shared, result));
	secret_wipe(shared, size_of(result_size));
	munmap(shared, size_of(result_size));
}
