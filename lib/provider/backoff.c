/* How long a failed attempt waits for the next one. */

#include "provider/backoff.h"

#include "base/secret.h"

#define FIRST 60
#define LAST 3000 /* with all of the jitter: BACKOFF_MAX */

/* Between -max and max; 0 where the kernel has no random numbers to give. */
static int64_t jitter(int64_t max)
{
	uint32_t random = 0;
	struct error ignored;

	if (secret_random(&random, sizeof(random), &ignored))
		return 0;
	return (int64_t)random % (2 * max + 1) - max;
}

int64_t backoff_seconds(int64_t tries, int retry_after)
{
	int64_t wait = FIRST;

	if (retry_after > 0)
		return retry_after < BACKOFF_MAX ? retry_after : BACKOFF_MAX;
	while (tries-- > 0 && wait < LAST)
		wait *= 2;
	if (wait > LAST)
		wait = LAST;
	return wait + jitter(wait / 5);
}
