#ifndef PROVIDER_BACKOFF_H
#define PROVIDER_BACKOFF_H

#include <stdint.h>

#include "store/due.h"

#define BACKOFF_MAX STORE_WAIT_MAX

/*
 * Returns the seconds to wait before the next attempt. If the peer asked for a wait (retry_after >
 * 0), it is that. Otherwise it begins with a minute and doubles with each earlier try; up to 20 %
 * are added or taken off at random, so that attempts that failed together do not come back
 * together. Never over BACKOFF_MAX.
 */
int64_t backoff_seconds(int64_t tries, int retry_after);

#endif
