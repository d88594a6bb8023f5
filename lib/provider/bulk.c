#include "provider/bulk.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define WORKERS_MAX 16
#define IN_A_ROW_MAX 5
#define POLL_MS 20
#define PROGRESS_MS 200

/* In memory that parent and workers share. */
struct bulk {
	unsigned rate;
	atomic_llong next_turn; /* clock_monotonic_us() */
	atomic_llong done, pending, failed;
	atomic_int in_a_row; /* that may work later */
	atomic_bool stop;
	atomic_bool has_error;
	struct error error; /* of the worker that set has_error */
};

_Static_assert(
	ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_BOOL_LOCK_FREE == 2,
	"atomics must work between processes and in a signal handler");

/* --- stop */

static struct bulk *running; /* for the signal handler, which gets no argument */

static void on_signal(int number)
{
	(void)number;
	atomic_store(&running->stop, true);
}

static const int signals[] = {SIGINT, SIGTERM};

static void catch_signals(struct bulk *bulk, struct sigaction before[ARRAY_LEN(signals)])
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	running = bulk;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, &before[i]);
}

static void release_signals(const struct sigaction before[ARRAY_LEN(signals)])
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	running = NULL;
}

/* --- for the workers */

bool bulk_goes_on(const struct bulk *bulk)
{
	return !atomic_load(&bulk->stop);
}

static void sleep_us(int64_t us)
{
	struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Each takes the next of the turns that follow each other at the rate. */
void bulk_wait_turn(struct bulk *bulk)
{
	long long pause = 1000000 / bulk->rate, now = clock_monotonic_us();
	long long next = atomic_load(&bulk->next_turn), mine;

	do {
		mine = next > now ? next : now;
	} while (!atomic_compare_exchange_weak(&bulk->next_turn, &next, mine + pause));
	if (mine > now)
		sleep_us(mine - now);
}

void bulk_count(struct bulk *bulk, enum err err)
{
	bool later = err && error_meaning(err)->retry;

	atomic_fetch_add(!err ? &bulk->done : later ? &bulk->pending : &bulk->failed, 1);
	if (!later)
		atomic_store(&bulk->in_a_row, 0);
	else if (err != ERR_PENDING && atomic_fetch_add(&bulk->in_a_row, 1) + 1 >= IN_A_ROW_MAX)
		atomic_store(&bulk->stop, true);
}

void bulk_count_busy(struct bulk *bulk)
{
	atomic_fetch_add(&bulk->pending, 1);
}

static void set_error(struct bulk *bulk, const struct error *e)
{
	bool none = false;

	if (atomic_compare_exchange_strong(&bulk->has_error, &none, true))
		bulk->error = *e;
	atomic_store(&bulk->stop, true);
}

/* --- the parent's side */

static int run_worker(struct bulk *bulk, bulk_work *work, void *ctx, unsigned worker,
	unsigned workers, pid_t parent)
{
	struct error e;

	/* Who has lost his parent has nobody left to count for. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return 1;
	if (work(ctx, bulk, worker, workers, &e) == ERR_OK)
		return 0;
	set_error(bulk, &e);
	return 1;
}

static void get_tally(const struct bulk *bulk, struct bulk_tally *out)
{
	*out = (struct bulk_tally){
		.done = atomic_load(&bulk->done),
		.pending = atomic_load(&bulk->pending),
		.failed = atomic_load(&bulk->failed),
		.stopped = atomic_load(&bulk->stop),
	};
}

static void note_end(struct bulk *bulk, int status)
{
	struct error e;

	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || atomic_load(&bulk->has_error)))
		return;
	error_set(&e, ERR_UNAVAILABLE,
		"a worker ended too early (%s %d); what it had in hand is taken up again later",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	set_error(bulk, &e);
}

static void wait_for_workers(
	struct bulk *bulk, const struct bulk_options *options, const pid_t pid[], unsigned count)
{
	int64_t shown = 0;
	unsigned ended = 0;
	bool gone[WORKERS_MAX] = {false};

	while (ended < count) {
		struct bulk_tally tally;
		int status = 0;

		for (unsigned i = 0; i < count; i++) {
			if (gone[i] || waitpid(pid[i], &status, WNOHANG) == 0)
				continue;
			gone[i] = true;
			ended++;
			note_end(bulk, status);
		}
		if (options->progress && clock_monotonic_ms() >= shown + PROGRESS_MS) {
			shown = clock_monotonic_ms();
			get_tally(bulk, &tally);
			options->progress(options->ctx, &tally);
		}
		if (ended < count)
			sleep_us(POLL_MS * 1000);
	}
}

static enum err start_and_wait(struct bulk *bulk, const struct bulk_options *options,
	bulk_work *work, void *ctx, struct error *e)
{
	unsigned wanted = options->workers < WORKERS_MAX ? options->workers : WORKERS_MAX;
	unsigned count = 0;
	pid_t pid[WORKERS_MAX], parent = getpid();
	enum err err = ERR_OK;

	fflush(NULL);
	while (!err && count < wanted) {
		pid[count] = fork();
		if (pid[count] == 0)
			_exit(run_worker(bulk, work, ctx, count, wanted, parent));
		if (pid[count] < 0) {
			err = error_errno(e, ERR_UNAVAILABLE, "fork");
			atomic_store(&bulk->stop, true);
		} else {
			count++;
		}
	}
	wait_for_workers(bulk, options, pid, count);
	return err;
}

enum err bulk_run(const struct bulk_options *options, bulk_work *work, void *ctx,
	struct bulk_tally *out, struct error *e)
{
	struct bulk *bulk = mmap(
		NULL, sizeof(*bulk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sigaction before[ARRAY_LEN(signals)];
	enum err err;

	*out = (struct bulk_tally){.done = 0};
	if (bulk == MAP_FAILED)
		return error_memory(e);
	bulk->rate = options->rate ? options->rate : 1;
	catch_signals(bulk, before);
	err = start_and_wait(bulk, options, work, ctx, e);
	release_signals(before);
	get_tally(bulk, out);
	if (!err && atomic_load(&bulk->has_error)) {
		*e = bulk->error;
		err = e->code;
	}
	munmap(bulk, sizeof(*bulk));
	return err;
}
