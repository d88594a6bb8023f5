/* What the handler counts, in memory that its processes share. pages/metrics_page.c shows it. */
#include "fcgi/handler_counters.h"

#include <sys/mman.h>

#include "base/clock.h"

_Static_assert(ATOMIC_CHAR_LOCK_FREE == 2, "atomics must work between processes");

enum { NOBODY, IDLE, BUSY };

enum err handler_counters_new(struct handler_counters **out, struct error *e)
{
	struct handler_counters *counters = mmap(
		NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (counters == MAP_FAILED)
		return error_memory(e);
	counters->started = clock_now();
	*out = counters;
	return ERR_OK;
}

void handler_counters_free(struct handler_counters *counters)
{
	if (counters)
		munmap(counters, sizeof(*counters));
}

static void count(atomic_ullong *counter, unsigned long long more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

void handler_counters_request(struct handler_counters *counters, enum path path, int status)
{
	if (counters)
		count(&counters->requests[path][response_status_index(status)], 1);
}

void handler_counters_refused(struct handler_counters *counters, enum auth_failure why)
{
	if (counters)
		count(&counters->refused[why], 1);
}

void handler_counters_event_access(struct handler_counters *counters, bool let_in)
{
	if (!counters)
		return;
	if (let_in)
		atomic_store(&counters->unauthenticated, 0);
	else if (atomic_fetch_add(&counters->unauthenticated, 1) == 0)
		atomic_store(&counters->unauthenticated_since, clock_now());
}

/* --- workers */

unsigned handler_counters_worker_add(struct handler_counters *counters)
{
	unsigned i = 0;

	while (counters && i < HANDLER_WORKERS && atomic_load(&counters->worker[i]) != NOBODY)
		i++;
	if (counters && i < HANDLER_WORKERS) {
		atomic_store(&counters->served[i], 0);
		atomic_store(&counters->worker[i], IDLE);
	}
	return i;
}

static void set(struct handler_counters *counters, unsigned worker, unsigned char state)
{
	if (counters && worker < HANDLER_WORKERS)
		atomic_store_explicit(&counters->worker[worker], state, memory_order_relaxed);
}

void handler_counters_worker_remove(struct handler_counters *counters, unsigned worker)
{
	set(counters, worker, NOBODY);
}

void handler_counters_worker_died(struct handler_counters *counters)
{
	if (counters)
		count(&counters->deaths, 1);
}

void handler_counters_worker_answers(struct handler_counters *counters, unsigned worker)
{
	if (counters && worker < HANDLER_WORKERS)
		atomic_store(&counters->served[worker], 1);
}

bool handler_counters_worker_served(const struct handler_counters *counters, unsigned worker)
{
	return counters && worker < HANDLER_WORKERS && atomic_load(&counters->served[worker]);
}

void handler_counters_worker_busy(struct handler_counters *counters, unsigned worker)
{
	set(counters, worker, BUSY);
}

void handler_counters_worker_idle(
	struct handler_counters *counters, unsigned worker, int64_t started)
{
	int64_t passed = clock_monotonic_us() - started;

	set(counters, worker, IDLE);
	if (counters && passed > 0)
		count(&counters->busy_time, (unsigned long long)passed);
}

struct handler_counters_workers handler_counters_workers(const struct handler_counters *counters)
{
	struct handler_counters_workers workers = {0, 0};

	for (unsigned i = 0; counters && i < HANDLER_WORKERS; i++) {
		unsigned char state =
			atomic_load_explicit(&counters->worker[i], memory_order_relaxed);

		workers.total += state != NOBODY;
		workers.busy += state == BUSY;
	}
	return workers;
}
