/* Slots for attempts at events, so that one worker is always free to record. */

#include "provider/admission.h"

#include <time.h>

#include "base/clock.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
	"atomics must work between processes");

#define POLL_MS 5

/* A worker that waits for a peer for longer is stuck: its slot may take long to get free. */
#define STUCK_MS 1500

/* A reserve worker takes connections when another one waits for a peer for longer. */
#define SLOW_WAIT_MS 300

/* The longest wait for a slot whose holder is not stuck. */
#define PATIENCE_MS 5000

/*
 * Connections in the listening socket are not on the disk: the longest time they may wait, by the
 * pace.
 */
#define SLOW_MS 1000
#define CROWDED_MS 40000
#define CROWDED_SLOW_MS 5000

/* After that a slot's holder answers its client, if others need the slot. */
#define ANSWER_MS 3000

static bool is_placed(const struct admission_pass *pass)
{
	return pass && pass->admission && pass->place < ADMISSION_PLACES;
}

/* --- slots */

struct holders {
	unsigned all, slow, stuck;
};

static struct holders count_holders(const struct admission_pass *pass, int64_t now)
{
	struct holders holders = {0, 0, 0};

	for (unsigned i = 0; i < ADMISSION_PLACES; i++) {
		const struct admission_slot *slot = &pass->admission->slot[i];
		int64_t since = atomic_load(&slot->since);

		if (atomic_load(&slot->generation) != pass->generation)
			continue;
		holders.all++;
		holders.slow += since && now - since > SLOW_WAIT_MS;
		holders.stuck += since && now - since > STUCK_MS;
	}
	return holders;
}

/* Takes a slot first, then counts: two workers that do so at once may both have to give way. */
bool admission_try(struct admission_pass *pass, int64_t now)
{
	struct admission_slot *slot = &pass->admission->slot[pass->place];

	atomic_store(&slot->since, 0);
	atomic_store(&slot->generation, pass->generation);
	if (count_holders(pass, now).all <= pass->slots) {
		pass->entered = now;
		pass->waited = 0;
		return true;
	}
	atomic_store(&slot->generation, 0);
	return false;
}

bool admission_may_wait(const struct admission_pass *pass, int64_t began, int64_t now)
{
	const struct admission *admission = pass->admission;
	struct holders holders = count_holders(pass, now);
	int64_t crowded = atomic_load(&admission->crowded);
	int64_t most = atomic_load(&admission->pace) < SLOW_MS ? CROWDED_MS : CROWDED_SLOW_MS;

	if (holders.all > 0 && holders.stuck == holders.all)
		return false;
	return now - began < PATIENCE_MS && !(crowded && now - crowded >= most);
}

bool admission_enter(struct admission_pass *pass)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	int64_t began = clock_monotonic_ms(), now = began;

	if (!is_placed(pass))
		return true;
	while (!admission_try(pass, now)) {
		atomic_store(&pass->admission->refused, now);
		if (!admission_may_wait(pass, began, now))
			return false;
		nanosleep(&pause, NULL);
		now = clock_monotonic_ms();
	}
	return true;
}

void admission_leave(struct admission_pass *pass)
{
	int64_t pace;

	if (!is_placed(pass))
		return;
	/* Two that end at once may count as one: it is a mean. */
	pace = atomic_load(&pass->admission->pace);
	atomic_store(&pass->admission->pace, pace + (pass->waited - pace) / 4);
	pass->entered = 0;
	admission_free_slot(pass->admission, pass->place);
}

bool admission_is_wanted(const struct admission_pass *pass, int64_t now)
{
	int64_t refused, crowded;

	if (!is_placed(pass) || !pass->entered || now - pass->entered < ANSWER_MS)
		return false;
	refused = atomic_load(&pass->admission->refused);
	crowded = atomic_load(&pass->admission->crowded);
	return refused >= pass->entered || (crowded && now - crowded >= ANSWER_MS);
}

bool admission_is_slow(const struct admission_pass *pass, int64_t now)
{
	return is_placed(pass) && count_holders(pass, now).slow > 0;
}

bool admission_is_stopping(const struct admission_pass *pass)
{
	return is_placed(pass) && atomic_load(&pass->admission->stopping);
}

void admission_note_crowd(struct admission *admission, bool more, int64_t now)
{
	long long none = 0;

	if (!more)
		atomic_store(&admission->crowded, 0);
	else
		atomic_compare_exchange_strong(&admission->crowded, &none, now);
}

void admission_free_slot(struct admission *admission, unsigned place)
{
	if (!admission || place >= ADMISSION_PLACES)
		return;
	atomic_store(&admission->slot[place].since, 0);
	atomic_store(&admission->slot[place].generation, 0);
}

/* --- waits */

int64_t admission_wait_begins(struct admission_pass *pass)
{
	int64_t now = clock_monotonic_ms();

	if (is_placed(pass) && pass->entered)
		atomic_store(&pass->admission->slot[pass->place].since, now);
	return now;
}

void admission_wait_ends(struct admission_pass *pass, int64_t began)
{
	if (!is_placed(pass))
		return;
	atomic_store(&pass->admission->slot[pass->place].since, 0);
	pass->waited += clock_monotonic_ms() - began;
}

/* --- the peers */

void admission_forget_peers(struct admission *admission)
{
	for (int i = 0; i < ADMISSION_GATEWAYS; i++) {
		atomic_store(&admission->gateway[i].hung, 0);
		atomic_store(&admission->gateway[i].until, 0);
	}
	atomic_store(&admission->uem.hung, 0);
	atomic_store(&admission->uem.until, 0);
	atomic_store(&admission->ldap.hung, 0);
	atomic_store(&admission->ldap.until, 0);
	for (int usage = 0; usage < USAGE_COUNT; usage++) {
		atomic_store(&admission->ca[usage].hung, 0);
		atomic_store(&admission->ca[usage].until, 0);
	}
}

struct breaker *admission_gateway_breaker(struct admission_pass *pass, size_t i)
{
	return is_placed(pass) && i < ADMISSION_GATEWAYS ? &pass->admission->gateway[i] : NULL;
}

struct breaker *admission_ca_breaker(struct admission_pass *pass, enum usage usage)
{
	return is_placed(pass) ? &pass->admission->ca[usage] : NULL;
}

struct breaker *admission_uem_breaker(struct admission_pass *pass)
{
	return is_placed(pass) ? &pass->admission->uem : NULL;
}

struct breaker *admission_ldap_breaker(struct admission_pass *pass)
{
	return is_placed(pass) ? &pass->admission->ldap : NULL;
}
