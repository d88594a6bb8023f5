/* Runs the workers of a bulk run and counts their items. It does not know what an item is. */

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
#include "base/log.h"
#include "base/watchdog.h"

#define WORKERS_MAX 16
#define IN_A_ROW_MAX 5
#define POLL_MS 20
#define PROGRESS_MS 200
#define REPLACED_MAX 8 /* workers that were stuck; then something else is wrong */

/* In memory that parent and workers share. */
struct bulk {
	unsigned rate;
	int64_t patience;
	struct bulk_tally before;
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

void bulk_alive(const struct bulk *bulk)
{
	watchdog_set(bulk->patience ? clock_monotonic_ms() + bulk->patience * 1000 : INT64_MAX);
}

bool bulk_goes_on(const struct bulk *bulk)
{
	bulk_alive(bulk);
	return !atomic_load(&bulk->stop);
}

static void sleep_us(int64_t us)
{
	struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Turns follow each other at the rate; each caller takes the next one. */
void bulk_wait_turn(struct bulk *bulk)
{
	long long pause = 1000000 / bulk->rate, now = clock_monotonic_us();
	long long next = atomic_load(&bulk->next_turn), mine;

	do {
		mine = next > now ? next : now;
	} while (!atomic_compare_exchange_weak(&bulk->next_turn, &next, mine + pause));
	watchdog_set(INT64_MAX); /* others' turns take their time */
	if (mine > now)
		sleep_us(mine - now);
	bulk_alive(bulk);
}

void bulk_count(struct bulk *bulk, enum err err)
{
	bool later = err && error_meaning(err)->retry;

	bulk_alive(bulk);
	atomic_fetch_add(!err ? &bulk->done : later ? &bulk->pending : &bulk->failed, 1);
	if (!later)
		atomic_store(&bulk->in_a_row, 0);
	else if (err != ERR_PENDING && err != ERR_BARRED &&
		 atomic_fetch_add(&bulk->in_a_row, 1) + 1 >= IN_A_ROW_MAX)
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
	enum err err = watchdog_init(WATCHDOG_STATUS, NULL, &e);

	/* A worker whose parent is gone stops: nobody reads its count. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return 1;
	bulk_alive(bulk);
	if (!err)
		err = work(ctx, bulk, worker, workers, &e);
	if (!err)
		return 0;
	set_error(bulk, &e);
	return 1;
}

static void get_tally(const struct bulk *bulk, struct bulk_tally *out)
{
	*out = (struct bulk_tally){
		.total = bulk->before.total,
		.done = bulk->before.done + atomic_load(&bulk->done),
		.pending = bulk->before.pending + atomic_load(&bulk->pending),
		.failed = bulk->before.failed + atomic_load(&bulk->failed),
		.stopped = atomic_load(&bulk->stop),
	};
}

static void note_end(struct bulk *bulk, int status)
{
	struct error e;

	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || atomic_load(&bulk->has_error)))
		return;
	error_set(&e, ERR_UNAVAILABLE,
		"a worker ended too early (%s %d); its unfinished work is taken up again later",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	set_error(bulk, &e);
}

/* All that the parent's side needs to start a worker, and to start another in its place. */
struct crew {
	struct bulk *bulk;
	bulk_work *work;
	void *ctx;
	unsigned wanted; /* the most that there will be */
	unsigned count;
	unsigned replaced;
	pid_t pid[WORKERS_MAX]; /* 0: has ended */
};

static bool start_worker(struct crew *crew, unsigned worker)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		_exit(run_worker(crew->bulk, crew->work, crew->ctx, worker, crew->wanted, parent));
	crew->pid[worker] = pid > 0 ? pid : 0;
	return pid > 0;
}

/* A worker that was stuck is replaced; any other end is noted. */
static void bury(struct crew *crew, unsigned worker, int status)
{
	struct bulk *bulk = crew->bulk;

	crew->pid[worker] = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != WATCHDOG_STATUS ||
		crew->replaced++ == REPLACED_MAX) {
		note_end(bulk, status);
		return;
	}
	log_error("a worker went on past all deadlines and ended itself; its unfinished work is "
		  "taken up again later");
	bulk_count(bulk, ERR_UNAVAILABLE);
	if (!atomic_load(&bulk->stop))
		start_worker(crew, worker);
}

static bool reap(struct crew *crew)
{
	bool any = false;

	for (unsigned i = 0; i < crew->count; i++) {
		int status = 0;

		if (crew->pid[i] && waitpid(crew->pid[i], &status, WNOHANG) != 0)
			bury(crew, i, status);
		any = any || crew->pid[i];
	}
	return any;
}

static void wait_for_workers(struct crew *crew, const struct bulk_options *options)
{
	int64_t shown = 0;

	while (reap(crew)) {
		struct bulk_tally tally;

		if (options->progress && clock_monotonic_ms() >= shown + PROGRESS_MS) {
			shown = clock_monotonic_ms();
			get_tally(crew->bulk, &tally);
			options->progress(options->ctx, &tally);
		}
		sleep_us(POLL_MS * 1000);
	}
}

static enum err start_and_wait(struct bulk *bulk, const struct bulk_options *options,
	bulk_work *work, void *ctx, struct error *e)
{
	struct crew crew = {
		.bulk = bulk,
		.work = work,
		.ctx = ctx,
		.wanted = options->workers < WORKERS_MAX ? options->workers : WORKERS_MAX,
	};
	enum err err = ERR_OK;

	fflush(NULL);
	while (!err && crew.count < crew.wanted) {
		if (start_worker(&crew, crew.count)) {
			crew.count++;
			continue;
		}
		err = error_errno(e, ERR_UNAVAILABLE, "fork");
		atomic_store(&bulk->stop, true);
	}
	wait_for_workers(&crew, options);
	return err;
}

enum err bulk_run(const struct bulk_options *options, bulk_work *work, void *ctx,
	struct bulk_tally *tally, struct error *e)
{
	struct bulk *bulk = mmap(
		NULL, sizeof(*bulk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sigaction before[ARRAY_LEN(signals)];
	enum err err;

	if (bulk == MAP_FAILED)
		return error_memory(e);
	bulk->rate = options->rate ? options->rate : 1;
	bulk->patience = options->patience;
	bulk->before = *tally;
	catch_signals(bulk, before);
	err = start_and_wait(bulk, options, work, ctx, e);
	release_signals(before);
	get_tally(bulk, tally);
	if (!err && atomic_load(&bulk->has_error)) {
		*e = bulk->error;
		err = e->code;
	}
	munmap(bulk, sizeof(*bulk));
	return err;
}
