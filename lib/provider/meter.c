#include "provider/meter.h"

#include <string.h>

#include "base/clock.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
	"atomics must work between processes");

#define MS 1000
#define S (1000 * MS)

/* From a row that is written to a gateway that does not answer. */
const int64_t meter_bounds[METER_BUCKETS] = {MS / 2, MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS,
	50 * MS, 100 * MS, 250 * MS, 500 * MS, S, 5 * S / 2, 5 * S, 10 * S, 30 * S, 60 * S};

static void count(atomic_ullong *counter, unsigned long long more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void note(struct meter_last *last, enum err err)
{
	atomic_store_explicit(err ? &last->bad : &last->good, clock_now(), memory_order_relaxed);
}

/* Its place, or that of all others. */
static size_t find(const struct meter *meter, const char *url)
{
	size_t named = atomic_load_explicit(&meter->gateways, memory_order_acquire);

	for (size_t i = 0; i < named; i++)
		if (strcmp(meter->gateway[i].url, url) == 0)
			return i;
	return METER_GATEWAYS;
}

/* The name is written before the number counts it: a reader never sees half of one. */
static void name(struct meter *meter, const char *url)
{
	size_t len = strlen(url), named = atomic_load(&meter->gateways);

	if (named == METER_GATEWAYS || len >= METER_URL_SIZE)
		return;
	memcpy(meter->gateway[named].url, url, len + 1);
	atomic_store_explicit(&meter->gateways, named + 1, memory_order_release);
}

void meter_name_gateways(struct meter *meter, char *const urls[])
{
	for (size_t i = 0; meter && urls[i]; i++)
		if (find(meter, urls[i]) == METER_GATEWAYS)
			name(meter, urls[i]);
}

void meter_issued(struct meter *meter, enum ca_type type, enum err err)
{
	if (!meter)
		return;
	count(&meter->issued[type][err], 1);
	/* a CA that has yet to decide is there, and has taken the request */
	note(&meter->asked[type], err == ERR_PENDING ? ERR_OK : err);
}

void meter_upload(struct meter *meter, const char *url, enum err err)
{
	struct meter_gateway *gateway;

	if (!meter)
		return;
	gateway = &meter->gateway[find(meter, url)];
	count(&gateway->uploads[err], 1);
	note(&gateway->last, err);
}

void meter_unmatched(struct meter *meter)
{
	if (meter)
		count(&meter->unmatched, 1);
}

void meter_step(struct meter *meter, enum step step, int64_t us)
{
	size_t i = 0;

	if (!meter)
		return;
	while (i < METER_BUCKETS && us > meter_bounds[i])
		i++;
	count(&meter->step[step].count[i], 1);
	count(&meter->step[step].sum, us > 0 ? (unsigned long long)us : 0);
}

/* --- the latest attempts */

static void sum_up(const struct step_times *steps, struct meter_attempt *out)
{
	for (int i = 0; i < STEP_COUNT; i++)
		out->us[i] = -1;
	for (size_t i = 0; i < steps->count; i++) {
		int64_t *us = &out->us[steps->done[i].step];

		*us = (*us < 0 ? 0 : *us) + steps->done[i].us;
	}
}

/*
 * A process that is killed meanwhile leaves a place that counts as empty until its turn comes
 * again. Two can write one place only if all others are written meanwhile: then displayed times are
 * mixed.
 */
void meter_attempt(struct meter *meter, int64_t event_id, const struct step_times *steps)
{
	struct meter_attempt attempt;
	struct meter_place *place;
	unsigned long long turn;

	if (!meter)
		return;
	sum_up(steps, &attempt);
	turn = atomic_fetch_add_explicit(&meter->attempts, 1, memory_order_relaxed);
	place = &meter->place[turn % METER_ATTEMPTS];
	atomic_store_explicit(&place->turn, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&place->event_id, event_id, memory_order_relaxed);
	for (int i = 0; i < STEP_COUNT; i++)
		atomic_store_explicit(&place->us[i], attempt.us[i], memory_order_relaxed);
	atomic_store_explicit(&place->turn, turn + 1, memory_order_release);
}

/* Its turn if it is that event's and nobody wrote to it meanwhile, else 0. */
static unsigned long long read_place(
	const struct meter_place *place, int64_t event_id, struct meter_attempt *out)
{
	unsigned long long turn = atomic_load_explicit(&place->turn, memory_order_acquire);
	bool wanted = atomic_load_explicit(&place->event_id, memory_order_relaxed) == event_id;

	for (int i = 0; i < STEP_COUNT; i++)
		out->us[i] = atomic_load_explicit(&place->us[i], memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	wanted = wanted && atomic_load_explicit(&place->turn, memory_order_relaxed) == turn;
	return wanted ? turn : 0;
}

bool meter_find_attempt(struct meter *meter, int64_t event_id, struct meter_attempt *out)
{
	unsigned long long newest = 0;

	for (int i = 0; meter && i < METER_ATTEMPTS; i++) {
		struct meter_attempt attempt;
		unsigned long long turn = read_place(&meter->place[i], event_id, &attempt);

		if (turn <= newest)
			continue;
		newest = turn;
		*out = attempt;
	}
	return newest > 0;
}
