/* Counts what the use cases do, for the handler's pages. Nothing is decided by these numbers. */

#include "provider/counters.h"

#include <string.h>

#include "base/clock.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
	"atomics must work between processes");

#define MS 1000
#define S (1000 * MS)

/* From the time of writing a row to that of a gateway that does not answer. */
const int64_t counters_bounds[COUNTERS_BUCKETS] = {MS / 2, MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS,
	50 * MS, 100 * MS, 250 * MS, 500 * MS, S, 5 * S / 2, 5 * S, 10 * S, 30 * S, 60 * S};

static void count(atomic_ullong *counter, unsigned long long more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void note(struct counters_last *last, enum err err)
{
	atomic_store_explicit(err ? &last->bad : &last->good, clock_now(), memory_order_relaxed);
}

/* Its place, or that of all others. */
static size_t find(const struct counters *counters, const char *url)
{
	size_t named = atomic_load_explicit(&counters->gateways, memory_order_acquire);

	for (size_t i = 0; i < named; i++)
		if (strcmp(counters->gateway[i].url, url) == 0)
			return i;
	return COUNTERS_GATEWAYS;
}

/* The name is written before the number counts it: a reader never sees half of one. */
static void name(struct counters *counters, const char *url)
{
	size_t len = strlen(url), named = atomic_load(&counters->gateways);

	if (named == COUNTERS_GATEWAYS || len >= COUNTERS_URL_SIZE)
		return;
	memcpy(counters->gateway[named].url, url, len + 1);
	atomic_store_explicit(&counters->gateways, named + 1, memory_order_release);
}

void counters_name_gateways(struct counters *counters, char *const urls[])
{
	for (size_t i = 0; counters && urls[i]; i++)
		if (find(counters, urls[i]) == COUNTERS_GATEWAYS)
			name(counters, urls[i]);
}

void counters_issued(struct counters *counters, enum ca_type type, enum err err)
{
	if (!counters)
		return;
	count(&counters->issued[type][err], 1);
	/* a CA that has yet to decide is there, and has taken the request */
	note(&counters->asked[type], err == ERR_PENDING ? ERR_OK : err);
}

void counters_upload(struct counters *counters, const char *url, enum err err)
{
	struct counters_gateway *gateway;

	if (!counters)
		return;
	gateway = &counters->gateway[find(counters, url)];
	count(&gateway->uploads[err], 1);
	note(&gateway->last, err);
}

void counters_unmatched(struct counters *counters)
{
	if (counters)
		count(&counters->unmatched, 1);
}

void counters_step(struct counters *counters, enum step step, int64_t us)
{
	size_t i = 0;

	if (!counters)
		return;
	while (i < COUNTERS_BUCKETS && us > counters_bounds[i])
		i++;
	count(&counters->step[step].count[i], 1);
	count(&counters->step[step].sum, us > 0 ? (unsigned long long)us : 0);
}

/* --- the latest attempts */

/*
 * A process that is killed meanwhile leaves a place that counts as empty until its turn comes
 * again. Two can write one place only if all others are written meanwhile: then displayed times are
 * mixed.
 */
void counters_attempt(
	struct counters *counters, int64_t event_id, const struct counters_attempt *attempt)
{
	struct counters_place *place;
	unsigned long long turn;

	if (!counters)
		return;
	turn = atomic_fetch_add_explicit(&counters->attempts, 1, memory_order_relaxed);
	place = &counters->place[turn % COUNTERS_ATTEMPTS];
	atomic_store_explicit(&place->turn, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&place->event_id, event_id, memory_order_relaxed);
	for (int i = 0; i < STEP_COUNT; i++)
		atomic_store_explicit(&place->us[i], attempt->us[i], memory_order_relaxed);
	atomic_store_explicit(&place->turn, turn + 1, memory_order_release);
}

/* Its turn if it is that event's and nobody wrote to it meanwhile, else 0. */
static unsigned long long read_place(
	const struct counters_place *place, int64_t event_id, struct counters_attempt *out)
{
	unsigned long long turn = atomic_load_explicit(&place->turn, memory_order_acquire);
	bool wanted = atomic_load_explicit(&place->event_id, memory_order_relaxed) == event_id;

	for (int i = 0; i < STEP_COUNT; i++)
		out->us[i] = atomic_load_explicit(&place->us[i], memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	wanted = wanted && atomic_load_explicit(&place->turn, memory_order_relaxed) == turn;
	return wanted ? turn : 0;
}

bool counters_find_attempt(
	struct counters *counters, int64_t event_id, struct counters_attempt *out)
{
	unsigned long long newest = 0;

	for (int i = 0; counters && i < COUNTERS_ATTEMPTS; i++) {
		struct counters_attempt attempt;
		unsigned long long turn = read_place(&counters->place[i], event_id, &attempt);

		if (turn <= newest)
			continue;
		newest = turn;
		*out = attempt;
	}
	return newest > 0;
}
