/* After some timeouts in a row a peer is not tried for a while: events are recorded at once. */

#include "provider/breaker.h"

#include "base/log.h"

#define HUNG_MAX 3 /* in a row */

/* After a shorter failure the peer, or its network, still answers: nobody is held up. */
#define HANG_MS 1000

#define OPEN_MS 10000
#define OPEN_MAX_MS 60000

/* Longer than a try takes. If its process is killed, another one tries after that. */
#define PROBE_MS 120000

static enum err refuse(const char *peer, int64_t left, struct error *e)
{
	error_set(e, ERR_UNAVAILABLE,
		"%s: not tried, because it did not answer in time the last times; certprov deliver "
		"tries it again",
		peer);
	e->retry_after = (int)(left / 1000) + 1;
	return e->code;
}

enum err breaker_ask(struct breaker *breaker, const char *peer, int64_t now, struct error *e)
{
	long long until = breaker ? atomic_load(&breaker->until) : 0;

	if (!until)
		return ERR_OK;
	if (now >= until && atomic_compare_exchange_strong(&breaker->until, &until, now + PROBE_MS))
		return ERR_OK;
	return refuse(peer, until - now < OPEN_MAX_MS ? until - now : OPEN_MAX_MS, e);
}

static int64_t open_ms(int hung)
{
	int64_t ms = OPEN_MS;

	for (int i = HUNG_MAX; i < hung && ms < OPEN_MAX_MS; i++)
		ms *= 2;
	return ms < OPEN_MAX_MS ? ms : OPEN_MAX_MS;
}

void breaker_note(
	struct breaker *breaker, const char *peer, enum err err, int64_t began, int64_t now)
{
	bool hung = err == ERR_UNAVAILABLE && now - began >= HANG_MS;
	int times;

	if (!breaker)
		return;
	if (!hung) {
		atomic_store(&breaker->hung, 0);
		if (atomic_exchange(&breaker->until, 0))
			log_info("%s: answers again", peer);
		return;
	}
	times = atomic_fetch_add(&breaker->hung, 1) + 1;
	if (times < HUNG_MAX)
		return;
	atomic_store(&breaker->until, now + open_ms(times));
	log_warning("%s: no answer in time, %d times in a row: events are recorded and answered at "
		    "once, and it is tried again in %lld s",
		peer, times, (long long)open_ms(times) / 1000);
}
