#include "provider/meter.h"

#include <string.h>

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

/* Its place, or that of all others. */
static size_t find(const struct meter *meter, const char *url)
{
	size_t named = atomic_load_explicit(&meter->gateways, memory_order_acquire);

	for (size_t i = 0; i < named; i++)
		if (strcmp(meter->gateway[i].url, url) == 0)
			return i;
	return METER_GATEWAYS;
}

/* The name is there before the number says so: who reads never sees half of one. */
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

void meter_issued(struct meter *meter, size_t kind, enum err err)
{
	if (meter)
		count(&meter->issued[kind][err], 1);
}

void meter_upload(struct meter *meter, const char *url, enum err err)
{
	if (meter)
		count(&meter->gateway[find(meter, url)].uploads[err], 1);
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
