#include "provider/barred.h"

#include "base/clock.h"

/* CAs that judge no request: in words. */

void barred_text(const struct barred_ca *ca, struct buf *out)
{
	char since[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];

	clock_rfc3339(ca->state.since, since);
	clock_rfc3339(ca->state.until, until);
	buf_printf(out,
		"the CA of [%s] has processed no request since %s and is tried again at %s "
		"(deliver --now tries at once): %s",
		ca->section, since, until, ca->state.cause);
}
