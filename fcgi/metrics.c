#include "fcgi/metrics.h"

#include <sys/mman.h>

#include "base/clock.h"

_Static_assert(ATOMIC_CHAR_LOCK_FREE == 2, "atomics must work between processes");

enum { NOBODY, IDLE, BUSY };

enum err metrics_new(struct metrics **out, struct error *e)
{
	struct metrics *metrics = mmap(
		NULL, sizeof(*metrics), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (metrics == MAP_FAILED)
		return error_memory(e);
	metrics->started = clock_now();
	*out = metrics;
	return ERR_OK;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics)
		munmap(metrics, sizeof(*metrics));
}

static void count(atomic_ullong *counter, unsigned long long more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

void metrics_request(struct metrics *metrics, enum path path, int status)
{
	if (metrics)
		count(&metrics->requests[path][response_status(status)], 1);
}

void metrics_refused(struct metrics *metrics, enum auth_failure why)
{
	if (metrics)
		count(&metrics->refused[why], 1);
}

void metrics_event_access(struct metrics *metrics, bool let_in)
{
	if (!metrics)
		return;
	if (let_in)
		atomic_store(&metrics->unauthenticated, 0);
	else if (atomic_fetch_add(&metrics->unauthenticated, 1) == 0)
		atomic_store(&metrics->unauthenticated_since, clock_now());
}

/* --- workers */

unsigned metrics_worker_add(struct metrics *metrics)
{
	unsigned i = 0;

	while (metrics && i < METRICS_WORKERS && atomic_load(&metrics->worker[i]) != NOBODY)
		i++;
	if (metrics && i < METRICS_WORKERS) {
		atomic_store(&metrics->served[i], 0);
		atomic_store(&metrics->worker[i], IDLE);
	}
	return i;
}

static void set(struct metrics *metrics, unsigned worker, unsigned char state)
{
	if (metrics && worker < METRICS_WORKERS)
		atomic_store_explicit(&metrics->worker[worker], state, memory_order_relaxed);
}

void metrics_worker_remove(struct metrics *metrics, unsigned worker)
{
	set(metrics, worker, NOBODY);
}

void metrics_worker_died(struct metrics *metrics)
{
	if (metrics)
		count(&metrics->deaths, 1);
}

void metrics_worker_answers(struct metrics *metrics, unsigned worker)
{
	if (metrics && worker < METRICS_WORKERS)
		atomic_store(&metrics->served[worker], 1);
}

bool metrics_worker_served(const struct metrics *metrics, unsigned worker)
{
	return metrics && worker < METRICS_WORKERS && atomic_load(&metrics->served[worker]);
}

void metrics_worker_busy(struct metrics *metrics, unsigned worker)
{
	set(metrics, worker, BUSY);
}

void metrics_worker_idle(struct metrics *metrics, unsigned worker, int64_t started)
{
	int64_t passed = clock_monotonic_us() - started;

	set(metrics, worker, IDLE);
	if (metrics && passed > 0)
		count(&metrics->busy_time, (unsigned long long)passed);
}

struct metrics_workers metrics_workers(const struct metrics *metrics)
{
	struct metrics_workers workers = {0, 0};

	for (unsigned i = 0; metrics && i < METRICS_WORKERS; i++) {
		unsigned char state =
			atomic_load_explicit(&metrics->worker[i], memory_order_relaxed);

		workers.total += state != NOBODY;
		workers.busy += state == BUSY;
	}
	return workers;
}
